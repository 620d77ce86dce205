"""Which items stand in more than a share of many texts, counted in one pass and in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

_BUCKETS_PER_SHARE = 10


class Frequent(Generic[Item]):
    """Counts in how many texts an item stands; the rare ones are let go on the way.

    An item in more than `share` of the texts is never let go, and its count falls short by a tenth of that share at
    most; up to ten texts to a share, counts are exact. What is held does not grow with the texts. Lossy counting:
    Manku and Motwani, VLDB 2002.
    """

    def __init__(self, share: float) -> None:
        self._width = max(1, round(_BUCKETS_PER_SHARE / share))
        self._since: dict[Item, int] = {}
        self.counts: Counter[Item] = Counter()
        self.texts = 0

    def add(self, items: Iterable[Item]) -> None:
        """One text's items; those that stand in it twice count once."""
        bucket = self.texts // self._width
        self.texts += 1
        for item in dict.fromkeys(items):
            self._since.setdefault(item, bucket)
            self.counts[item] += 1
        if self.texts % self._width == 0:
            for item in [item for item, count in self.counts.items() if count + self._since[item] <= bucket + 1]:
                del self.counts[item], self._since[item]

    def most_common(self, number: int) -> list[tuple[Item, int]]:
        """The most frequent items with their counts; of equally frequent ones, in the order of their first text."""
        return self.counts.most_common(number)
