"""Two questions side by side: what is found of the later one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.fuzz import ratio

from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.wording import names, same_but_for_endings, shared, words
from pipeline.curate.findings import Finding
from pipeline.records import normalised
from pipeline.words import less_trifles

NEW = Finding("near_duplicate", "no similar question before it")


class Known:
    """An entry with its text to compare."""

    __slots__ = ("_plain", "_words", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._plain: str | None = None
        self._words: set[str] | None = None

    @property
    def plain(self) -> str:
        """Its text as `normalised` has it. Of those that are like no other nobody asks for it."""
        if self._plain is None:
            self._plain = normalised(self.entry.question)
        return self._plain

    @property
    def words(self) -> set[str]:
        """Its different words. Of most entries nobody asks for them, and of some often."""
        if self._words is None:
            self._words = words(self.plain)
        return self._words

    def bare(self, language: str) -> str:
        """The text less what nobody would miss, in the recipe's language."""
        return less_trifles(self.plain, self.entry.question, language)

    def repeats(self, other: Known, language: str) -> bool:
        """Their texts are the same, or the same but for trifles."""
        return self.plain == other.plain or self.bare(language) == other.bare(language)

    def same_fact(self, other: Known) -> bool:
        """Both are wordings of one fact, which are meant to be similar."""
        return bool(self.entry.fact) and self.entry.fact == other.entry.fact


def repeats(known: Known, hits: Sequence[Known]) -> Finding:
    """Of a question whose text is an earlier one's, or is it but for trifles; NEW if there are none.

    Of several the first that is the same to the letter counts, else the first that no person dropped.
    """
    if not hits:
        return NEW
    earlier = min(hits, key=lambda hit: (hit.plain != known.plain, hit.entry.dropped))
    exact = known.plain == earlier.plain
    measured = "the same words" if exact else "the same words but for trifles"
    question, partner = earlier.entry.question, earlier.entry.id
    check = "exact_duplicate" if exact else "near_duplicate"
    if not earlier.entry.dropped:
        return Finding(check, measured, "rejected", check, f"Accepted before as {question!r}.", partner)
    if exact:
        return Finding(check, measured, "rejected", "dropped_before", f"A person dropped {question!r}.", partner)
    return Finding(check, measured, "flagged", "similar_to_dropped", f"A person dropped {question!r}.", partner)


class Likeness(NamedTuple):
    """How alike two texts are."""

    share: float
    """Word Jaccard."""
    letters: float
    """Indel ratio, 0 to 100."""


def likeness(known: Known, earlier: Known, terms: Terms) -> Likeness | None:
    """Of a question and an earlier one; None where the terms do not call them similar."""
    if known.same_fact(earlier):
        return None
    share = shared(known.words, earlier.words)
    least = 0 if share >= terms.similar_question else terms.near_duplicate
    letters = ratio(known.plain, earlier.plain, score_cutoff=least)
    return Likeness(share, letters) if letters >= least else None


def similar(known: Known, earlier: Known, found: Likeness, terms: Terms) -> Finding:
    """The flag of a question with most of its words or letters in common with an earlier one.

    Never more than a flag: no likeness of letters tells a slip from another word, nor the limit for A from that for B.
    """
    measured = (
        f"{found.share:.2f} of the words shared (flagged from {terms.similar_question:g}),"
        f" {found.letters:.0f} of 100 alike in letters (from {terms.near_duplicate:g})"
    )
    apart = f"{_own(known, earlier)} here, {_own(earlier, known)} there"
    return _flag("similar_question", measured, apart, earlier)


def _own(one: Known, other: Known) -> str:
    """The words that only one of them has, in their order; of those without blanks, any part."""
    if one.plain.isascii():
        own = one.words - other.words
        told = own if len(own) < 2 else [word for word in dict.fromkeys(one.plain.split()) if word in own]
    else:
        told = [word for word in dict.fromkeys(one.plain.split()) if not words(word) <= other.words]
    return " ".join(told) or "no other word"


def near_in_meaning(known: Known, earlier: Known, cosine: float, terms: Terms) -> Finding | None:
    """Of a question whose vector is near an earlier one's; rejected only where the words leave no doubt either."""
    if known.same_fact(earlier):
        return None
    certain = cosine >= terms.same_meaning and _same_but_for_endings(known, earlier, terms.language)
    if certain and not earlier.entry.dropped:
        measured = f"cosine {cosine:.3f} (rejected from {terms.same_meaning:g}), the same words but for endings"
        said = f"Accepted before as {earlier.entry.question!r}."
        return Finding("same_meaning", measured, "rejected", "near_duplicate", said, earlier.entry.id)
    measured = f"cosine {cosine:.3f} (flagged from {terms.similar_meaning:g})"
    return _flag("similar_meaning", measured, "by its meaning", earlier)


def _same_but_for_endings(known: Known, earlier: Known, language: str) -> bool:
    proper = names(known.entry.question) | names(earlier.entry.question)
    return same_but_for_endings(known.bare(language), earlier.bare(language), proper)


def _flag(check: str, measured: str, how: str, earlier: Known) -> Finding:
    cause = "similar_to_dropped" if earlier.entry.dropped else "similar_question"
    before = "which a person dropped" if earlier.entry.dropped else "accepted before"
    detail = f"Much like {earlier.entry.question!r}, {before}: {how}."
    return Finding(check, measured, "flagged", cause, detail, earlier.entry.id)
