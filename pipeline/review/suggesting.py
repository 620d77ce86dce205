"""Rules that a person might want: corrections that recur among their edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from pipeline.review.rules import Where

_MOST_WORDS = 8
"""A longer stretch is no slip that recurs but a text written anew."""


class Edit(NamedTuple):
    """A text as it was laid, and as the person left it."""

    id: str
    """Of the record."""
    where: Where
    before: str
    after: str


class Suggestion(NamedTuple):
    """A correction made in several records."""

    replace: str
    by: str
    where: Where
    ids: tuple[str, ...]
    """Of the records in which the person made it."""


def suggestions(edits: Iterable[Edit], least: int) -> list[Suggestion]:
    """What was replaced by the same in at least so many records, the most frequent first."""
    found: defaultdict[tuple[str, str], dict[str, Where]] = defaultdict(dict)
    for edit in edits:
        for change in _changes(edit.before.split(), edit.after.split()):
            places = found[change]
            places[edit.id] = edit.where if places.get(edit.id, edit.where) == edit.where else "both"
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Suggestion(*change, _where(places), tuple(places)) for change, places in ranked if len(places) >= least]


def _where(places: dict[str, Where]) -> Where:
    first, *others = set(places.values())
    return "both" if others else first


def _changes(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """Runs of words with what stands in their place; beside words put in or left out alone, a neighbour."""
    for what, start, end, to_start, to_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal" or max(end - start, to_end - to_start) > _MOST_WORDS:
            continue
        left = 1 if start > 0 and to_start > 0 and what != "replace" else 0
        right = 1 if not left and what != "replace" and end < len(before) and to_end < len(after) else 0
        old, new = before[start - left : end + right], after[to_start - left : to_end + right]
        trimmed = _trimmed(" ".join(old), " ".join(new))
        if trimmed[0]:
            yield trimmed


def _trimmed(old: str, new: str) -> tuple[str, str]:
    """Without the full stop or comma that both end with: the same slip stands elsewhere without it."""
    while old and new and old[-1] == new[-1] and not old[-1].isalnum():
        old, new = old[:-1], new[:-1]
    return old, new
