"""Equations solved exactly: what a worked answer comes to, computed by program and never taken on trust.

Linear equations in fractions, by Gaussian elimination. What is written in an equation is parsed by Python's own
grammar into a tree of which only numbers, names, + - * / and brackets are followed; nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

_LONGEST = 400
"""Characters of one equation; a longer one is no line of a word problem."""
_MOST = 40
"""Equations of one problem."""
_LARGEST = 10**40
"""Numbers beyond are a joke on the machine."""
_PLACES = 10
"""A decimal with so many or more is written as a fraction."""
_SIGNS = str.maketrans("×·⋅÷−–[]：，", "***/--()/,")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_UNIT = re.compile(r"[$€£¥]")
_IMPLICIT = re.compile(r"(?<![A-Za-z_\d.])(\d+(?:\.\d+)?)\s*(?=[A-Za-z_(])|(?<=\))\s*(?=[\w(])")
_TIMES = re.compile(r"(?<=[\d)])\s*[xX]\s*(?=[\d(])")

Linear = dict[str, Fraction]
"""Coefficient of each unknown; of the constant under the empty name."""


class NotUnderstood(ValueError):
    """An equation that this cannot follow; `str()` says why, for a person."""


class Contradiction(NotUnderstood):
    """The equations cannot all hold."""


def solve(equations: Sequence[str]) -> dict[str, Fraction]:
    """The value of every unknown that the equations settle.

    Raises NotUnderstood if one is no linear equation, or if they contradict each other.
    """
    if len(equations) > _MOST:
        raise NotUnderstood(f"{len(equations)} equations are more than a word problem has")
    rows = [row for equation in equations for row in _rows(equation)]
    return _eliminated(rows)


def value(expression: str, known: Mapping[str, Fraction]) -> Fraction:
    """What an expression comes to. Raises NotUnderstood if it holds an unknown, or is no arithmetic."""
    linear = _linear(_tree(expression), known)
    unknown = sorted(name for name, factor in linear.items() if name and factor)
    if unknown:
        raise NotUnderstood(f"{unknown[0]} is not known")
    return linear.get("", Fraction(0))


def plain(number: Fraction) -> str:
    """As a person writes it: a whole number or a finite decimal, else a fraction."""
    if number.denominator == 1:
        return str(number.numerator)
    places = next((count for count in range(1, _PLACES) if (number * 10**count).denominator == 1), None)
    if places is None:
        return f"{number.numerator}/{number.denominator}"
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _rows(equation: str) -> list[tuple[ast.expr, ast.expr]]:
    """Both sides of each equals sign: a = b = c is two equations."""
    sides = equation.split("=")
    if len(sides) < 2:
        raise NotUnderstood(f"{equation!r} has no equals sign")
    trees = [_tree(side) for side in sides]
    return list(pairwise(trees))


def _tree(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise NotUnderstood(f"{text[:40]!r}… is too long for one side of an equation")
    said = _UNIT.sub("", text.translate(_SIGNS)).strip()
    said = _GROUPED.sub(lambda found: found.group().replace(",", ""), said)
    said = _TIMES.sub("*", said)
    said = _PERCENT.sub(r"(\1/100)", said)
    said = _IMPLICIT.sub(lambda found: f"{found.group(1) or ''}*", said)
    try:
        return ast.parse(said, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotUnderstood(f"{text.strip()!r} is no arithmetic") from None


def _eliminated(rows: Sequence[tuple[ast.expr, ast.expr]]) -> dict[str, Fraction]:
    """Line by line while each settles something, for then products of two known ones are linear; the rest together."""
    known: dict[str, Fraction] = {}
    left = list(rows)
    while left:
        later = []
        before = len(known)
        for row in left:
            try:
                equation = _difference(*row, known)
            except NotUnderstood:
                later.append(row)
                continue
            if not _settle(equation, known):
                later.append(row)
        if len(known) == before and len(later) == len(left):
            break
        left = later
    return known | _gauss([_difference(*row, known) for row in left])


def _difference(one: ast.expr, other: ast.expr, known: Mapping[str, Fraction]) -> Linear:
    return _plus(_linear(one, known), _linear(other, known), Fraction(-1))


def _settle(equation: Linear, known: dict[str, Fraction]) -> bool:
    """An equation with one unknown or none is used up; raises NotUnderstood if it is not true."""
    names = [name for name, factor in equation.items() if name and factor]
    if len(names) > 1:
        return False
    constant = equation.get("", Fraction(0))
    if not names:
        if constant:
            raise Contradiction(f"one equation is off by {plain(abs(constant))}")
        return True
    known[names[0]] = -constant / equation[names[0]]
    return True


def _gauss(equations: list[Linear]) -> dict[str, Fraction]:
    """Gauss-Jordan elimination in fractions; unknowns that stay free are left out."""
    names = sorted({name for equation in equations for name, factor in equation.items() if name and factor})
    pivots: dict[str, Linear] = {}
    for name in names:
        pivot = next((one for one in equations if one.get(name)), None)
        if pivot is None:
            continue
        equations = [one for one in equations if one is not pivot]
        pivot = _scaled(pivot, 1 / pivot[name])
        equations = [_plus(one, pivot, -one.get(name, Fraction(0))) for one in equations]
        pivots = {other: _plus(one, pivot, -one.get(name, Fraction(0))) for other, one in pivots.items()}
        pivots[name] = pivot
    for one in equations:
        if one.get(""):
            raise Contradiction("the equations contradict each other")
    return {
        name: -one.get("", Fraction(0))
        for name, one in pivots.items()
        if not any(factor for other, factor in one.items() if other and other != name)
    }


def _linear(tree: ast.expr, known: Mapping[str, Fraction]) -> Linear:
    if isinstance(tree, ast.Constant):
        return {"": _number(tree)}
    if isinstance(tree, ast.Name):
        return {"": known[tree.id]} if tree.id in known else {tree.id: Fraction(1)}
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        return _scaled(_linear(tree.operand, known), Fraction(-1 if isinstance(tree.op, ast.USub) else 1))
    if isinstance(tree, ast.BinOp):
        return _combined(tree, _linear(tree.left, known), _linear(tree.right, known))
    raise NotUnderstood(f"{ast.unparse(tree)!r} is more than sums, differences, products and shares")


def _number(tree: ast.Constant) -> Fraction:
    if isinstance(tree.value, bool) or not isinstance(tree.value, int | float):
        raise NotUnderstood(f"{tree.value!r} is no number")
    number = Fraction(str(tree.value)) if tree.value == tree.value and abs(tree.value) < _LARGEST else None
    if number is None:
        raise NotUnderstood(f"{tree.value!r} is too large")
    return number


def _combined(tree: ast.BinOp, left: Linear, right: Linear) -> Linear:
    if isinstance(tree.op, ast.Add):
        return _plus(left, right, Fraction(1))
    if isinstance(tree.op, ast.Sub):
        return _plus(left, right, Fraction(-1))
    if isinstance(tree.op, ast.Mult):
        if _is_constant(left):
            return _scaled(right, left.get("", Fraction(0)))
        if _is_constant(right):
            return _scaled(left, right.get("", Fraction(0)))
    if isinstance(tree.op, ast.Div) and _is_constant(right):
        if not right.get(""):
            raise NotUnderstood("it divides by zero")
        return _scaled(left, 1 / right[""])
    raise NotUnderstood(f"{ast.unparse(tree)!r} is not linear in its unknowns")


def _is_constant(linear: Linear) -> bool:
    return not any(factor for name, factor in linear.items() if name)


def _scaled(linear: Linear, factor: Fraction) -> Linear:
    return {name: one * factor for name, one in linear.items()}


def _plus(one: Linear, other: Linear, factor: Fraction) -> Linear:
    """one + factor x other."""
    found = dict(one)
    for name, coefficient in other.items():
        found[name] = found.get(name, Fraction(0)) + factor * coefficient
    return found
