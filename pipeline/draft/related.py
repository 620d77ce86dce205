"""Which passages are related: they share words, headings among them, that are rare in their own documents.

What two passages have in common is a matter of their two documents alone, and so is every choice made here: a document
that is added brings pairs of its own and leaves all others as they were.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from math import log, sqrt
from typing import NamedTuple

from pipeline.records import Passage, lot
from pipeline.words import subject_words


class Near(NamedTuple):
    """A passage beside another."""

    passage: Passage
    alike: float
    """Cosine, 0 to 1."""


class Document:
    """One document's passages, each word of them weighed by how few of these passages hold it (inverse frequency)."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        words = [subject_words(" ".join((*passage.heading, passage.text))) for passage in passages]
        frequency = Counter(chain.from_iterable(words))
        weights = {word: log(1 + len(passages) / number) for word, number in frequency.items()}
        self.vectors = {
            passage.id: _normed({word: weights[word] for word in sorted(held)})
            for passage, held in zip(passages, words, strict=True)
        }
        """By passage: word to weight, of length 1."""

    @cached_property
    def _holding(self) -> dict[str, list[tuple[str, float]]]:
        """Word to the passages that hold it."""
        holding: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for name, vector in self.vectors.items():
            for word, weight in vector.items():
                holding[word].append((name, weight))
        return holding

    def alike(self, vector: Mapping[str, float]) -> dict[str, float]:
        """Passage to likeness, of those that share a word with what has this vector."""
        shared: defaultdict[str, float] = defaultdict(float)
        for word, weight in vector.items():
            for name, other in self._holding.get(word, ()):
                shared[name] += weight * other
        return shared


class Related:
    """The passages of a corpus, each beside those that are related to it and on its side of the split."""

    def __init__(self, passages: Iterable[Passage], salt: str, unseen: float) -> None:
        """`salt` and `unseen` are those of the split: what rests on both of its sides would be in neither."""
        by_name: defaultdict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            by_name[passage.document].append(passage)
        self.documents = {name: Document(of) for name, of in by_name.items()}
        self._held_out = {
            passage.id: lot(salt, "unseen", passage.id) < unseen for of in by_name.values() for passage in of
        }

    def same_side(self, one: Passage, other: Passage) -> bool:
        """Whether both are trained, or both held out."""
        return self._held_out[one.id] == self._held_out[other.id]

    def nearest(self, passage: Passage, document: str) -> list[Near]:
        """The other passages of a document that share a word with this one and are on its side, most alike first."""
        found = self.documents[document]
        alike = found.alike(self.documents[passage.document].vectors[passage.id])
        others = (one for one in found.passages if one.id != passage.id and one.id in alike)
        near = [Near(one, round(alike[one.id], 9)) for one in others if self.same_side(one, passage)]
        return sorted(near, key=lambda one: (-one.alike, one.passage.id))


def _normed(vector: dict[str, float]) -> dict[str, float]:
    length = sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {word: weight / length for word, weight in vector.items()}
