"""Which earlier questions are worth comparing: those that share a rare word, less those whose words differ too much.

Two sets of words whose Jaccard is at least t share at least ceil(t·n) of the n words of either. So of any
n - ceil(t·n) + 1 words of a question, one stands in every question that similar to it: it is enough to look under the
rarest (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE 2006; Bayardo, Ma and Srikant, WWW 2007). What is found
there is sieved by bits: each word sets one, so the bits in which two questions differ are at most the words in
which they do (bitmap filtering: Sandes, Teodoro and Melo, Information Systems 2020). Neither loses a pair; only
the cap on candidates a word does, and that words far beyond it are passed over where a question has two rarer ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.curate.duplicates.hashing import TEXT, Hashed
from pipeline.curate.duplicates.runs import HIGH, LOW, Keys, Positions, Values

Sizes = NDArray[np.uint16]
Pairs = tuple[Positions, Positions]

_FINE = 4
_ALWAYS = 4
_COUNTERS = 22
_MOST_COMMON = (1 << 20) - 1
_OWNER = np.uint64(52)
_FAR_BEYOND = 2
"""Times the cap. Of so common a word the latest few are looked at, in which a similar one stands by luck."""


class Sieve:
    """Bits and sizes of all questions by position: what is needed to see that two cannot be similar."""

    def __init__(self, similar: float) -> None:
        self._similar = similar
        self._coarse: Values = np.zeros(1024, np.uint64)
        """64 bits a question, of which each word sets one. Most pairs fall at these."""
        self._fine: Values = np.zeros((1024, _FINE), np.uint64)
        """As many times 64, of which each word sets one."""
        self._sizes: Sizes = np.zeros(1024, np.uint16)

    def reserve(self, end: int) -> None:
        """Room for all positions before `end`; those never put have no words."""
        if end > len(self._sizes):
            room = max(end, 2 * len(self._sizes)) - len(self._sizes)
            self._coarse = np.concatenate([self._coarse, np.zeros(room, np.uint64)])
            self._fine = np.concatenate([self._fine, np.zeros((room, _FINE), np.uint64)])
            self._sizes = np.concatenate([self._sizes, np.zeros(room, np.uint16)])

    def put(self, places: Positions, told: Hashed) -> None:
        """What stands at these positions."""
        filled = told.sizes > 0
        some = places[filled]
        if len(some):
            begins = (np.cumsum(told.sizes) - told.sizes)[filled]
            each = np.uint64(1) << (told.keys & np.uint32(63)).astype(np.uint64)
            self._coarse[some] = np.bitwise_or.reduceat(each, begins)
            bits = np.zeros((len(told.keys), _FINE), np.uint64)
            bits[np.arange(len(each)), told.keys >> np.uint32(6) & np.uint32(_FINE - 1)] = each
            self._fine[some] = np.bitwise_or.reduceat(bits, begins)
            self._sizes[some] = np.minimum(told.sizes[filled], 65535)

    def to_bytes(self, first: int, end: int) -> bytes:
        """Of the positions from one to before another, as they stand on the disk."""
        return b"".join(part[first:end].tobytes() for part in (self._coarse, self._fine, self._sizes))

    def put_bytes(self, first: int, content: bytes) -> None:
        """What `to_bytes` gave, from a position on."""
        count = len(content) // (8 + 8 * _FINE + 2)
        end = first + count
        self.reserve(end)
        self._coarse[first:end] = np.frombuffer(content, np.uint64, count)
        self._fine[first:end] = np.frombuffer(content, np.uint64, _FINE * count, 8 * count).reshape(count, _FINE)
        self._sizes[first:end] = np.frombuffer(content, np.uint16, count, 8 * (1 + _FINE) * count)

    def likely(self, places: Positions, found: Iterable[Pairs], most: int) -> Pairs:
        """For each of the places up to `most` earlier positions, of those found, whose words may differ little enough.

        Which of the places, and the position, the likeliest first and of equally likely ones the earlier. So few
        differing words as come of one exchanged word, or of one exchanged character where no blanks are
        written, are always little enough.
        """
        mine = self._coarse[places]
        # A similar one is not larger than by 1/t: with that size this is what `_likeliest` allows at most.
        furthest = self._sizes[places] * ((1 - self._similar) / self._similar) + 1e-4
        furthest = np.clip(furthest, _ALWAYS, 64).astype(np.uint8)
        near = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for which, others in found:
            differing = np.bitwise_count(mine.take(which) ^ self._coarse.take(others))
            able = np.flatnonzero(differing <= furthest.take(which))
            near.append((which[able], others[able]))
        which, others = (np.concatenate(parts) for parts in zip(*near, strict=True))
        earlier = others < places[which]
        return self._likeliest(places, which[earlier], others[earlier], most)

    def _likeliest(self, places: Positions, which: Positions, others: Positions, most: int) -> Pairs:
        pairs = np.unique(which << 32 | others)
        which, others = pairs >> 32, pairs & 0xFFFFFFFF
        ones = places[which]
        fine = self._fine.take(ones, axis=0) ^ self._fine.take(others, axis=0)
        differing = np.bitwise_count(fine).sum(axis=1, dtype=np.int64)
        sizes = self._sizes[ones].astype(np.int64) + self._sizes[others]
        allowed = sizes * ((1 - self._similar) / (1 + self._similar)) + 1e-4
        able = np.flatnonzero(differing <= np.maximum(_ALWAYS, allowed))
        which, others, share = which[able], others[able], differing[able] / sizes[able]
        order = np.lexsort((others, share, which))
        which, others = which[order], others[order]
        begins = np.flatnonzero(np.diff(which, prepend=-1))
        rank = np.arange(len(which)) - np.repeat(begins, np.diff(begins, append=len(which)))
        return which[rank < most], others[rank < most]


class Counts:
    """How many questions stand under each key, as far as 2^22 counters tell keys apart: too many at worst.

    Of words and texts apart, each with counters of their own.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(1 << _COUNTERS, np.int32)

    def add(self, keys: Keys) -> None:
        """One more for each of these, which come faster in ascending order."""
        np.add.at(self._counts, _counter(keys), np.int32(1))

    def of(self, keys: Keys) -> NDArray[np.int32]:
        """Of each key."""
        return self._counts.take(_counter(keys))


def _counter(keys: Keys) -> Keys:
    return (keys & ~TEXT) >> np.uint32(31 - _COUNTERS)


def rarest(told: Hashed, counts: NDArray[np.int32], similar: float, cap: int) -> tuple[Positions, Keys]:
    """Of each question as many of its rarest words as a similar one cannot do without: owner and key of each.

    `counts` of its words; at most 4,096 questions at a time. The third and later are left out where they are far more
    common than `cap`, the number of questions that are looked at under a word.
    """
    numbers = np.minimum(counts, _MOST_COMMON).astype(np.uint64)
    packed = told.owners.astype(np.uint64) << _OWNER | numbers << HIGH | told.keys
    packed.sort()
    owners = (packed >> _OWNER).astype(np.int64)
    rank = np.arange(len(owners)) - np.repeat(np.cumsum(told.sizes) - told.sizes, told.sizes)
    wanted = told.sizes - np.ceil(similar * told.sizes - 1e-9).astype(np.int64) + 1
    rare = (packed >> HIGH & np.uint64(_MOST_COMMON)) <= min(_FAR_BEYOND * cap, _MOST_COMMON)
    chosen = (rank < 2) | (rank < wanted[owners]) & rare
    return owners[chosen], (packed[chosen] & LOW).astype(np.uint32)
