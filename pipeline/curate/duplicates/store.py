"""The index on disk: an SQLite file that may be deleted at any time, and is never believed without its checksums."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, get_args

import xxhash

from pipeline.errors import CannotWrite, TryAgainLater

Table = Literal["digests", "sieve", "findings", "page", "vectors", "run"]
"""All alike: a number, content, its checksum. Few large rows, for a row costs more than what stands in it."""
_TABLES = "create table header (text text not null);" + "".join(
    f"create table {name} (number integer primary key, content blob not null, checksum blob not null);"
    for name in get_args(Table)
)


class Damaged(Exception):
    """What was read is not what was written, or was written by another version or on other terms."""


class Store:
    """Rows of the index by position. Nothing is on the disk before `commit`."""

    def __init__(self, path: Path | None, header: str) -> None:
        """In memory without a path. What is there on other terms, or cannot be read, is deleted. Raises CannotWrite."""
        self._path = path
        self.lasts = path is not None
        """Whether anybody can come back to it."""
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

    def blobs(self, table: Table, first: int = 0, end: int = 1 << 62) -> Iterator[tuple[int, bytes]]:
        """Rows in order, from number `first` to before `end`. Raises Damaged."""
        asked = f"select * from {table} where number >= ? and number < ? order by number"
        try:
            for number, content, checksum in self._rows.execute(asked, (first, end)):
                if xxhash.xxh3_128_digest(content) != checksum:
                    raise Damaged(f"{table} {number}")
                yield number, content
        except sqlite3.DatabaseError as fault:
            raise Damaged(str(fault)) from fault

    def blob(self, table: Table, number: int) -> bytes:
        """A row that must be there. Raises TryAgainLater if the file proves damaged."""
        with self.believing():
            for _, content in self.blobs(table, number, number + 1):
                return content
            raise Damaged(f"{table} {number} is missing")

    def put_blob(self, table: Table, number: int, content: bytes) -> None:
        """A row, with its checksum. Raises CannotWrite."""
        with self._blaming():
            self._rows.execute(
                f"insert or replace into {table} values (?, ?, ?)", (number, content, xxhash.xxh3_128_digest(content))
            )

    def drop_blobs(self, table: Table, since: int) -> None:
        """Rows from this number on. Raises CannotWrite."""
        with self._blaming():
            self._rows.execute(f"delete from {table} where number >= ?", (since,))

    def commit(self) -> None:
        """On the disk from here on. Raises CannotWrite."""
        with self._blaming():
            self._rows.commit()

    def close(self) -> None:
        """What was not committed is forgotten."""
        self._rows.close()


def _made(rows: sqlite3.Connection, header: str) -> sqlite3.Connection:
    rows.executescript(_TABLES)
    with rows:
        rows.execute("insert into header values (?)", (header,))
    return rows
