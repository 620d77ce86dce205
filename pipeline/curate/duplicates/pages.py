"""The kept entries by position, packed together in pages: in memory as they stand on the disk."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from pipeline.curate.duplicates.comparing import Known
from pipeline.curate.duplicates.entry import Entry
from pipeline.curate.duplicates.store import Store

_REMEMBERED = 1 << 20
"""Positions whose pages stay in memory: some 150 MB."""
_ENDS = struct.Struct("<4I")
_MISSING, _KEPT, _DROPPED = 0, 1, 2


class Pages:
    """Entries by position. So many positions make a page, and some pages a batch."""

    def __init__(self, store: Store, positions: int) -> None:
        self._store, self._positions = store, positions
        self._pages: dict[int, bytes] = {}
        """By their first position, the one read or written first before all others."""

    def put(self, first: int, end: int, kept: Mapping[int, Known]) -> None:
        """What is kept of the positions from `first`, where a page begins, to before `end`. Raises CannotWrite."""
        for start in range(first, end, self._positions):
            some = map(kept.get, range(start, start + self._positions))
            page = _packed([known.entry if known else None for known in some])
            self._store.put_blob("page", start, page)
            self._remember(start, page)

    def entries(self, places: Iterable[int]) -> Iterator[tuple[int, Entry]]:
        """Those kept at these positions of pages that were put. Raises TryAgainLater if the file proves damaged."""
        for place in places:
            start = place - place % self._positions
            page = self._pages.get(start) or self._read(start)
            entry = _unpacked(page, place - start, self._positions)
            if entry is not None:
                yield place, entry

    def _read(self, start: int) -> bytes:
        page = self._store.blob("page", start)
        self._remember(start, page)
        return page

    def _remember(self, start: int, page: bytes) -> None:
        self._pages[start] = page
        if len(self._pages) * self._positions > _REMEMBERED:
            del self._pages[next(iter(self._pages))]


def _packed(entries: Sequence[Entry | None]) -> bytes:
    """A mark for each position, then where each text of its entry begins and the last one ends, then the texts."""
    marks = bytes(_MISSING if one is None else _DROPPED if one.dropped else _KEPT for one in entries)
    texts = [
        text.encode("utf-8", "surrogatepass")
        for one in entries
        for text in ((one.id, one.question, one.fact) if one else ("", "", ""))
    ]
    head = len(marks) + 4 * (len(texts) + 1)
    begins = struct.pack(f"<{len(texts) + 1}I", *accumulate(map(len, texts), initial=head))
    return b"".join((marks, begins, *texts))


def _unpacked(page: bytes, number: int, positions: int) -> Entry | None:
    mark = page[number]
    if mark == _MISSING:
        return None
    name, question, fact, end = _ENDS.unpack_from(page, positions + 12 * number)
    return Entry(
        page[name:question].decode("utf-8", "surrogatepass"),
        page[question:fact].decode("utf-8", "surrogatepass"),
        page[fact:end].decode("utf-8", "surrogatepass"),
        mark == _DROPPED,
    )
