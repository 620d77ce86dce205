"""Where a set's rows come from tonight: its files, the hub, or what was drawn of it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pipeline.errors import TryAgainLater
from pipeline.mix.draw import Draw, enough_for, in_lot_order, pile_of
from pipeline.mix.hub import revision_of
from pipeline.mix.kept import Account, Kept, Shelf, way_of
from pipeline.mix.rows import Faulty, OpenSet, Part, Ticket
from pipeline.mix.settings import ImportedSet

_EXAMPLES = 20
"""Faulty rows of each cause that are kept."""


def open_set(name: str, wanted: ImportedSet, folder: Path, salt: str, shelf: Shelf) -> OpenSet:
    """The set, found and its layout told. One of the hub that was drawn before is opened without the hub, if that
    cannot be asked or has nothing newer. Raises InputError, and TryAgainLater of the hub."""
    kept = shelf.find(name, wanted, salt) if wanted.hub else None
    if kept is None:
        return OpenSet.of(name, wanted, folder, salt)
    account = kept.account
    part = Part(f"{wanted.hub}/{wanted.split}", None, account.layout)
    opened = OpenSet(name, wanted, (part,), account.revision, folder, salt)
    if kept.pinned:
        return opened
    try:
        revision = revision_of(wanted, folder)
        return opened if revision and revision == account.revision else OpenSet.of(name, wanted, folder, salt)
    except TryAgainLater as fault:
        return replace(opened, out_of_reach=str(fault))


class Supply(Protocol):
    """The rows of one set by lot; what is read of it is known once the first has come."""

    read: int
    """Rows that it has."""
    warnings: list[str]
    kept: Kept | None
    """Where they come from, if they do not come from files."""

    def tickets(self, wanted: int | None, faulty: Callable[[Faulty, int], None]) -> Iterator[Ticket]:
        """The rows, lowest lot first; `faulty` is told of those that are none, each with how many more there are of its
        cause that are not told. Raises InputError, TryAgainLater and CannotWrite."""
        ...


def supply_of(one: OpenSet, shelf: Shelf, folder: Path) -> Supply:
    """The supply of a set; what waits on disk waits in `folder`."""
    return _Hub(one, shelf, folder) if one.wanted.hub else _Files(one, folder)


class _Files:
    """Of files, read at every run."""

    kept: Kept | None = None

    def __init__(self, one: OpenSet, folder: Path) -> None:
        self._one, self._folder = one, folder
        self.read = 0
        self.warnings: list[str] = []

    def tickets(self, wanted: int | None, faulty: Callable[[Faulty, int], None]) -> Iterator[Ticket]:
        """See Supply."""
        passes = iter((self._counted, self._one.rows))
        rows = lambda: next(passes)()  # noqa: E731, PLW0108 - each call is another pass
        yield from in_lot_order(rows, wanted, self._folder, lambda row: faulty(row, 0))

    def _counted(self) -> Iterator[Ticket | Faulty]:
        for row in self._one.rows():
            self.read += 1
            yield row


class _Hub:
    """Of the hub: what is drawn is kept, and read again as long as the hub has nothing newer and it is enough."""

    def __init__(self, one: OpenSet, shelf: Shelf, folder: Path) -> None:
        self._one, self._shelf, self._folder = one, shelf, folder
        self.read = 0
        self.warnings: list[str] = []
        self.kept: Kept | None = None

    def tickets(self, wanted: int | None, faulty: Callable[[Faulty, int], None]) -> Iterator[Ticket]:
        """See Supply. If what was kept is used up, more is drawn; if the hub is away then, there is no more."""
        enough = enough_for(wanted)
        kept = self._first(wanted, enough)
        self.read = kept.account.read
        for row, more in _told(kept.account):
            faulty(row, more)
        since = 0
        while True:
            self.kept = kept
            yield from (ticket for ticket in kept.tickets() if pile_of(ticket) >= since)
            if kept.whole:
                return
            since = kept.account.covers
            enough = None if enough is None else 4 * max(enough, kept.account.rows)
            try:
                kept = self._draw(enough)
            except TryAgainLater as fault:
                self._warn(f"no more rows than were drawn of it can be had: {fault}")
                return

    def _first(self, wanted: int | None, enough: int | None) -> Kept:
        kept = self._shelf.find(self._one.name, self._one.wanted, self._one.salt)
        if kept is None:
            return self._draw(enough)
        if self._one.out_of_reach:
            self._stands_in(kept, self._one.out_of_reach)
            return kept
        same = bool(kept.account.revision) and kept.account.revision == self._one.revision
        if same and (kept.whole or (wanted is not None and kept.account.rows >= wanted)):
            return kept
        try:
            return self._draw(enough)
        except TryAgainLater as fault:
            self._stands_in(kept, str(fault))
            return kept

    def _stands_in(self, kept: Kept, fault: str) -> None:
        at = f" at {kept.account.revision[:12]}" if kept.account.revision else ""
        self._warn(f"what was drawn of it before{at} is used, {kept.account.rows} rows: {fault}")

    def _warn(self, said: str) -> None:
        self.warnings.append(f"mix: {self._one.name}: {said}")

    def _draw(self, enough: int | None) -> Kept:
        one, read, counts, examples = self._one, 0, Counter[str](), list[Faulty]()
        with Draw(self._folder, enough) as draw:
            for row in one.rows():
                read += 1
                if isinstance(row, Ticket):
                    draw.add(row)
                    continue
                counts[row.cause] += 1
                if counts[row.cause] <= _EXAMPLES:
                    examples.append(row)
            account = Account(
                hub=one.wanted.hub,
                asked=one.wanted.revision,
                revision=one.revision,
                way=way_of(one.wanted, one.salt),
                layout=one.parts[0].layout,
                covers=draw.below,
                rows=draw.kept,
                read=read,
                faulty=dict(counts),
                examples=tuple(examples),
            )
            return self._shelf.keep(one.name, account, draw)


def _told(account: Account) -> Iterator[tuple[Faulty, int]]:
    """Each example, the first of a cause with how many there are that are not among them."""
    shown = Counter(row.cause for row in account.examples)
    for row in account.examples:
        more = account.faulty[row.cause] - shown.pop(row.cause) if row.cause in shown else 0
        yield row, more
