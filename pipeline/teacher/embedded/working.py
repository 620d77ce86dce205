"""Worked answers by rule: what a sentence gives as its reason, its case or its comparison, taken apart into steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.teacher.embedded.document_sentences import joined, proper_nouns, uncapitalised, without_full_stop
from pipeline.teacher.embedded.document_statements import Statement, is_finite_lead, statement


def worked_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The steps to the `answer` of the `problem`, where a rule reads the answer; none where it does not."""
    answer = slots["answer"]
    proper = proper_nouns(f"{slots.get('passage', '')} {answer}")
    read = statement(answer, proper)
    if read is None:
        return {"workings": []}
    inside = joined(uncapitalised(tuple(without_full_stop(answer).split(" ")), proper))
    for rule in (_reason, _case, _comparison, _plain):
        found = rule(read, inside)
        if found:
            steps, result = found
            return {"workings": [{"steps": steps, "result": result}]}
    return {"workings": []}


_Worked = tuple[list[str], str] | None


def _reason(read: Statement, inside: str) -> _Worked:
    if not read.hangs_on("because") or read.lead or read.imperative:
        return None
    behind = joined(read.tail[1:])
    steps = [f"What is to be explained is that {read.clause.told()}.", f"What lies behind it is that {behind}."]
    return steps, f"that {inside}"


def _case(read: Statement, inside: str) -> _Worked:
    if not (read.imperative and is_finite_lead(read.lead)) or read.tail:
        return None
    action = joined(read.clause.rest)
    case = joined(read.lead[1:])
    return [f"The case in question is that {case}.", f"What helps in that case is to {action}."], f"to {action}"


def _comparison(read: Statement, inside: str) -> _Worked:
    rest = read.clause.rest
    if "than" not in rest or read.lead or read.tail or read.imperative:
        return None
    subject, other = joined(read.clause.subject), joined(rest[rest.index("than") + 1 :])
    steps = [f"Two things are weighed here: {subject} on one side, {other} on the other."]
    return [*steps, f"As it is, {inside}."], f"that {inside}"


def _plain(read: Statement, inside: str) -> _Worked:
    if read.imperative or read.lead:
        return None
    subject = joined(read.clause.subject)
    return [f"The question turns on {subject}.", f"What is known is that {inside}."], f"that {inside}"
