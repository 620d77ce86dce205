"""How varied a dataset is: openings, phrases, lengths, and how much of each passage it asks about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field

from pipeline.constraints import count_words
from pipeline.curate.frequent import Frequent
from pipeline.recipe import Diversity as Thresholds
from pipeline.records import Passage, Record, normalised
from pipeline.words import subject_words

_OPENING_WORDS = 3
_PHRASE_WORDS = 4
_SHOWN = 5
_PARTS = 100
"""Of a passage, each quoted or not: how finely the quoted share is measured."""


class Common(BaseModel):
    """A phrase and the number of texts that hold it."""

    model_config = ConfigDict(frozen=True)

    phrase: str
    texts: int


class Spread(BaseModel):
    """Where the middle of some numbers lies: a twentieth are smaller than `low`, and a twentieth larger than `high`."""

    model_config = ConfigDict(frozen=True)

    low: int = 0
    median: int = 0
    high: int = 0

    def __str__(self) -> str:
        return f"{self.low} to {self.high} (median {self.median})"


class Diversity(BaseModel):
    """What was measured, and what is conspicuous about it."""

    model_config = ConfigDict(frozen=True)

    questions: int = 0
    answers: int = Field(default=0, description="wordings of one fact share one; refusals are not counted")
    question_words: Spread = Spread()
    answer_words: Spread = Spread()
    question_openings: tuple[Common, ...] = ()
    answer_openings: tuple[Common, ...] = ()
    answer_phrases: tuple[Common, ...] = ()
    passages: int = 0
    passages_asked: int = Field(default=0, description="of which at least one question was kept")
    facts_per_passage: Spread = Spread()
    quoted_share: float = Field(default=0.0, description="of the passages' text, stands in the quote of some answer")
    warnings: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """As a person reads it."""
        text = [
            f"variety   {self.questions:>6}   questions of {self.question_words} words,"
            f" {self.answers} answers of {self.answer_words}"
        ]
        for what, found, of in (
            ("questions begin", self.question_openings, self.questions),
            ("answers begin", self.answer_openings, self.answers),
        ):
            if found:
                text.append(f"variety   {found[0].texts:>6}   {what} {found[0].phrase!r} ({found[0].texts / of:.1%})")
        if self.passages:
            text.append(
                f"variety   {self.passages_asked:>6}   of {self.passages} passages asked about, with"
                f" {self.facts_per_passage} facts; {self.quoted_share:.0%} of their text is quoted"
            )
        return [*text, *(f"warning: {warning}" for warning in self.warnings)]


def diversity(records: Iterable[Record], passages: Mapping[str, Passage], thresholds: Thresholds) -> Diversity:
    """The variety of records, which are gone through once. What is held grows with the passages only."""
    tally = _Tally(passages, thresholds)
    for record in records:
        tally.add(record)
    return tally.found()


class _Tally:
    """Counts over the records so far."""

    def __init__(self, passages: Mapping[str, Passage], thresholds: Thresholds) -> None:
        self._passages = passages
        self._thresholds = thresholds
        self._question_openings: Frequent[str] = Frequent(thresholds.opening_share)
        self._answer_openings: Frequent[str] = Frequent(thresholds.opening_share)
        self._phrases: Frequent[str] = Frequent(thresholds.phrase_share)
        self._question_words: Counter[int] = Counter()
        self._answer_words: Counter[int] = Counter()
        self._facts: Counter[str] = Counter()
        self._quoted: dict[str, int] = {}
        self._fact = ""

    def add(self, record: Record) -> None:
        self._question_openings.add(opening_of(record.question))
        self._question_words[count_words(record.question)] += 1
        # Wordings of one fact follow each other; a refusal is one sentence by design.
        if record.is_refusal or record.fact == self._fact:
            return
        self._fact = record.fact
        self._answer_openings.add(opening_of(record.answer))
        self._phrases.add(_phrases(record.answer))
        self._answer_words[count_words(record.answer)] += 1
        passage = self._passages.get(record.passage)
        if passage is not None and record.span is not None:
            self._facts[passage.id] += 1
            self._quoted[passage.id] = self._quoted.get(passage.id, 0) | _parts(passage, record.span)

    def found(self) -> Diversity:
        quoted = sum(parts.bit_count() for parts in self._quoted.values())
        measured = Diversity(
            questions=self._question_openings.texts,
            answers=self._answer_openings.texts,
            question_words=spread_of(self._question_words),
            answer_words=spread_of(self._answer_words),
            question_openings=_common(self._question_openings),
            answer_openings=_common(self._answer_openings),
            answer_phrases=_common(self._phrases),
            passages=len(self._passages),
            passages_asked=len(self._facts),
            facts_per_passage=spread_of(Counter(self._facts.values())),
            quoted_share=quoted / (_PARTS * len(self._passages)) if self._passages else 0.0,
        )
        return measured.model_copy(update={"warnings": tuple(_warnings(measured, self._thresholds))})


def _warnings(found: Diversity, thresholds: Thresholds) -> Iterator[str]:
    for what, common, of, share in (
        ("questions begin with", found.question_openings, found.questions, thresholds.opening_share),
        ("answers begin with", found.answer_openings, found.answers, thresholds.opening_share),
        ("answers hold", found.answer_phrases, found.answers, thresholds.phrase_share),
    ):
        for phrase, texts in ((one.phrase, one.texts) for one in common if of >= thresholds.least):
            if texts > share * of:
                yield f"{texts} of {of} {what} {phrase!r}: {texts / of:.1%}, at most {share:.1%} is usual"
    for what, spread, of in (
        ("questions", found.question_words, found.questions),
        ("answers", found.answer_words, found.answers),
    ):
        if of >= thresholds.least and spread.high < thresholds.length_ratio * spread.low:
            yield f"nearly all {what} are of one length: {spread} words"
    silent = found.passages - found.passages_asked
    if silent > thresholds.silent_passages * found.passages:
        yield f"{silent} of {found.passages} passages brought no question that was kept"


def opening_of(text: str) -> list[str]:
    """The first three words, as one; none of a shorter text."""
    words = _words(text)[:_OPENING_WORDS]
    return [" ".join(words)] if len(words) == _OPENING_WORDS else []


def _phrases(text: str) -> list[str]:
    words = _words(text)
    runs = (words[at : at + _PHRASE_WORDS] for at in range(len(words) - _PHRASE_WORDS + 1))
    return [phrase for phrase in map(" ".join, runs) if subject_words(phrase)]


def _words(text: str) -> list[str]:
    return normalised(text).split()


def _parts(passage: Passage, span: tuple[int, int]) -> int:
    """The parts of a passage that a span of its document covers, each a bit."""
    length = max(1, passage.end - passage.start)
    first = min(_PARTS - 1, max(0, (span[0] - passage.start) * _PARTS // length))
    last = min(_PARTS, max(first + 1, -(-(span[1] - passage.start) * _PARTS // length)))
    return (1 << last) - (1 << first)


def _common(items: Frequent[str]) -> tuple[Common, ...]:
    return tuple(Common(phrase=phrase, texts=texts) for phrase, texts in items.most_common(_SHOWN))


def spread_of(counts: Counter[int]) -> Spread:
    """Of numbers, each with how often it was met."""
    total = counts.total()
    if not total:
        return Spread()
    return Spread(low=_at(counts, 0.05 * total), median=_at(counts, 0.5 * total), high=_at(counts, 0.95 * total))


def _at(counts: Counter[int], rank: float) -> int:
    """The smallest number that at least `rank` of the numbers do not exceed."""
    below = 0
    for number in sorted(counts):
        below += counts[number]
        if below >= rank:
            break
    return number
