"""Checks of worked answers: a program computes what the equations come to, and every sum that the answer writes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from pipeline.arithmetic import Contradiction, NotUnderstood, plain, solve, value
from pipeline.curate.findings import Finding
from pipeline.records import Draft

ASKED = "answer"
"""The unknown that an equation gives to what is asked for."""
_NUMBER = r"-?(?:[$€£]\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+(?![\d.]))?"
_STATED = re.compile(_NUMBER)
_CLOSING = re.compile(r"(?:answer|result)\s*(?:is|are|=|:)\s*([^\n]*)", re.IGNORECASE)
_NAMED = re.compile(rf"([A-Za-z_]\w*)\s*=\s*({_NUMBER})")
_TERM = r"\(*\s*(?:[$€£]\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s*%?\s*\)*"
_SIGN = r"\-+*/×·÷−–xX"
_SUM = re.compile(
    # Not the tail of something longer: of a product with a word in it, a mixed number, a number in groups of three.
    rf"(?<![\w.,/)({_SIGN}])(?<![\d)({_SIGN}] )({_TERM}(?:\s*[{_SIGN}]\s*{_TERM})+)\s*=\s*(?:[$€£]\s?)?"
    rf"(-?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)(?![\d/%]|\s*[{_SIGN}^]\s*[\d(]| \d|,\d{{3}})"
)


def computed(draft: Draft) -> Finding:
    """Whether the result that the draft gives, and the answer closes with, is what its equations come to."""
    if not draft.equations:
        return _unknown("no equation is given")
    try:
        solved = solve(draft.equations)
    except Contradiction as fault:
        detail = f"Its equations contradict each other: {fault}."
        return Finding("computed", "contradicts itself", "rejected", "wrong_result", detail)
    except NotUnderstood as fault:
        return _unknown(str(fault))
    wanted = _wanted(draft, solved)
    if not wanted:
        return _unknown("the equations do not settle what is asked for")
    measured = ", ".join(f"{name} = {plain(number)}" for name, number in wanted.items())
    for where, text in (("the result", draft.result), ("the answer", _closing(draft.answer))):
        if wrong := _disagreement(text, wanted):
            detail = f"It comes to {measured}, and {where} says {wrong}."
            return Finding("computed", measured, "rejected", "wrong_result", detail)
    return Finding("computed", measured)


def _unknown(why: str) -> Finding:
    return Finding("computed", why, "flagged", "not_computed", f"No program could compute it: {why}.")


def _wanted(draft: Draft, solved: dict[str, Fraction]) -> dict[str, Fraction]:
    """The unknowns that the result names; else the one called `answer`, or that the last equation is about."""
    named = [name for name, _ in _NAMED.findall(draft.result)]
    if named:
        return {name: solved[name] for name in named} if all(name in solved for name in named) else {}
    left = draft.equations[-1].partition("=")[0].strip()
    return next(({name: solved[name]} for name in (ASKED, left) if name in solved), {})


def _closing(answer: str) -> str:
    """What follows the last "the answer is"; an answer without one is its last line."""
    found = _CLOSING.findall(answer)
    return found[-1] if found else answer.strip().rpartition("\n")[2]


def _disagreement(text: str, wanted: dict[str, Fraction]) -> str:
    """What a text says in place of the values wanted, or nothing: each of them has to be among its numbers."""
    named = {name: _read(number) for name, number in _NAMED.findall(text)}
    stated = [number for written in _STATED.findall(text) if (number := _read(written)) is not None]
    for name, number in wanted.items():
        said = [named[name]] if named.get(name) is not None else stated
        if not any(one is not None and _same(one, number, text) for one in said):
            return text.strip()[:80] or "nothing"
    return ""


def _read(written: str) -> Fraction | None:
    try:
        return value(written, {})
    except NotUnderstood:
        return None


def _same(said: Fraction, number: Fraction, text: str) -> bool:
    """Equal, or rounded to as many places as it is written with where it cannot be written out."""
    if said == number:
        return True
    return number.denominator > 1 and abs(said - number) <= Fraction(1, 200) and "/" not in text


def sums(draft: Draft) -> Finding:
    """Whether every sum in digits that the answer writes out comes to what it says."""
    looked_at = 0
    for written, said in written_sums(draft.answer):
        try:
            right = value(written, {})
            claimed = value(said, {})
        except NotUnderstood:
            continue
        looked_at += 1
        if not _rounded(right, claimed, said):
            detail = f"The answer says {written.strip()} = {said}; it is {plain(right)}."
            return Finding("sums", f"{written.strip()} = {said}", "rejected", "wrong_sum", detail)
    return Finding("sums", f"{looked_at} right")


def written_sums(text: str) -> Iterator[tuple[str, str]]:
    """Each `2 × 20 = 40` of a text, as the sum and what it is said to be."""
    for found in _SUM.finditer(text):
        written = found.group(1)
        if written.count("(") == written.count(")"):
            yield written, found.group(2)


def _rounded(right: Fraction, claimed: Fraction, written: str) -> bool:
    places = len(written.partition(".")[2])
    return abs(right - claimed) <= Fraction(1, 2 * 10**places) if right.denominator > 1 else right == claimed
