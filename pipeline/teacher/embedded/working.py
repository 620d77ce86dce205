"""Worked answers by rule: what a sentence gives as its reason, its case or its measure, taken apart into steps.

A sentence that no rule can take apart is left alone: to say it twice would be no working.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.teacher.embedded.document_amounts import measured
from pipeline.teacher.embedded.document_clauses import parse_clause
from pipeline.teacher.embedded.document_natures import is_rival, kind_of_thing
from pipeline.teacher.embedded.document_sentences import Words, joined, proper_nouns, uncapitalised, without_full_stop
from pipeline.teacher.embedded.document_statements import Statement, is_finite_lead, statement


class _Answer(NamedTuple):
    """An answer that could be read, and the question it is for."""

    read: Statement
    inside: str
    """The sentence as part of another: small where only its beginning made it large, and without its full stop."""
    asked: str
    """The question in small letters."""


_Worked = tuple[list[str], str] | None
"""Steps, and what they come to."""


def worked_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The steps to the `answer` of the `problem`, where a rule takes the answer apart; none where none does."""
    answer = slots["answer"]
    proper = proper_nouns(f"{slots.get('passage', '')} {answer}")
    read = statement(answer, proper)
    if read is None:
        return {"workings": []}
    inside = joined(uncapitalised(tuple(without_full_stop(answer).split(" ")), proper))
    one = _Answer(read, inside, slots["problem"].lower())
    for rule in (_reason, _consequence, _aim, _case, _amount, _condition, _comparison, _kind, _narrowed):
        found = rule(one)
        if found:
            steps, result = found
            return {"workings": [{"steps": steps, "result": result}]}
    return {"workings": []}


_ASKS_WHY = re.compile(
    r"\b(?:why|reason|cause|explain|explanation|account for|lies behind|purpose|aim|what end|follows)\b"
)
_LEANING = frozenset("it its they them their he him his she her this these those".split())


def _reason(one: _Answer) -> _Worked:
    read = one.read
    if not _ASKS_WHY.search(one.asked) or not read.hangs_on("because") or read.lead or read.imperative:
        return None
    behind = joined(read.tail[1:])
    steps = [f"What is to be explained is that {read.clause.told()}.", f"What lies behind it is that {behind}."]
    return steps, f"that {one.inside}"


def _consequence(one: _Answer) -> _Worked:
    """A leak cannot be repaired, so the desk replaces the kettle."""
    read = one.read
    if not _ASKS_WHY.search(one.asked) or not read.hangs_on(",", "so") or read.lead or read.imperative:
        return None
    first, then = read.clause.told(), read.tail[2:]
    steps = [f"The matter begins with this: {first}.", f"From that it follows that {joined(then)}."]
    # What leans on the first half cannot stand before it.
    leans = {word.lower() for word in then} & _LEANING
    return steps, f"that {one.inside}" if leans else f"that {joined(then)} because {first}"


def _aim(one: _Answer) -> _Worked:
    read = one.read
    if not _ASKS_WHY.search(one.asked) or not read.hangs_on("so", "that") or read.lead or read.imperative:
        return None
    steps = [f"What is to be explained is this: {read.clause.told()}.", f"The aim is that {joined(read.tail[2:])}."]
    return steps, f"that {one.inside}"


def _case(one: _Answer) -> _Worked:
    """If the filter is torn, order a new one."""
    read = one.read
    if not (read.imperative and is_finite_lead(read.lead)) or read.tail:
        return None
    action, case = joined(read.clause.rest), joined(read.lead[1:])
    return [f"The case in question is that {case}.", f"What helps in that case is to {action}."], f"to {action}"


def _amount(one: _Answer) -> _Worked:
    """A repair takes ten working days: to a question for the measure, and only then."""
    read = one.read
    found = None if read.imperative or read.lead else measured(read.clause)
    if found is None or not re.search(rf"\b{found.how}\b", one.asked):
        return None
    steps = [f"What is asked for is a measure: {found.how} {found.kept.told()}.", f"It is known that {one.inside}."]
    return steps, joined(found.said)


_ASKS_WHEN = re.compile(r"\bwhen\b|\bcircumstances\b|\bcondition\b|\bsituation in which\b")


def _condition(one: _Answer) -> _Worked:
    """Listeners believe the tone of voice when the tone and the words disagree: to a question for the case."""
    read = one.read
    case = read.tail if read.tail[:1] in (("when",), ("if",)) else ()
    if not _ASKS_WHEN.search(one.asked) or read.imperative or read.lead or not case or "," in case:
        return None
    inner = joined(case[1:])
    if parse_clause(case[1:]) is None or inner.lower() in one.asked:
        return None
    steps = [f"The question is in which case {read.clause.told()}.", f"The case is this: {inner}."]
    return steps, f"when {inner}"


def _comparison(one: _Answer) -> _Worked:
    read, rest = one.read, one.read.clause.rest
    if "than" not in rest or read.lead or read.tail or read.imperative or not is_rival(rest[rest.index("than") + 1 :]):
        return None
    subject, other = joined(read.clause.subject), joined(rest[rest.index("than") + 1 :])
    steps = [f"Two things are weighed here: {subject} on one side, {other} on the other."]
    if re.match(r"(?:which|who|of|if you compare)\b", one.asked):
        return [*steps, f"As it is, {one.inside}."], subject
    return [*steps, f"The scale tips one way: {one.inside}."], f"that {one.inside}"


def _kind(one: _Answer) -> _Worked:
    """An open question is a question that cannot be answered with yes or no."""
    read = one.read
    found = None if read.lead or read.imperative or read.tail or read.clause.plural else kind_of_thing(read.clause)
    subject = joined(read.clause.subject)
    if found is None or subject.lower() not in one.asked:
        return None
    steps = [
        f"First the kind of thing: {subject} is {joined(found.kind)}.",
        f"Then what sets it apart from others of that kind: it is one {joined(found.apart)}.",
    ]
    return steps, f"that {one.inside}"


_RELATIVES = frozenset({"who", "that", "which"})


def _narrowed(one: _Answer) -> _Worked:
    """A customer who declines the price pays only for the postage: said of some customers, and of which."""
    read, subject = one.read, one.read.clause.subject
    at = next((at for at, word in enumerate(subject) if word in _RELATIVES), 0)
    if read.imperative or read.lead or read.clause.plural or not 2 <= at <= 4 or subject[0] not in ("a", "an"):
        return None
    if joined(subject).lower() not in one.asked:
        return None
    noun: Words = subject[1:at]
    said = joined((read.clause.predicate(), *read.tail))
    steps = [f"The {joined(noun)} in question is one {joined(subject[at:])}.", f"Such {_a(noun)} {said}."]
    return steps, f"that {one.inside}"


def _a(noun: Words) -> str:
    return f"{'an' if noun[0][:1].lower() in 'aeiou' else 'a'} {joined(noun)}"
