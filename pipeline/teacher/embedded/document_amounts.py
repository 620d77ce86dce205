"""Rules that ask how much, how long and how often: what a sentence measures."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded.document_clauses import Clause
from pipeline.teacher.embedded.document_sentences import Words
from pipeline.teacher.embedded.document_statements import Statement

_TIME = frozenset("second minute hour day week month year seconds minutes hours days weeks months years".split())
_MONEY = frozenset("euro euros dollar dollars pound pounds cent cents nothing".split())
_ABOUT = frozenset("about around up to roughly nearly almost at least most only over under".split())
_LONG = frozenset("long wide high deep tall thick old heavy".split())
_OFTEN = frozenset("once twice".split())


class Measured(NamedTuple):
    """What a clause measures."""

    how: str
    """The question word: how long, how much, within what time."""
    kept: Clause
    """The clause without the amount."""
    said: Words
    """The amount, as it stands: "up to seven working days"."""


def amount(sentence: Statement) -> list[str]:
    """A repair takes ten working days: how long does a repair take?"""
    found = measured(sentence.clause)
    if found is None:
        return []
    context = sentence.context if sentence.tail[:1] != ("and",) else ""
    return sentence.led(wordings.amount(found.how, found.kept.asked() + context, found.kept.told() + context))


def measured(clause: Clause) -> Measured | None:
    """The amount in a clause, and the clause as a question for it has it; None where there is none."""
    for find in (_duration, _price, _weight, _volume, _length, _span):
        found = find(clause)
        if found is not None:
            how, rest, said = found
            return Measured(how, replace(clause, rest=rest), said)
    return None


_Found = tuple[str, Words, Words] | None
"""The question word, the rest of the clause without the amount, and the amount."""


def _measure(words: Words, units: frozenset[str], start: int = 0) -> int:
    """Where a number with its unit ends that begins at `start`: "up to seven working days"; 0 where none begins."""
    at = start
    while at < len(words) and words[at].lower() in _ABOUT:
        at += 1
    if at < len(words) and words[at].lower() in units & {"nothing"}:
        return at + 1
    if at >= len(words) or not (re.fullmatch(r"\d+(?:[.,]\d+)*", words[at]) or words[at].lower() in _NUMBERS):
        return 0
    return next((end + 1 for end in range(at + 1, min(at + 4, len(words))) if words[end].lower() in units), 0)


_NUMBERS = (lexicon.NUMERALS - {"first", "second", "third"}) | {"a", "an", "half", "thirteen", "fourteen", "sixty"}


def _duration(clause: Clause) -> _Found:
    if clause.verb not in ("take", "last"):
        return None
    end = _measure(clause.rest, _TIME)
    return ("how long", _before_and(clause.rest[end:]), clause.rest[:end]) if end else None


def _price(clause: Clause) -> _Found:
    end = _measure(clause.rest, _MONEY) if clause.verb == "cost" else 0
    return ("how much", _before_and(clause.rest[end:]), clause.rest[:end]) if end else None


def _weight(clause: Clause) -> _Found:
    units = frozenset("gram grams kilogram kilograms kilo kilos ton tons tonnes pounds ounces".split())
    end = _measure(clause.rest, units) if clause.verb == "weigh" else 0
    return ("how much", clause.rest[end:], clause.rest[:end]) if end else None


def _volume(clause: Clause) -> _Found:
    """holds two litres of water: how much water"""
    units = frozenset("litre litres liter liters millilitres cups gallons".split())
    end = _measure(clause.rest, units) if clause.verb == "hold" else 0
    return (
        (f"how much {clause.rest[end + 1]}", (), clause.rest) if end and clause.rest[end : end + 1] == ("of",) else None
    )


def _length(clause: Clause) -> _Found:
    """is 75 centimetres long: how long is"""
    if clause.aux not in ("is", "are") or len(clause.rest) < 3 or clause.rest[-1] not in _LONG:
        return None
    return (f"how {clause.rest[-1]}", (), clause.rest) if re.fullmatch(r"\d+(?:[.,]\d+)*", clause.rest[0]) else None


def _span(clause: Clause) -> _Found:
    """holds the temperature for 30 minutes: for how long; within one working day: within what time"""
    low = [word.lower() for word in clause.rest]
    for word, how in (("for", "for how long"), ("within", "within what time")):
        for at in (at for at, one in enumerate(low) if one == word and at > 0):
            end = _measure(clause.rest, _TIME, at + 1)
            if end == len(clause.rest) and "and" not in low[:at]:
                return how, clause.rest[:at], clause.rest[at:]
    return None


def _before_and(words: Words) -> Words:
    """What follows an amount, as far as it belongs to it: "and can be changed without tools" is another matter."""
    return words[: words.index("and")] if "and" in words else words
