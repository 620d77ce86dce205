"""Word problems, as the embedded teacher works them out: it solves the equations and fills in the outline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from pipeline.arithmetic import NotUnderstood, plain, solve
from pipeline.records import content_id
from pipeline.teacher.embedded.bank import most, read_bank, share

_NUMBERED = re.compile(r"^(\d+)\. ", re.MULTILINE)
_SLOT = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASKED = "answer"


def math_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A worked answer to each of the numbered problems."""
    methods = _by_number(slots.get("methods", ""))
    answers = [
        {"number": number, **_worked(methods[number])} for number in _by_number(slots["problems"]) if number in methods
    ]
    return {"answers": answers}


def math_problems(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Problems of a small bank with numbers of their own, another choice for each seed."""
    seed = slots["problem"]
    order = sorted(_bank(), key=lambda one: content_id(seed, one.problem))
    found = []
    for number in range(min(most(schema, "problems"), 3 * len(order))):
        template = order[number % len(order)]
        drawn = {
            slot: str(first + step * int(share(seed, slot, str(number)) * ((last - first) // step + 1)))
            for slot, (first, last, step) in template.values.items()
        }
        equations = [_filled(equation, drawn) for equation in template.equations]
        outline = [_filled(line, drawn) for line in template.outline]
        worked = _worked("\n".join(("; ".join(equations), *outline)))
        found.append({"problem": _filled(template.problem, drawn), "equations": equations, **worked})
    return {"problems": found}


class _Template(NamedTuple):
    problem: str
    values: dict[str, tuple[int, int, int]]
    """Slot to the first and last number it may hold, and the step between."""
    equations: list[str]
    outline: list[str]


@cache
def _bank() -> list[_Template]:
    return read_bank("math_problems.yaml", list[_Template])


def _by_number(text: str) -> dict[int, str]:
    parts = _NUMBERED.split(text)
    return {int(number): rest.strip() for number, rest in zip(parts[1::2], parts[2::2], strict=True)}


def _worked(method: str) -> dict[str, str]:
    first, *outline = method.splitlines()
    equations = [equation.strip() for equation in first.split(";")]
    try:
        solved = solve(equations)
    except NotUnderstood as fault:
        return {"answer": f"This cannot be worked out: {fault}.", "result": "none"}
    known = {name: plain(number) for name, number in solved.items()}
    lines = [_filled(line, known) for line in outline] or _plainly(equations, solved)
    if _ASKED in known:
        return {"answer": "\n".join((*lines, f"The answer is {known[_ASKED]}.")), "result": known[_ASKED]}
    told = [f"{name} = {number}" for name, number in known.items()]
    closing = f"The answer is {' and '.join(told)}."
    return {"answer": "\n".join((*lines, closing)), "result": ", ".join(told).replace(" = ", "=")}


def _plainly(equations: list[str], solved: Mapping[str, Fraction]) -> list[str]:
    """Each equation with the numbers put in for what is known by then."""
    lines = []
    for equation in equations:
        name, _, right = (part.strip() for part in equation.partition("="))
        put_in = _NAME.sub(lambda found: _known(found.group(), solved), right)
        if name in solved and put_in != right:
            lines.append(f"{name.replace('_', ' ').capitalize()}: {put_in.replace('*', '×')} = {plain(solved[name])}.")
    return lines


def _known(name: str, solved: Mapping[str, Fraction]) -> str:
    return plain(solved[name]) if name in solved else name


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: known.get(found.group(1), found.group()), text)
