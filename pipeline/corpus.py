"""The words of a corpus: which of its passages share most with a question."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from heapq import nsmallest
from math import log
from typing import NamedTuple

from pipeline.records import Passage
from pipeline.words import subject_words


class Near(NamedTuple):
    """A passage beside a question."""

    passage: Passage
    share: float
    """Of the question's subject words, those that stand in the passage or its headings; rare words count more."""
    foreign: frozenset[str]
    """Stems of the question's subject words that do not."""


class Corpus:
    """An index from word to passages: a look-up costs what the question's words cost, not the whole corpus."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = list(passages)
        self.nearest = lru_cache(maxsize=1 << 15)(self._nearest)  # each stage asks for the same questions again
        self._holding: dict[str, array[int]] = {}
        for place in range(len(self._passages)):
            for word in self._words(place):
                self._holding.setdefault(word, array("I")).append(place)

    def known(self, question: str) -> float:
        """The share of the question's subject words that any passage holds: no single one can hold more."""
        weights = {word: self.weight(word) for word in sorted(subject_words(question))}
        return sum(weight for word, weight in weights.items() if word in self._holding) / (sum(weights.values()) or 1)

    def _nearest(self, question: str, most: int = 1) -> list[Near]:
        """The passages that share most with the question, at most `most` and best first; none that share nothing."""
        about = subject_words(question)
        weights = {word: self.weight(word) for word in sorted(about)}
        shared: defaultdict[int, float] = defaultdict(float)
        for word, weight in weights.items():
            for place in self._holding.get(word, ()):
                shared[place] += weight
        best = nsmallest(most, shared, key=lambda place: (-shared[place], place))
        whole = sum(weights.values())
        return [
            Near(
                self._passages[place],
                shared[place] / whole,
                about - self._words(place),
            )
            for place in best
        ]

    def _words(self, place: int) -> frozenset[str]:
        passage = self._passages[place]
        return subject_words(" ".join((*passage.heading, passage.text)))

    def weight(self, word: str) -> float:
        """What a stem counts: the less passages hold it the more, and most where none does (inverse frequency)."""
        return log(1 + (1 + len(self._passages)) / (1 + len(self._holding.get(word, ()))))
