"""Worked answers: whether they end in the closing form, and come to what their parent says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.curate.findings import Finding, Verdict
from pipeline.curate.numbers import computable, known_numbers
from pipeline.curate.telling import content, held, strange_in, turned_round
from pipeline.recipe import Checks
from pipeline.records import Draft, Record, normalised

if TYPE_CHECKING:
    from pipeline.curate import Material

CHECK = "reasoned"
_SHORT = 6
"""Words up to which a parent's answer is a result itself, to be met exactly."""
_DENYING = frozenset({"not", "no", "never", "without", "neither", "nor"})
_LEAST, _ENOUGH = 0.34, 0.6
_SURE_TURN = 0.7


def reasoned(material: Material, checks: Checks) -> Callable[[Sequence[Draft]], Iterable[Sequence[Finding]]]:
    """The check of worked answers beside their parents, made of what drafts are checked against."""

    def findings(draft: Draft) -> Sequence[Finding]:
        if not draft.answer.endswith(f"The answer is {draft.result}.") or not draft.result:
            return [_fault("no_closing", draft.answer[-40:], "It does not end with `The answer is ...`.", "rejected")]
        parent = material.parents.get(draft.parent)
        if parent is None:
            return [Finding(CHECK, "closes with its result")]
        passage = material.passages.get(draft.passage)
        known = [parent.question, parent.answer, parent.quote, parent.context, passage.text if passage else ""]
        return [_agrees(draft, parent, material.language), *_steps(draft, known, material.language)]

    return lambda drafts: map(findings, drafts)


def _fault(cause: str, measured: str, detail: str, verdict: Verdict = "doubtful") -> Finding:
    return Finding(CHECK, measured, verdict, cause, detail)


def _agrees(draft: Draft, parent: Record, language: str) -> Finding:
    expected = parent.result or parent.answer
    if normalised(draft.result) == normalised(expected):
        return Finding(CHECK, "the parent's answer")
    other = f"It comes to {draft.result!r}, and its parent to {expected!r}."
    numbers, wanted = known_numbers(draft.result, language), known_numbers(expected, language)
    if len(expected.split()) <= _SHORT:
        same = bool(wanted) and numbers == wanted
        return Finding(CHECK, "the parent's number") if same else _fault("other_result", expected, other, "rejected")
    if numbers and _stands_in(draft.result, expected):
        return Finding(CHECK, "a measure in the parent's words")
    strange = strange_in(draft.result, [expected, parent.question], language)
    turned = turned_round(draft.result, expected, language)
    if strange.numbers or (turned and turned.alike >= _SURE_TURN):
        return _fault("other_result", expected, other, "rejected")
    share = held(content(draft.result, language), f"{expected} {parent.question}", language)
    measured = f"{share:.0%} of its words are the parent's, at least {_ENOUGH:.0%}"
    if share >= _ENOUGH:
        return Finding(CHECK, measured)
    return _fault("other_result", measured, other, "rejected" if share < _LEAST else "doubtful")


def _stands_in(result: str, expected: str) -> bool:
    """Whether the result is a run of the expected answer's words that nothing before it denies. That the answer denies
    something else ("four euros and can be changed without tools") is then no matter."""
    found = re.search(rf"(?:^|(\S+) ){re.escape(normalised(result))}(?= |$)", normalised(expected))
    return found is not None and found[1] not in _DENYING


def _steps(draft: Draft, known: Sequence[str], language: str) -> list[Finding]:
    """A number in the steps that stands nowhere and comes from no two that do."""
    values = known_numbers("\n".join(known), language)
    strange = [number for number in strange_in(draft.answer, known, language).numbers if not number.spelled]
    wild = [number.written for number in strange if not computable(number.value, values)]
    return [_fault("number_in_steps", wild[0], f"A step says {wild[0]}, which comes from nowhere.")] if wild else []
