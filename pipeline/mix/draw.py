"""Which rows are taken: those whose lot is lowest, in the order of their lots, whatever order they come in.

Rows wait on disk in piles, each for a span of lots, so that one pile at a time is sorted in memory. Where only a
number is wanted, the piles of the highest lots are given up as soon as the others hold enough, so what waits does not
grow with the set. That some rows will be rejected is allowed for; if it was not enough, the rest is drawn in a second
pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from pipeline.mix.rows import Faulty, Ticket
from pipeline.spool import Spool

PILES = 1024
"""Spans of lots; a row's pile is `pile_of` its lot."""
_HELD = 16 * 1024 * 1024
"""Characters of rows in memory before they go to their piles on disk."""


def in_lot_order(
    rows: Callable[[], Iterable[Ticket | Faulty]], wanted: int | None, folder: Path, faulty: Callable[[Faulty], None]
) -> Iterator[Ticket]:
    """The rows, lowest lot first; `faulty` is told of those that are none.

    All rows are gone through once, and once more only if of a `wanted` number too many are rejected by whoever takes
    them. Raises CannotWrite.
    """
    enough = enough_for(wanted)
    with ExitStack() as stack:
        draw = stack.enter_context(Draw(folder, enough))
        for row in rows():
            if isinstance(row, Faulty):
                faulty(row)
            else:
                draw.add(row)
        yield from draw
        if draw.below == PILES:
            return
    with Draw(folder, None, draw.below) as rest:
        for row in rows():
            if not isinstance(row, Faulty):
                rest.add(row)
        yield from rest


def enough_for(wanted: int | None) -> int | None:
    """How many rows wait where a number is wanted, for some will be rejected; None: all."""
    return None if wanted is None else 2 * wanted + 1000


def pile_of(row: Ticket) -> int:
    """The pile in which it waits."""
    return int(row.lot * PILES)


class Draw:
    """Rows by lot. Use it as a context manager."""

    def __init__(self, folder: Path, enough: int | None, since: int = 0) -> None:
        """Of the piles from number `since` on, as many as hold `enough` rows; all without it."""
        self._enough = enough
        self._since = since
        self.below = PILES
        """The first pile that was given up, and all after it."""
        self._counts: Counter[int] = Counter()
        self.kept = 0
        """Rows that wait."""
        self._held: dict[int, list[Ticket]] = {}
        self._size = 0
        self._blocks: dict[int, list[int]] = {}
        self._spool: Spool[Ticket] = Spool(folder, Ticket)

    def __enter__(self) -> Draw:
        self._spool.__enter__()
        return self

    def __exit__(self, *fault: object) -> None:
        self._spool.__exit__(None, None, None)

    def add(self, row: Ticket) -> None:
        """A row, unless its lot is too high to be wanted."""
        pile = pile_of(row)
        if not self._since <= pile < self.below:
            return
        self._held.setdefault(pile, []).append(row)
        self._size += len(row.question) + len(row.answer) + len(row.context) + sum(map(len, row.earlier)) + 100
        self._counts[pile] += 1
        self.kept += 1
        while self._enough is not None and self.kept - self._counts[self.below - 1] >= self._enough:
            self.below -= 1
            self.kept -= self._counts.pop(self.below, 0)
            self._held.pop(self.below, None)
            self._blocks.pop(self.below, None)
        if self._size > _HELD:
            self._put_down()

    def _put_down(self) -> None:
        for pile, rows in self._held.items():
            self._blocks.setdefault(pile, []).append(self._spool.blocks)
            self._spool.add(rows)
        self._held, self._size = {}, 0

    def __iter__(self) -> Iterator[Ticket]:
        """The rows that were kept, lowest lot first; of equal lots that whose place comes first."""
        for pile in range(self._since, self.below):
            rows = [*self._spool.read(self._blocks.get(pile, ())), *self._held.get(pile, ())]
            yield from sorted(rows, key=lambda row: (row.lot, row.place))
