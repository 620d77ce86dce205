"""Two questions side by side: what is found of the later one."""

from __future__ import annotations

from typing import NamedTuple, Self

from rapidfuzz.fuzz import ratio

from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.wording import names, same_but_for_endings, shared, words
from pipeline.curate.findings import Finding
from pipeline.records import normalised
from pipeline.words import less_trifles

NEW = Finding("near_duplicate", "no similar question before it")


class Known(NamedTuple):
    """An entry with its texts to compare."""

    entry: Entry
    plain: str
    bare: str

    @classmethod
    def of(cls, entry: Entry, language: str) -> Self:
        """From the entry, in the recipe's language."""
        plain = normalised(entry.question)
        return cls(entry, plain, less_trifles(plain, entry.question, language))

    def same_fact(self, other: Known) -> bool:
        """Both are wordings of one fact, which are meant to be similar."""
        return bool(self.entry.fact) and self.entry.fact == other.entry.fact


def repeats(known: Known, earlier: Known) -> Finding:
    """Of a question whose text is an earlier one's, or is it but for trifles."""
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


def likeness(known: Known, mine: set[str], earlier: Known, terms: Terms) -> Likeness | None:
    """Of a question, `mine` its words, and an earlier one; None where the terms do not call them similar."""
    if known.same_fact(earlier):
        return None
    share = shared(mine, words(earlier.plain))
    found = Likeness(share, ratio(known.plain, earlier.plain))
    return found if share >= terms.similar_question or found.letters >= terms.near_duplicate else None


def similar(known: Known, earlier: Known, found: Likeness, terms: Terms) -> Finding:
    """The flag of a question with most of its words or letters in common with an earlier one.

    Never more than a flag: no likeness of letters tells a slip from another word, nor the limit for A from that for B.
    """
    measured = (
        f"{found.share:.2f} of the words shared (flagged from {terms.similar_question:g}),"
        f" {found.letters:.0f} of 100 alike in letters (from {terms.near_duplicate:g})"
    )
    apart = f"{_listed(known.plain, earlier.plain)} here, {_listed(earlier.plain, known.plain)} there"
    return _flag("similar_question", measured, apart, earlier)


def _listed(plain: str, other: str) -> str:
    others = words(other)
    own = [word for word in dict.fromkeys(plain.split()) if word not in others and not words(word) <= others]
    return " ".join(own) or "no other word"


def near_in_meaning(known: Known, earlier: Known, cosine: float, terms: Terms) -> Finding | None:
    """Of a question whose vector is near an earlier one's; rejected only where the words leave no doubt either."""
    if known.same_fact(earlier):
        return None
    proper = names(known.entry.question) | names(earlier.entry.question)
    certain = cosine >= terms.same_meaning and same_but_for_endings(known.bare, earlier.bare, proper)
    if certain and not earlier.entry.dropped:
        measured = f"cosine {cosine:.3f} (rejected from {terms.same_meaning:g}), the same words but for endings"
        said = f"Accepted before as {earlier.entry.question!r}."
        return Finding("same_meaning", measured, "rejected", "near_duplicate", said, earlier.entry.id)
    measured = f"cosine {cosine:.3f} (flagged from {terms.similar_meaning:g})"
    return _flag("similar_meaning", measured, "by its meaning", earlier)


def _flag(check: str, measured: str, how: str, earlier: Known) -> Finding:
    cause = "similar_to_dropped" if earlier.entry.dropped else "similar_question"
    before = "which a person dropped" if earlier.entry.dropped else "accepted before"
    detail = f"Much like {earlier.entry.question!r}, {before}: {how}."
    return Finding(check, measured, "flagged", cause, detail, earlier.entry.id)
