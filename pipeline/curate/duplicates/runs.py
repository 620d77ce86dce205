"""Under which key stands which position: sorted arrays, of which similar sizes are merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32]
Positions = NDArray[np.int64]
Values = NDArray[np.uint64]

LOW = np.uint64(0xFFFFFFFF)
HIGH = np.uint64(32)
_LARGEST_RUN = 1 << 24
"""Values; above it sorted runs are left side by side. 128 MiB: a row of SQLite holds no more than 1 GB."""


class Runs:
    """A set of (key, position) that grows at the end.

    Positions ascend from run to run. A value is the key above 32 bits of position.
    """

    def __init__(self, runs: Iterable[Values] = ()) -> None:
        self.runs = list(runs)

    def add(self, keys: Keys, positions: Positions) -> None:
        """Positions must not stand before those added earlier."""
        if not len(keys):
            return
        run = keys.astype(np.uint64) << HIGH | positions.astype(np.uint64)
        run.sort()
        while self.runs and len(self.runs[-1]) < 2 * len(run) and len(self.runs[-1]) + len(run) <= _LARGEST_RUN:
            run = np.concatenate([self.runs.pop(), run])
            run.sort(kind="stable")  # which merges what is sorted: a third of the time
        self.runs.append(run)

    def forget(self, position: int) -> None:
        """Everything at this position and after it."""
        for number, run in enumerate(self.runs):
            before = (run & LOW) < np.uint64(position)
            if not before.all():
                self.runs[number] = run[before]
        self.runs = [run for run in self.runs if len(run)]

    def find(self, keys: Keys, most: int) -> Iterator[tuple[Positions, Positions]]:
        """For each key the `most` latest positions under it: which of the keys, and the position, pair by pair.

        In several parts, for each pair may be one of many that are of no use.
        """
        unique, inverse = np.unique(keys, return_inverse=True)
        least = unique.astype(np.uint64) << HIGH
        room = np.full(len(unique), most, np.int64)
        for run in reversed(self.runs):
            begin, counts = _under(run, least, room)
            room -= counts
            counts = counts[inverse]
            total = int(counts.sum())
            if total:
                skipped = begin[inverse] - (np.cumsum(counts) - counts)
                found = run[np.arange(total) + np.repeat(skipped, counts)] & LOW
                yield np.repeat(np.arange(len(keys)), counts), found.view(np.int64)


def _under(run: Values, least: Values, room: Positions) -> tuple[Positions, Positions]:
    """Where in a run the latest values of each key begin, as many as there is room for, and how many they are."""
    begin, counts = np.zeros(len(least), np.int64), np.zeros(len(least), np.int64)
    wanted = np.flatnonzero(room)
    first = np.searchsorted(run, least[wanted])
    there = first < len(run)
    there[there] = run[first[there]] >> HIGH == least[wanted[there]] >> HIGH
    wanted, first = wanted[there], first[there]
    end = np.searchsorted(run, least[wanted] | LOW, side="right")
    begin[wanted] = np.maximum(first, end - room[wanted])
    counts[wanted] = end - begin[wanted]
    return begin, counts
