"""The index on disk: an SQLite file that may be deleted at any time, and is never believed without its checksums."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import xxhash

from pipeline.curate.duplicates.entry import Entry
from pipeline.curate.findings import Finding
from pipeline.errors import CannotWrite, TryAgainLater

_TABLES = """
create table header (text text not null);
create table batch (first integer primary key, content blob not null, checksum blob not null);
create table run (number integer primary key, content blob not null, checksum blob not null);
create table vectors (first integer primary key, content blob not null, checksum blob not null);
create table entry (position integer primary key, id blob, question blob, fact blob, dropped integer);
create table finding (position integer primary key, content text not null);
"""
_AT_ONCE = 500
"""Positions asked for in one statement."""


class Damaged(Exception):
    """What was read is not what was written, or was written by another version or on other terms."""


class Store:
    """Rows of the index by position. Nothing is on the disk before `commit`."""

    def __init__(self, path: Path | None, header: str) -> None:
        """In memory without a path. What is there on other terms, or cannot be read, is deleted. Raises CannotWrite."""
        self._path = path
        with self._blaming():
            self._rows = self._open(header)

    def _open(self, header: str) -> sqlite3.Connection:
        if self._path is None:
            return _made(sqlite3.connect(":memory:"), header)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(sqlite3.DatabaseError):
            rows = sqlite3.connect(self._path)
            with suppress(sqlite3.DatabaseError):
                if rows.execute("select text from header").fetchall() == [(header,)]:
                    return rows
            rows.close()
        self._remove()
        return _made(sqlite3.connect(self._path), header)

    def start_again(self, header: str) -> None:
        """Everything is forgotten."""
        with self._blaming():
            self._rows.close()
            self._remove()
            self._rows = _made(sqlite3.connect(self._path or ":memory:"), header)

    def _remove(self) -> None:
        if self._path is not None:
            for name in (self._path, self._path.with_name(self._path.name + "-journal")):
                name.unlink(missing_ok=True)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as fault:
            raise CannotWrite(
                f"{self._path}: {fault}.", remedy="Free space or mend permissions there; nothing was lost."
            ) from fault

    @contextmanager
    def believing(self) -> Iterator[None]:
        """Whatever proves damaged here was decided on before, so the run cannot go on: the next one begins anew."""
        try:
            yield
        except (sqlite3.DatabaseError, Damaged) as fault:
            self._rows.close()
            self._remove()
            raise TryAgainLater(
                f"{self._path}: the index of questions was damaged ({fault}) and has been removed.",
                remedy="Run the same command again: it is made anew.",
                cause="damaged_index",
            ) from fault

    def blobs(self, table: str, first: int = 0, end: int = 1 << 62) -> Iterator[tuple[int, bytes]]:
        """Rows of `batch`, `run` or `vectors` in order, from number `first` to before `end`. Raises Damaged."""
        asked = f"select * from {table} where rowid >= ? and rowid < ? order by 1"
        try:
            for number, content, checksum in self._rows.execute(asked, (first, end)):
                if xxhash.xxh3_128_digest(content) != checksum:
                    raise Damaged(f"{table} {number}")
                yield number, content
        except sqlite3.DatabaseError as fault:
            raise Damaged(str(fault)) from fault

    def put_blob(self, table: str, number: int, content: bytes) -> None:
        """A row of `batch`, `run` or `vectors`, with its checksum. Raises CannotWrite."""
        with self._blaming():
            self._rows.execute(
                f"insert or replace into {table} values (?, ?, ?)", (number, content, xxhash.xxh3_128_digest(content))
            )

    def drop_blobs(self, table: str, since: int) -> None:
        """Rows of `batch`, `run` or `vectors` from this number on."""
        with self._blaming():
            self._rows.execute(f"delete from {table} where rowid >= ?", (since,))

    def put(self, entries: Iterable[tuple[int, Entry]], findings: Iterable[tuple[int, Finding]]) -> None:
        """Entries and findings by position. Raises CannotWrite."""
        with self._blaming():
            self._rows.executemany(
                "insert into entry values (?, ?, ?, ?, ?)",
                ((place, _raw(one.id), _raw(one.question), _raw(one.fact), one.dropped) for place, one in entries),
            )
            self._rows.executemany(
                "insert into finding values (?, ?)", ((place, json.dumps(finding)) for place, finding in findings)
            )

    def entries(self, positions: Iterable[int]) -> Iterator[tuple[int, Entry]]:
        """The entries kept at these positions."""
        rest = iter(positions)
        with self.believing():
            while some := list(islice(rest, _AT_ONCE)):
                yield from self._entries(f"position in ({','.join(map(str, some))})")

    def entries_since(self, position: int) -> list[tuple[int, Entry]]:
        """All kept entries from a position on, in order."""
        with self.believing():
            return list(self._entries(f"position >= {position} order by position"))

    def _entries(self, where: str) -> Iterator[tuple[int, Entry]]:
        for place, name, question, fact, dropped in self._rows.execute(f"select * from entry where {where}"):
            yield place, Entry(_text(name), _text(question), _text(fact), bool(dropped))

    def findings(self, first: int, end: int) -> Iterator[tuple[int, Finding]]:
        """What was found, other than nothing, from position `first` to before `end`."""
        asked = "select * from finding where position >= ? and position < ?"
        with self.believing():
            for place, content in self._rows.execute(asked, (first, end)):
                yield place, Finding(*json.loads(content))

    def forget(self, position: int) -> None:
        """Entries and findings at this position and after it."""
        with self._blaming():
            for table in ("entry", "finding"):
                self._rows.execute(f"delete from {table} where position >= ?", (position,))

    def commit(self) -> None:
        """On the disk from here on. Raises CannotWrite."""
        with self._blaming():
            self._rows.commit()

    def close(self) -> None:
        """What was not committed is forgotten."""
        self._rows.close()


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _made(rows: sqlite3.Connection, header: str) -> sqlite3.Connection:
    rows.executescript(_TABLES)
    with rows:
        rows.execute("insert into header values (?)", (header,))
    return rows
