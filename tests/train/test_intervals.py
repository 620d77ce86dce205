"""How sure a number is, beside computations that go another way."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.examination import intervals


def test_a_rate_has_wilsons_interval() -> None:
    found = intervals.rate([True] * 95 + [False] * 5)
    assert (found.value, found.n) == (0.95, 100)
    assert (found.low, found.high) == (pytest.approx(0.8882, abs=1e-4), pytest.approx(0.9785, abs=1e-4))


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_a_rate_lies_within_its_interval(hits: list[bool]) -> None:
    found = intervals.rate(hits)
    assert found.low is not None and found.high is not None and found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_one_group_gives_no_interval() -> None:
    assert intervals.mean([0.0, 1.0], ["a", "a"]) == intervals.Measure(value=0.5, n=2)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_mean_has_the_same_interval_every_time(values: list[float]) -> None:
    found = intervals.mean(values)
    assert found == intervals.mean(values)
    assert found.low is not None and found.high is not None
    assert min(values) - 1e-4 <= found.low <= found.high <= max(values) + 1e-4


def test_where_nothing_was_asked_there_is_no_number() -> None:
    empty = intervals.Measure(value=None, n=0, low=None, high=None)
    assert intervals.rate([]) == empty
    assert intervals.mean([]) == empty


def test_an_interval_is_as_wide_as_its_groups_differ() -> None:
    """Ten documents of thirty like answers say as much as ten answers."""
    values = [float(place // 30 % 2) for place in range(300)]
    alone = intervals.mean(values)
    by_document = intervals.mean(values, [place // 30 for place in range(300)])
    ten = intervals.mean(values[::30])
    assert alone.value == by_document.value == ten.value == 0.5
    assert by_document.high - by_document.low == pytest.approx(ten.high - ten.low, abs=0.05)  # type: ignore[operator]
    assert by_document.high - by_document.low > 4 * (alone.high - alone.low)  # type: ignore[operator]


def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    dice = random.Random(1)
    covered = 0
    for _ in range(200):
        found = intervals.mean([dice.random() for _ in range(60)])
        covered += found.low <= 0.5 <= found.high  # type: ignore[operator]
    assert 180 <= covered <= 199


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_mcnemars_p_is_the_share_of_ways_that_are_as_lopsided(pairs: list[tuple[bool, bool]]) -> None:
    """By going through every way in which the questions that only one got right could have fallen."""
    found = intervals.paired([one for one, _ in pairs], [other for _, other in pairs])
    differing = [one for one, other in pairs if one != other]
    lopsided = abs(2 * sum(differing) - len(differing))
    ways = list(product((0, 1), repeat=len(differing)))
    p = sum(abs(2 * sum(way) - len(differing)) >= lopsided for way in ways) / len(ways)
    assert found.p == pytest.approx(p, rel=0.006)
    assert (found.n, found.only_first + found.only_second) == (len(pairs), len(differing))


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_choices_with_a_right_one(drawn: tuple[int, int, int]) -> None:
    samples, right, tries = drawn
    choices = list(combinations([True] * right + [False] * (samples - right), tries))
    assert intervals.pass_at(tries, samples, right) == pytest.approx(
        float(Fraction(sum(map(any, choices)), len(choices)))
    )


def test_four_right_of_twenty_pass_at_five_as_the_literature_says() -> None:
    assert intervals.pass_at(5, 20, 4) == pytest.approx(0.718, abs=5e-4)
