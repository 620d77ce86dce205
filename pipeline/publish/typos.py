"""Typing slips: a question as a hurried person would type it, the same at every run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator

from pipeline.records import Record, content_id, normalised
from pipeline.words import AlikeQuestions

_WORD = re.compile(r"[^\W\d_]{4,}")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}


def with_typo(question: str, known: Container[str]) -> str | None:
    """The question with one slip in one word: two letters changed over, one left out or doubled, or a key missed.

    A slip that makes a word of `known` (in lower case) would ask something else and is not made. Only words of four
    letters or more in scripts with upper and lower case are touched, never a number or an abbreviation; None if
    there is no such word.
    """
    for start, end, slipped in _slips(question):
        if slipped.lower() not in known:
            return question[:start] + slipped + question[end:]
    return None


def make_slips(
    records: Callable[[], Iterable[Record]], chosen: Callable[[Record], bool], threshold: float
) -> dict[str, str]:
    """Ids of the chosen records to their question with a slip.

    A slip that makes a question alike (see `words.alike`) to any but its own is left out: it would have two answers,
    or stand in training and in a slice at once. `records` is asked for the records twice if any is chosen.
    """
    known: set[str] = set()
    wanted: dict[str, str] = {}
    for record in records():
        known.update(normalised(record.question).split())
        if chosen(record):
            wanted[record.id] = record.question
    slips: dict[str, str] = {}
    made = AlikeQuestions(threshold)
    for name, question in wanted.items():
        slipped = with_typo(question, known)
        if slipped and made.like(slipped) is None:
            slips[name] = slipped
            made.add(name, slipped)
    if slips:
        for record in records():
            for name, _ in made.every_like(record.question):
                if name != record.id:
                    slips.pop(name, None)
    return slips


def _slips(question: str) -> Iterator[tuple[int, int, str]]:
    """Every slip that can be made, with the span of its word, in an order that hangs on the question alone."""
    slips = [
        (found.start(), found.end(), slipped)
        for found in _WORD.finditer(question)
        if _touched(found.group())
        for slipped in _slipped(found.group())
    ]
    return iter(sorted(slips, key=lambda slip: content_id("typo", question, str(slip[0]), slip[2])))


def _touched(word: str) -> bool:
    return all(unicodedata.category(letter) in ("Ll", "Lu") for letter in word) and word[1:].islower()


def _slipped(word: str) -> Iterator[str]:
    """The first letter stays: it is what one sees while typing."""
    for place in range(1, len(word)):
        before, letter, after = word[:place], word[place], word[place + 1 :]
        if after and after[0] != letter:
            yield before + after[0] + letter + after[1:]
        if letter != word[place - 1]:
            yield before + after
            yield before + letter + letter + after
        for beside in _BESIDE.get(letter, ""):
            yield before + beside + after
