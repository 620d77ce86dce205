"""Who is preferred to whom: Bradley-Terry strengths by maximum likelihood, with intervals, from verdicts on pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 1000
VIRTUAL = 0.5
"""Wins that are added each way where somebody never lost: the likelihood has no highest point then."""
ELO_MEAN, ELO_SCALE = 1000.0, 400 / math.log(10)


@dataclass(frozen=True)
class Verdict:
    """One pair that was decided: who was better, or nobody. `group` names what does not vary by itself: a fact."""

    one: str
    other: str
    better: str | None
    group: str


@dataclass(frozen=True)
class Standing:
    """One contestant's strength on Elo's scale, with a 95 % interval, and what it was made of."""

    name: str
    elo: float
    low: float
    high: float
    won: int
    tied: int
    lost: int


@dataclass(frozen=True)
class Table:
    """All contestants, the strongest first."""

    standings: tuple[Standing, ...]
    groups: int
    damped: bool
    """Whether wins were added because somebody never lost (or never won)."""


def standings(names: Sequence[str], verdicts: Sequence[Verdict], seed: int = 0) -> Table:
    """The table of the contestants. A tie is half a win for both; intervals come from drawing whole groups again."""
    place = {name: number for number, name in enumerate(names)}
    groups = sorted({verdict.group for verdict in verdicts})
    wins = np.zeros((len(groups), len(names), len(names)))
    for verdict in verdicts:
        one, other, group = place[verdict.one], place[verdict.other], groups.index(verdict.group)
        share = 0.5 if verdict.better is None else float(verdict.better == verdict.one)
        wins[group, one, other] += share
        wins[group, other, one] += 1 - share
    total = wins.sum(axis=0)
    elo = _elo(strengths(total))
    low, high = _interval(wins, seed) if groups else (elo, elo)
    found = [_standing(name, verdicts, elo[at], low[at], high[at]) for name, at in place.items()]
    ranked = tuple(sorted(found, key=lambda one: (-one.elo, one.name)))
    return Table(ranked, len(groups), damped=not _connected(total))


def strengths(wins: Floats) -> Floats:
    """Log-strengths, of mean 0, under which the wins are likeliest: P(i beats j) = 1 / (1 + exp(s_j - s_i)).

    By Newton's method on a concave likelihood. Where that has no highest point, somebody having won or lost
    everything, half a win each way is added for every two that could meet.
    """
    size = len(wins)
    if not _connected(wins):
        wins = wins + VIRTUAL * (1 - np.eye(size))
    played = wins + wins.T
    strength = np.zeros(size)
    for _ in range(100):
        odds = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        slope = (wins - played * odds).sum(axis=1)
        bend = played * odds * (1 - odds)
        curve = np.diag(bend.sum(axis=1)) - bend + 1 / size  # the last term holds the mean where it is
        step = np.linalg.solve(curve, slope)
        strength = strength + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(strength - strength.mean(), dtype=np.float64)


def _connected(wins: Floats) -> bool:
    """Whether from every contestant a chain of wins leads to every other (Ford, 1957)."""
    reached = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins)):
        reached = (reached.astype(int) @ reached.astype(int)) > 0
    return bool(reached.all())


def _interval(wins: Floats, seed: int) -> tuple[Floats, Floats]:
    dice = np.random.default_rng(seed)
    drawn = [_elo(strengths(wins[dice.integers(0, len(wins), len(wins))].sum(axis=0))) for _ in range(RESAMPLES)]
    low, high = np.percentile(np.array(drawn), [2.5, 97.5], axis=0)
    return low, high


def _elo(strength: Floats) -> Floats:
    return ELO_MEAN + ELO_SCALE * strength


def _standing(name: str, verdicts: Sequence[Verdict], elo: float, low: float, high: float) -> Standing:
    mine = [verdict for verdict in verdicts if name in (verdict.one, verdict.other)]
    won = sum(verdict.better == name for verdict in mine)
    tied = sum(verdict.better is None for verdict in mine)
    return Standing(name, float(elo), float(low), float(high), won, tied, len(mine) - won - tied)
