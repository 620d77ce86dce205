"""Measures of answers, and the intervals around them."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.examination import metrics

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


words = st.lists(st.sampled_from("a b c d".split()), max_size=9)


def longest_shared_by_hand(one: list[str], other: list[str]) -> int:
    """Every choice of words of the one, the longest first, until one stands in the other in this order."""
    for size in range(min(len(one), len(other)), 0, -1):
        for chosen in combinations(one, size):
            rest = iter(other)
            if all(word in rest for word in chosen):
                return size
    return 0


@given(words, words)
def test_rouge_l_is_f1_over_the_longest_common_sequence(one: list[str], other: list[str]) -> None:
    score = metrics.rouge_l(" ".join(one), " ".join(other))
    shared = longest_shared_by_hand(one, other)
    precision, recall = shared / max(1, len(one)), shared / max(1, len(other))
    assert score == pytest.approx(2 * precision * recall / (precision + recall) if shared else 0)
    assert score <= metrics.token_f1(" ".join(one), " ".join(other)) + 1e-9


@given(words, words)
def test_f1_is_what_squads_own_formula_gives(one: list[str], other: list[str]) -> None:
    left = list(other)
    shared = sum(1 for word in one if word in left and (left.remove(word) or True))
    precision, recall = shared / max(1, len(one)), shared / max(1, len(other))
    expected = 2 * precision * recall / (precision + recall) if shared else 0
    assert metrics.token_f1(" ".join(one), " ".join(other)) == pytest.approx(expected)


@given(words)
def test_the_longest_repeat_is_the_longest_run_that_stands_twice(said: list[str]) -> None:
    starts = range(len(said))
    longest = max(
        (size for size in starts for one in starts for other in range(one)
         if one + size <= len(said) and said[one : one + size] == said[other : other + size]),
        default=0,
    )  # fmt: skip
    assert metrics.longest_repeat(" ".join(said)) == pytest.approx(longest / len(said) if said else 0)


def test_distinct_counts_over_all_answers() -> None:
    assert metrics.distinct(["a b", "a c"], 1) == (0.75, 4)
    assert metrics.distinct(["a b", "a b"], 2) == (0.5, 2)
    assert metrics.distinct(["a"], 2) == (0.0, 0)


@pytest.mark.parametrize(
    ("answer", "result", "right"),
    [
        ("So there are 3 + 7 = 10 apples.", "10", True),
        ("There are 10 apples, and 3 pears.", "10", False),
        ("It costs $1,250.50.", "1250.5", True),
        ("x is 887 and y is 1113", "x = 887, y = 1113", True),
        ("y is 1113 and x is 887", "x = 887, y = 1113", False),
        ("It is 3/4 of it.", "0.75", True),
        ("It is -5.", "5", False),
        ("about 0.333333333", "1/3", True),
        ("No number at all", "10", False),
        ("The answer is Tuesday.", "Tuesday", True),
        ("Tuesday is not the answer.", "Tuesday", False),
    ],
)
def test_a_worked_answer_is_checked_by_what_it_ends_in(answer: str, result: str, right: bool) -> None:
    assert metrics.comes_to(answer, result) is right
