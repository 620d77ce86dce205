"""Support: whether a passage bears an answer out, by its words and, where these do not settle it, by its meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import log
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

from pipeline.curate.findings import Finding
from pipeline.kinds import KINDS
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage
from pipeline.words import subject_words

if TYPE_CHECKING:
    from numpy import float32, float64
    from numpy.typing import NDArray

    Vectors = NDArray[float32]

Group = tuple[str, ...]
"""Ids of the passages that an answer rests on together; most answers rest on one."""
WORDS_WEIGH = 0.5
"""What a share of 1 in the words adds to the cosine: the two together tell more than either."""
LEAST_OTHERS = 8
"""Other passages below which nobody could say what stands out."""
LEAST_SPREAD = 0.02
"""Of the scores of other passages: below it a difference of nothing would stand out."""
_SENTENCE = re.compile(r"(?<=[.!?;:])[\"'”’»)]*\s+|(?<=[。！？；])|\s*[•\n]\s*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2,}")


class Embedder(Protocol):
    """Texts as points whose nearness is likeness of meaning."""

    @property
    def name(self) -> str:
        """Of the model: vectors of two models are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, float32, of length 1: shape (len(texts), dimensions).

        A row is the same whichever texts it stands among.
        """
        ...


class Support:
    """How well passages bear answers out, told by comparing each passage with others of the same corpus.

    An answer whose content words stand in its passage is supported. Otherwise it is put, with and without its
    question, to its passage and to others, and it counts by how many standard deviations its own passage stands out
    among them: first the best cosine with a sentence or two neighbouring ones, plus half the share of its words.
    It is supported where both stand out as hardly any shuffled pair (a sentence and a passage it is not from) does;
    unsupported where its own passage does no better than the others; doubtful in between.
    """

    def __init__(
        self, passages: Mapping[str, Passage], checks: Checks, embedder: Embedder | None, absence: str
    ) -> None:
        """`absence` says why there is no embedder; what words do not settle is then doubtful."""
        self._passages = passages
        self._checks = checks
        self._embedder = embedder
        self._absence = absence
        self._units: dict[str, Vectors] = {}
        self._thresholds: dict[int, float] = {}
        """By how many passages an answer rests on."""

    def findings(self, drafts: Sequence[Draft]) -> list[Finding | tuple[()]]:
        """A word on each draft of a shard; none on drafts that no passage stands behind."""
        found: list[Finding | tuple[()]] = [
            self._by_words(draft) if self._stands_behind(draft) else () for draft in drafts
        ]
        unsettled = [
            number for number, word in enumerate(found) if isinstance(word, Finding) and word.verdict != "passed"
        ]
        comparable = [n for n in unsettled if len(self._groups(len(drafts[n].bearers))) > LEAST_OTHERS]
        if comparable and self._embedder is not None:
            by_meaning = self._by_meaning([drafts[number] for number in comparable], self._embedder)
            for number, word in zip(comparable, by_meaning, strict=True):
                by_words = found[number]
                found[number] = word._replace(score=by_words.score) if isinstance(by_words, Finding) else word
        return found

    def _stands_behind(self, draft: Draft) -> bool:
        return KINDS[draft.kind].grounded and all(name in self._passages for name in draft.bearers)

    def _by_words(self, draft: Draft) -> Finding:
        share = self._share(terms(draft.answer), draft.bearers)
        least = self._checks.support_words
        measured = f"{share:.0%} of its words stand in the passage, at least {least:.0%}"
        if share >= least:
            return Finding("support_words", measured, score=share)
        why = self._absence or f"a corpus of {len(self._passages)} passages has too few to compare with"
        detail = f"The passage holds {share:.0%} of the answer's words; its meaning was not compared: {why}."
        return Finding("support_words", measured, "doubtful", "weakly_supported", detail, score=share)

    def _by_meaning(self, drafts: Sequence[Draft], embedder: Embedder) -> list[Finding]:
        self._meet([*self._others, *(name for draft in drafts for name in draft.bearers)], embedder)
        answers = [sentences_of(draft.answer) for draft in drafts]
        asked = [f"{draft.question} {draft.answer}" for draft in drafts]
        vectors = embedder.encode([sentence for answer in answers for sentence in answer] + asked)
        at, found = 0, []
        for number, (draft, answer) in enumerate(zip(drafts, answers, strict=True)):
            # An answer of several sentences stands no firmer than its weakest.
            alone = min(self._standing(text, vectors[at + n], draft.bearers) for n, text in enumerate(answer))
            at += len(answer)
            whole = self._standing(asked[number], vectors[len(vectors) - len(asked) + number], draft.bearers)
            found.append(_weighed(alone, whole, self._least(embedder, len(draft.bearers))))
        return found

    def _standing(self, text: str, vector: Vectors, own: Group) -> float:
        """By how many standard deviations passages stand out among others, as many at a time, for one text."""
        scores = self._scores(text, vector, [own, *self._groups(len(own), without=own)])
        return float((scores[0] - scores[1:].mean()) / max(scores[1:].std(), LEAST_SPREAD))

    def _scores(self, text: str, vector: Vectors, groups: Sequence[Group]) -> NDArray[float64]:
        """How well each group of passages bears the text out: best cosine, plus its share of the words."""
        import numpy

        words = terms(text)
        nearest = [max(float((self._units[name] @ vector).max()) for name in group) for group in groups]
        # Rounded, for in which batch a text was encoded shows in the seventh digit.
        shares = [self._share(words, group) for group in groups]
        return numpy.round(numpy.array(nearest) + WORDS_WEIGH * numpy.array(shares), 4)

    def _least(self, embedder: Embedder, size: int) -> float:
        """What a shuffled pair reaches with the probability that the recipe allows, and no less than chance would."""
        if size not in self._thresholds:
            pairs = self._shuffled(embedder, size)
            allowed = 1 - self._checks.support_chance
            rank = sorted(pairs)[min(len(pairs) - 1, int(allowed * len(pairs)))]
            self._thresholds[size] = max(rank, NormalDist().inv_cdf(allowed))
        return self._thresholds[size]

    def _shuffled(self, embedder: Embedder, size: int) -> list[float]:
        """How far other passages stand out for sentences that are not theirs: one sentence of each passage compared."""
        import numpy

        sentences = [max(sentences_of(self._passages[name].text), key=len) for name in self._others]
        pairs: list[float] = []
        for name, sentence, vector in zip(self._others, sentences, embedder.encode(sentences), strict=True):
            scores = self._scores(sentence, vector, self._groups(size, without=(name,)))
            rest = len(scores) - 1
            means = (scores.sum() - scores) / rest
            spreads = numpy.sqrt(
                numpy.maximum((numpy.square(scores).sum() - numpy.square(scores)) / rest - means**2, 0)
            )
            pairs += ((scores - means) / numpy.maximum(spreads, LEAST_SPREAD)).tolist()
        return pairs

    def _meet(self, names: Sequence[str], embedder: Embedder) -> None:
        """Encode the passages not met yet, all in one go: their sentences, and each two neighbouring ones."""
        for name in [name for name in self._units if name not in names and name not in self._others]:
            del self._units[name]  # a shard's own passages; those that all are compared with stay
        new = [name for name in dict.fromkeys(names) if name not in self._units]
        units = [_units(self._passages[name].text) for name in new]
        vectors = embedder.encode([unit for of_one in units for unit in of_one])
        at = 0
        for name, of_one in zip(new, units, strict=True):
            self._units[name] = vectors[at : at + len(of_one)]
            at += len(of_one)

    @cached_property
    def _others(self) -> list[str]:
        """The passages that all are compared with: those whose ids, which are hashes, come first."""
        return sorted(self._passages)[: self._checks.support_others]

    def _groups(self, size: int, without: Group = ()) -> list[Group]:
        """Those passages, so many at a time: what rests on two passages is compared with two others."""
        names = [name for name in self._others if name not in without]
        return [tuple(names[at : at + size]) for at in range(0, len(names) - size + 1, size)] if size else []

    @cached_property
    def _words(self) -> dict[str, frozenset[str]]:
        return {name: terms(f"{' '.join(one.heading)}\n{one.text}") for name, one in self._passages.items()}

    @cached_property
    def _frequency(self) -> Counter[str]:
        return Counter(word for words in self._words.values() for word in words)

    def _share(self, words: frozenset[str], passages: Group) -> float:
        """Share of words that stand in the passages, each weighed by its rarity in the corpus (idf); 0 of no words."""
        weights = {word: log((len(self._words) + 1) / (self._frequency[word] + 0.5)) for word in words}
        held = sum(weight for word, weight in weights.items() if any(word in self._words[name] for name in passages))
        return held / sum(weights.values()) if weights else 0.0


def _weighed(alone: float, whole: float, least: float) -> Finding:
    stands_out = min(alone, whole)
    measured = f"its passage stands out by {stands_out:.1f} standard deviations, at least {least:.1f}"
    if stands_out >= least:
        return Finding("support_chance", measured)
    if max(alone, whole) < 0:
        detail = "The passage bears the answer out no better than other passages do."
        return Finding("support_chance", measured, "rejected", "unsupported", detail)
    detail = f"The passage bears the answer out little better than others do ({stands_out:.1f} of {least:.1f})."
    return Finding("support_chance", measured, "doubtful", "weakly_supported", detail)


def terms(text: str) -> frozenset[str]:
    """Stems of the content words; pairs of neighbouring characters where a script sets no blanks between words."""
    words = subject_words(text)
    runs = [run for word in words for run in _UNSPACED.findall(word)]
    if not runs:
        return words
    pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
    return frozenset({word for word in words if not _UNSPACED.search(word)} | pairs)


def sentences_of(text: str) -> list[str]:
    """A text cut at its full stops; never empty."""
    return [part for part in (part.strip() for part in _SENTENCE.split(text)) if len(part) > 3] or [text]


def _units(text: str) -> list[str]:
    """The sentences, and each two neighbouring ones as one: an answer often joins two."""
    sentences = [" ".join(sentence.split()) for sentence in sentences_of(text)]
    return sentences + [f"{one} {other}" for one, other in pairwise(sentences)]
