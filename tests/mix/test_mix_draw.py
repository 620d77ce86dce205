"""Which rows are taken: by lot, whatever order they come in, and in little room."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mix.draw import PILES, Draw, in_lot_order
from pipeline.mix.rows import Faulty, Ticket
from pipeline.mix.seen import Seen, key_of
from pipeline.records import lot


def tickets(count: int) -> list[Ticket]:
    return [Ticket(lot("s", str(n)), f"a.jsonl:{n}", f"Q {n}?", f"A {n}.") for n in range(count)]


def test_rows_come_out_by_lot_whatever_order_they_go_in(tmp_path):
    rows = tickets(5000)
    expected = sorted(rows)
    for seed in range(3):
        Random(seed).shuffle(rows)
        assert list(in_lot_order(lambda: rows, None, tmp_path, pytest.fail)) == expected


def test_of_a_number_the_lowest_lots_are_kept_and_the_others_given_up(tmp_path):
    rows = tickets(30_000)
    expected = sorted(rows)[:100]
    with Draw(tmp_path, 100) as draw:
        for row in rows:
            draw.add(row)
        kept = list(draw)
    assert kept[:100] == expected
    assert draw.below < PILES
    assert len(kept) < 200


def test_a_second_pass_brings_the_rest_where_too_many_were_rejected(tmp_path):
    rows, passes = tickets(5000), 0

    def read():
        nonlocal passes
        passes += 1
        yield Faulty("a.jsonl:x", "unreadable_row", "No.")
        yield from rows

    faulty: list[Faulty] = []
    assert list(in_lot_order(read, 10, tmp_path, faulty.append)) == sorted(rows)
    assert passes == 2
    assert len(faulty) == 1
    passes = 0
    few = in_lot_order(read, 10, tmp_path, faulty.append)
    assert [next(few) for _ in range(500)] == sorted(rows)[:500]
    assert passes == 1


@given(st.lists(st.integers(0, 2**64 - 1), max_size=60), st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_what_was_seen_is_known_and_nothing_else(added, others):
    seen = Seen()
    for key in added:
        seen.add(key)
    assert seen.has([*added, *others]) == [True] * len(added) + [key in added for key in others]


def test_many_keys_take_eight_bytes_each():
    seen = Seen()
    keys = np.random.default_rng(1).integers(0, 2**64, 200_000, np.uint64).tolist()
    for key in keys:
        seen.add(key)
    assert all(seen.has(keys[::100]))
    assert not any(seen.has([key ^ 1 for key in keys[::100]]))
    assert sum(run.nbytes for run in seen._runs) <= 8 * len(keys)
    assert len(seen._runs) < 10


def test_a_key_stands_for_all_its_texts():
    assert key_of("a", "b") != key_of("a b") != key_of("b", "a")
