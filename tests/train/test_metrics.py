"""Measures of answers, and the intervals around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train import metrics

REFUSAL = "I'm sorry, I can only talk about work."


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("It is red.", "it is  red", True),
        ("“It is red”", "It is red!", True),
        ("It is 1.5 m", "It is 15 m", False),
        ("It is -5", "It is 5", False),
        ("It is red", "It is red and blue", False),
        ("", "It is red", False),
    ],
)
def test_exact_forgives_case_spacing_and_outer_punctuation_only(answer: str, expected: str, same: bool) -> None:
    assert metrics.is_exact(answer, expected) is same


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = metrics.normalised(text)
    assert metrics.normalised(once) == once


def test_f1_weighs_missing_and_surplus_words() -> None:
    assert metrics.token_f1("the cat sat", "The cat sat.") == 1
    assert metrics.token_f1("the cat", "the cat sat down") == pytest.approx(2 / 3)
    assert metrics.token_f1("the the the", "the cat") == pytest.approx(0.4)
    assert metrics.token_f1("", "the cat") == 0


@given(st.text(alphabet="ab c", max_size=20), st.text(alphabet="ab c", max_size=20))
def test_f1_is_symmetrical_and_a_share(one: str, other: str) -> None:
    score = metrics.token_f1(one, other)
    assert 0 <= score <= 1
    assert score == metrics.token_f1(other, one)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (REFUSAL, "full"),
        ("i'm sorry, I can only talk about work", "full"),
        (f"{REFUSAL} {REFUSAL}", "partial"),
        (f"Listening is good. {REFUSAL}", "partial"),
        ("I'm sorry, I can only talk about workshops.", "no"),
        ("Listening is good.", "no"),
        ("", "no"),
    ],
)
def test_a_refusal_is_told_from_a_refusal_with_other_text(answer: str, how: str) -> None:
    assert metrics.refusing(answer, [REFUSAL]) == how


def test_without_refusal_sentences_nothing_is_a_refusal() -> None:
    assert metrics.refusing("", []) == "no"
    assert metrics.refusing(REFUSAL, []) == "no"


def test_repetition_is_the_share_of_runs_said_before() -> None:
    assert metrics.repetition("a b c d") == 0
    assert metrics.repetition("a b c") == 0
    assert metrics.repetition("a a a a a a a a") == pytest.approx(0.8)
    assert metrics.repetition("one two three four five one two three four") == pytest.approx(1 / 6)


def test_a_rate_has_wilsons_interval() -> None:
    found = metrics.rate([True] * 95 + [False] * 5)
    assert (found.value, found.n) == (0.95, 100)
    assert (found.low, found.high) == (pytest.approx(0.8882, abs=1e-4), pytest.approx(0.9785, abs=1e-4))


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_a_rate_lies_within_its_interval(hits: list[bool]) -> None:
    found = metrics.rate(hits)
    assert found.low is not None and found.high is not None and found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_mean_has_the_same_interval_every_time(values: list[float]) -> None:
    found = metrics.mean(values)
    assert found == metrics.mean(values)
    assert found.low is not None and found.high is not None
    assert min(values) - 1e-4 <= found.low <= found.high <= max(values) + 1e-4


def test_where_nothing_was_asked_there_is_no_number() -> None:
    empty = metrics.Measure(value=None, n=0, low=None, high=None)
    assert metrics.rate([]) == empty
    assert metrics.mean([]) == empty
