"""The order in which rows are learned: every row once before any comes again, in batches of like length."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from itertools import islice

POOL = 24
"""Batches that are sorted together by length: 3 % of the sample's tokens are then padding, one batch at a time 34 %.
Sorting everything would put the same rows into the same batch again and again."""


def batches_of(lengths: Sequence[int], batch: int, steps: int, seed: int) -> list[list[int]]:
    """The rows of each optimiser step, by their place in `lengths`; a function of its arguments and of nothing else.

    The whole course of a training is laid down before it begins, so that one that goes on after a kill, or on two
    processes, takes the same rows in the same order.
    """
    dice = random.Random(seed)
    rows = list(islice(_shuffled_again_and_again(len(lengths), dice), steps * batch))
    found: list[list[int]] = []
    while len(found) < steps:
        start = len(found) * batch
        # Not beyond the batch in which all rows have come once more, else a row would meet itself.
        once_more = math.ceil((start // len(lengths) + 1) * len(lengths) / batch) - len(found)
        pool = sorted(rows[start : start + min(POOL, once_more) * batch], key=lengths.__getitem__)
        cut = [pool[at : at + batch] for at in range(0, len(pool), batch)]
        dice.shuffle(cut)
        found += cut
    return found


def padding(lengths: Sequence[int], batches: Sequence[Sequence[int]]) -> float:
    """The share of a batch's tokens that only fill the shorter rows up, over all batches."""
    held = sum(max(lengths[row] for row in rows) * len(rows) for rows in batches)
    return 1 - sum(lengths[row] for rows in batches for row in rows) / held if held else 0.0


def _shuffled_again_and_again(rows: int, dice: random.Random) -> Iterator[int]:
    order = list(range(rows))
    while True:
        dice.shuffle(order)
        yield from order
