"""Which earlier questions are worth comparing: those that share a rare word, less those whose words differ too much.

Two sets of words whose Jaccard is at least t share at least ceil(t·n) of the n words of either. So of any
n - ceil(t·n) + 1 words of a question, one stands in every question that similar to it: it is enough to look under the
rarest (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE 2006; Bayardo, Ma and Srikant, WWW 2007). What is found
there is sieved by 128 bits a question: each word sets one bit, so the bits in which two differ are at most the words in
which they do (bitmap filtering: Sandes, Teodoro and Melo, Information Systems 2020). Neither loses a pair; only
the cap on candidates a word does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32]
Values = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(32)
_LARGEST_RUN = 1 << 24
"""Values; above it sorted runs are left side by side. 128 MiB: a row of SQLite holds no more than 1 GB."""
_ALWAYS = 4
_SLOTS = 1 << 22
_MOST_COMMON = (1 << 20) - 1


class Bags(NamedTuple):
    """The words of several questions, one after the other."""

    keys: Keys
    sizes: NDArray[np.int64]
    """Different words of each question."""

    @classmethod
    def of(cls, bags: Sequence[Sequence[int]]) -> Bags:
        """From the keys of each question's words."""
        sizes = np.fromiter(map(len, bags), np.int64, len(bags))
        return cls(np.fromiter(chain.from_iterable(bags), np.uint32, int(sizes.sum())), sizes)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Of each key, the question it belongs to."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def bitmaps(self) -> Values:
        """128 bits a question, one set by each word: (2, questions)."""
        bits = np.zeros((2, len(self.sizes)), np.uint64)
        filled = self.sizes > 0
        if filled.any():
            begins = (np.cumsum(self.sizes) - self.sizes)[filled]
            each = np.uint64(1) << (self.keys >> np.uint32(1) & np.uint32(63)).astype(np.uint64)
            for half in (0, 1):
                bits[half, filled] = np.bitwise_or.reduceat(np.where(self.keys & np.uint32(1) == half, each, 0), begins)
        return bits


class Runs:
    """A set of (key, position) that grows at the end: sorted runs, of which similar sizes are merged.

    Positions ascend from run to run. A value is the key above 32 bits of position.
    """

    def __init__(self, runs: Iterable[Values] = ()) -> None:
        self.runs = list(runs)

    def add(self, keys: Keys, positions: NDArray[np.int64]) -> None:
        """Positions must not stand before those added earlier."""
        if not len(keys):
            return
        self.runs.append(_sorted((keys.astype(np.uint64) << _HIGH) | positions.astype(np.uint64)))
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            if len(self.runs[-2]) + len(self.runs[-1]) > _LARGEST_RUN:
                break
            last = self.runs.pop()
            self.runs[-1] = _sorted(np.concatenate([self.runs[-1], last]))

    def forget(self, position: int) -> None:
        """Everything at this position and after it."""
        for number, run in enumerate(self.runs):
            before = (run & _LOW) < np.uint64(position)
            if not before.all():
                self.runs[number] = run[before]
        self.runs = [run for run in self.runs if len(run)]

    def find(self, keys: Keys, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each key the `most` latest positions under it: which of the keys, and the position, pair by pair."""
        unique, inverse = np.unique(keys, return_inverse=True)
        least = unique.astype(np.uint64) << _HIGH
        room = np.full(len(unique), most, np.int64)
        which, positions = [], []
        for run in reversed(self.runs):
            end = np.searchsorted(run, least | _LOW, side="right")
            begin = np.maximum(np.searchsorted(run, least), end - room)
            room -= end - begin
            counts = (end - begin)[inverse]
            total = int(counts.sum())
            if not total:
                continue
            skipped = begin[inverse] - (np.cumsum(counts) - counts)
            which.append(np.repeat(np.arange(len(keys)), counts))
            positions.append((run[np.arange(total) + np.repeat(skipped, counts)] & _LOW).astype(np.int64))
        if not which:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(which), np.concatenate(positions)


def _sorted(values: Values) -> Values:
    values.sort()
    return values


class Sieve:
    """Bits and sizes of all questions by position: what is needed to see that two cannot be similar."""

    def __init__(self, similar: float) -> None:
        self._allowed = (1 - similar) / (1 + similar)
        self.bitmaps: Values = np.zeros((2, 1024), np.uint64)
        self.sizes: NDArray[np.uint16] = np.zeros(1024, np.uint16)

    def reserve(self, end: int) -> None:
        """Room for all positions before `end`; those never put have no words."""
        room = max(end, 2 * len(self.sizes)) - len(self.sizes)
        if end > len(self.sizes):
            self.bitmaps = np.concatenate([self.bitmaps, np.zeros((2, room), np.uint64)], axis=1)
            self.sizes = np.concatenate([self.sizes, np.zeros(room, np.uint16)])

    def put(self, places: NDArray[np.int64], bitmaps: Values, sizes: NDArray[np.int64] | NDArray[np.uint16]) -> None:
        """Bits and sizes of these positions."""
        self.bitmaps[:, places] = bitmaps
        self.sizes[places] = np.minimum(sizes, 65535)

    def likely(
        self, ones: NDArray[np.int64], others: NDArray[np.int64], most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs whose words may differ little enough: for each of `ones` the `most` likely others.

        So few differing words as come of one exchanged word, or of one exchanged character where no blanks are
        written, are always little enough. Of equally likely ones the earlier come first.
        """
        sizes = self.sizes[ones].astype(np.float32) + self.sizes[others]
        allowed = np.maximum(_ALWAYS, sizes * np.float32(self._allowed) + 1e-4)
        differing = np.zeros(len(ones), np.uint8)
        for half in self.bitmaps:  # most pairs fall at the first
            differing += np.bitwise_count(half[ones] ^ half[others])
            able = differing <= allowed
            ones, others, sizes = ones[able], others[able], sizes[able]
            allowed, differing = allowed[able], differing[able]
        pairs, once = np.unique((ones << 32) | others, return_index=True)
        ones, others, share = pairs >> 32, pairs & 0xFFFFFFFF, (differing / sizes)[once]
        order = np.lexsort((others, share, ones))
        ones, others = ones[order], others[order]
        begins = np.flatnonzero(np.diff(ones, prepend=-1))
        rank = np.arange(len(ones)) - np.repeat(begins, np.diff(begins, append=len(ones)))
        return ones[rank < most], others[rank < most]


class Rarity:
    """In how many questions each word stands, as far as 2^22 counters tell words apart: too high at worst."""

    def __init__(self) -> None:
        self._counts = np.zeros(_SLOTS, np.int64)

    def add(self, keys: Keys) -> None:
        """One more question for each of these."""
        np.add.at(self._counts, keys & np.uint32(_SLOTS - 1), 1)

    def rarest(self, bags: Bags, similar: float) -> tuple[NDArray[np.int64], Keys]:
        """Of each question as many of its rarest words as a similar one cannot do without: owner and key of each."""
        counts = np.minimum(self._counts[bags.keys & np.uint32(_SLOTS - 1)], _MOST_COMMON).astype(np.uint64)
        order = np.argsort(counts << _HIGH | bags.keys, kind="stable")
        order = order[np.argsort(bags.owners[order], kind="stable")]
        owners = bags.owners[order]
        rank = np.arange(len(owners)) - np.repeat(np.cumsum(bags.sizes) - bags.sizes, bags.sizes)
        wanted = bags.sizes - np.ceil(similar * bags.sizes - 1e-9).astype(np.int64) + 1
        chosen = rank < np.maximum(wanted, 2)[owners]
        return owners[chosen], bags.keys[order][chosen]
