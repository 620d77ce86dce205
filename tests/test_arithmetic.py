"""Equations are solved exactly, and nothing that stands in one is ever run."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arithmetic import Contradiction, NotUnderstood, plain, solve, value


def solved(*equations: str) -> dict[str, str]:
    return {name: plain(number) for name, number in solve(equations).items()}


def test_the_sit_ups_of_three_come_to_ten():
    found = solved("first = 20", "second = 2 * first", "third = (first + second) / 2", "answer = third - first")
    assert found["answer"] == "10"


def test_two_rates_over_a_share_of_an_hour_come_to_275():
    assert solved("answer = (50+60)·(50·3/60)")["answer"] == "275"
    assert solved("rate = 50 + 60", "hours = 50 * 3 / 60", "answer = rate * hours")["answer"] == "275"


def test_two_unknowns_in_two_equations_come_to_887_and_1113():
    assert solved("7x+10y=17339", "x+y=2000") == {"x": "887", "y": "1113"}


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=4), st.data())
def test_a_system_made_from_its_solution_is_solved_to_it(numbers, data):
    names = "wxyz"[: len(numbers)]
    rows = [[data.draw(st.integers(-9, 9)) for _ in names] for _ in names]
    for number, row in enumerate(rows):
        row[number] = 40 + number  # so that no row follows from the others
    equations = [
        " + ".join(f"({factor}){name}" for factor, name in zip(row, names, strict=True))
        + f" = {sum(factor * number for factor, number in zip(row, numbers, strict=True))}"
        for row in rows
    ]
    assert solve(equations) == dict(zip(names, map(Fraction, numbers), strict=True))


@given(st.fractions(-(10**9), 10**9, max_denominator=10**6))
def test_a_number_reads_back_as_it_was_written(number):
    assert value(plain(number), {}) == number


@pytest.mark.parametrize(
    ("expression", "number"),
    [("1,200 × 15%", "180"), ("3(4 + 1)", "15"), ("20 x 3", "60"), ("$7 − $2", "5"), ("-3 + 5", "2"),
     ("7 / 8", "0.875"), ("1/3", "1/3"), ("[2 + 3] · 2", "10"), ("(2)(3)", "6")],
)  # fmt: skip
def test_what_people_write_is_understood(expression, number):
    assert plain(value(expression, {})) == number


@pytest.mark.parametrize(
    "equation",
    ["__import__('os').system('true') = x", "x = open('/etc/passwd')", "x = 10 ** 9999999", "x = y * z",
     "x = 1 / 0", "x", "x = [i for i in (1, 2)]", "x = 'a'", "x = True", "x = " + "(" * 300, "x = 3 apples and 4",
     "x == 3", ""],
)  # fmt: skip
def test_what_is_no_linear_equation_is_refused_with_a_reason(equation):
    with pytest.raises(NotUnderstood) as refused:
        solve([equation])
    assert str(refused.value)


def test_equations_that_cannot_all_hold_are_called_so():
    for equations in (["a = 1", "a = 2"], ["x + y = 1", "2x + 2y = 3"]):
        with pytest.raises(Contradiction):
            solve(equations)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_does_more_than_be_refused(left, right):
    with suppress(NotUnderstood):
        solve([f"{left}={right}"])
