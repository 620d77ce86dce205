"""Bradley-Terry strengths agree with computations of another kind, and say what they cannot know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.comparison.preferences import VIRTUAL, Verdict, standings, strengths


def test_of_two_the_odds_are_the_wins_over_the_losses() -> None:
    wins = np.array([[0.0, 9.0], [3.0, 0.0]])
    assert np.diff(strengths(wins))[0] == pytest.approx(-math.log(3), abs=1e-9)


@settings(max_examples=40)
@given(st.integers(2, 5), st.randoms(use_true_random=False))
def test_strengths_are_those_of_an_iteration_of_another_kind(size: int, dice) -> None:  # type: ignore[no-untyped-def]
    wins = np.array([[0.0 if i == j else dice.randint(1, 20) / 2 for j in range(size)] for i in range(size)])
    assert strengths(wins) == pytest.approx(by_zermelo(wins), abs=1e-6)


def test_no_other_strengths_are_likelier() -> None:
    wins = np.array([[0, 7, 2.5], [3, 0, 4], [6.5, 1, 0.0]])
    best = strengths(wins)
    dice = np.random.default_rng(0)
    for _ in range(200):
        assert likelihood(wins, best + dice.normal(0, 0.2, 3)) < likelihood(wins, best)


def test_whoever_never_lost_has_a_strength_and_it_is_said() -> None:
    wins = np.array([[0.0, 5.0], [0.0, 0.0]])
    damped = wins + VIRTUAL * (1 - np.eye(2))
    assert strengths(wins) == pytest.approx(by_zermelo(damped), abs=1e-6)
    table = standings(["a", "b"], [Verdict("a", "b", "a", str(number)) for number in range(5)])
    assert table.damped
    assert table.standings[0].name == "a"


def test_an_even_match_is_even_and_a_tie_is_half_a_win() -> None:
    verdicts = [Verdict("a", "b", better, str(number)) for number, better in enumerate(["a", "b", None, None])]
    table = standings(["a", "b"], verdicts)
    assert [round(one.elo) for one in table.standings] == [1000, 1000]
    assert [(one.won, one.tied, one.lost) for one in table.standings] == [(1, 2, 1), (1, 2, 1)]
    assert not table.damped


def test_three_wins_in_four_are_191_points_apart() -> None:
    """The odds of 3 to 1 that an Elo player expects 191 points higher."""
    verdicts = [Verdict("a", "b", "b" if number % 4 == 0 else "a", str(number)) for number in range(80)]
    first, second = standings(["a", "b"], verdicts).standings
    assert first.elo - second.elo == pytest.approx(400 * math.log10(3), abs=0.01)
    assert first.low < first.elo < first.high
    assert first.low > second.high


def test_questions_about_one_fact_are_drawn_together() -> None:
    """Ten wordings of one fact are no ten independent verdicts: the interval is as wide as for the facts alone."""
    alone = [Verdict("a", "b", "b" if number % 3 == 0 else "a", str(number)) for number in range(12)]
    tenfold = [verdict for verdict in alone for _ in range(10)]
    widths = []
    for verdicts in (alone, tenfold):
        first = standings(["a", "b"], verdicts).standings[0]
        widths.append(first.high - first.low)
    assert widths[1] > 0.7 * widths[0]


def test_without_a_verdict_all_are_equal() -> None:
    assert [one.elo for one in standings(["a", "b"], []).standings] == [1000, 1000]


def by_zermelo(wins):  # type: ignore[no-untyped-def]
    """Zermelo's iteration of 1929: each strength is its wins over the sum of what was expected of it."""
    played, skill = wins + wins.T, np.ones(len(wins))
    for _ in range(20_000):
        old = skill
        skill = wins.sum(axis=1) / (played / (skill[:, None] + skill[None, :])).sum(axis=1)
        skill = skill / np.exp(np.log(skill).mean())
        if np.abs(np.log(skill) - np.log(old)).max() < 1e-13:
            break
    return np.log(skill)


def likelihood(wins, strength) -> float:  # type: ignore[no-untyped-def]
    odds = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    return float((wins * np.log(odds)).sum())
