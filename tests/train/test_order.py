"""The order in which rows are learned."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from train.order import batches_of, padding


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 9), st.integers(1, 40), st.integers(0, 9))
def test_every_row_is_learned_before_any_is_learned_again(lengths, batch, steps, seed):
    batches = batches_of(lengths, batch, steps, seed)
    assert [len(rows) for rows in batches] == [batch] * steps
    seen = Counter({row: 0 for row in range(len(lengths))})
    seen.update(row for rows in batches for row in rows)
    assert max(seen.values()) - min(seen.values()) <= 1
    assert batches == batches_of(lengths, batch, steps, seed)


def test_rows_of_like_length_share_a_batch():
    dice = random.Random(1)
    lengths = [round(dice.triangular(25, 85, 35)) for _ in range(1937)]
    batches = batches_of(lengths, 16, 726, seed=0)
    assert padding(lengths, batches) < 0.05
    anyhow = [dice.sample(range(1937), 16) for _ in range(726)]
    assert padding(lengths, anyhow) > 0.25


def test_a_row_meets_others_each_time_it_comes():
    lengths = [25 + number % 40 for number in range(960)]
    batches = batches_of(lengths, 16, 360, seed=0)
    beside = [set(rows) - {7} for rows in batches if 7 in rows]
    assert len(beside) == 6
    assert len(set.union(*beside)) > 60


def test_another_seed_is_another_order():
    assert batches_of([3] * 50, 5, 10, seed=0) != batches_of([3] * 50, 5, 10, seed=1)
