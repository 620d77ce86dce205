"""The ledger: the SQLite file that keeps every request, reply, cost and failed try of one dataset.

Every question put to the teacher is enlisted before it is sent and keeps its place in that order for
ever; a reply is committed as it came before anyone parses it. One process holds the ledger at a time,
under a lock that dies with the process. WAL with `synchronous=FULL`: what `commit` returned from
survives a killed process and a power cut.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from pipeline.errors import CannotWrite, InputError, TryAgainLater
from pipeline.teacher.request import Reply, Request

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE requests (
    place INTEGER PRIMARY KEY,   -- order in which requests were first planned; fixes the order of all that follows
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    body BLOB NOT NULL,          -- zlib of the request body, JSON
    enlisted TEXT NOT NULL       -- UTC
);
CREATE TABLE replies (
    key TEXT PRIMARY KEY REFERENCES requests (key),
    body BLOB NOT NULL,          -- zlib of the reply, byte for byte as received
    model TEXT NOT NULL,         -- as the teacher named itself
    input_tokens INTEGER,        -- NULL where the teacher did not say
    output_tokens INTEGER,
    usd REAL,                    -- NULL where no price is known
    received TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL REFERENCES requests (key),
    cause TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE laid (              -- records laid before a person, so that a deleted line is known as deleted
    id TEXT PRIMARY KEY,
    sheet TEXT NOT NULL,
    line_hash TEXT NOT NULL      -- of the line as it was laid: what differs now was edited by hand
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Failure:
    """One try that brought no reply."""

    key: str
    cause: str
    detail: str


class Totals(NamedTuple):
    """What the ledger holds; `usd` counts replies with a known price only."""

    requests: int
    replies: int
    input_tokens: int
    output_tokens: int
    usd: float
    unpriced: int


class Ledger:
    """The open ledger of one dataset. Use it as a context manager.

    Raises TryAgainLater if another process holds it, InputError if the file is no ledger of this
    version, CannotWrite if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite"
        self._lock: IO[str] | None = _take_lock(folder)
        self._one_at_a_time = threading.Lock()
        try:
            self._db = _open(self.path)
        except BaseException:
            self._unlock()
            raise

    @classmethod
    def look(cls, folder: Path) -> Ledger:
        """The ledger as it stands, to read only: takes no lock, creates nothing; empty if there is none yet."""
        ledger = cls.__new__(cls)
        ledger.path = folder / "ledger.sqlite"
        ledger._lock = None
        ledger._one_at_a_time = threading.Lock()
        if ledger.path.exists():
            ledger._db = sqlite3.connect(
                f"{ledger.path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
        else:
            ledger._db = sqlite3.connect(":memory:", check_same_thread=False)
            ledger._db.executescript(_SCHEMA)
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the lock."""
        with self._one_at_a_time:
            self._db.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._one_at_a_time:
            try:
                with self._db:
                    yield self._db
            except sqlite3.OperationalError as fault:
                raise CannotWrite(
                    f"{self.path}: {fault}. What was committed before is whole.",
                    remedy="Free space or mend permissions there, then run again.",
                ) from fault

    def enlist(self, requests: Iterable[Request]) -> None:
        """Note what will be asked, in plan order, before anything is sent; known requests keep their place."""
        rows = [(r.key, r.kind, r.model, _packed(json.dumps(r.body(), ensure_ascii=False)), _now()) for r in requests]
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO requests (key, kind, model, body, enlisted) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                rows,
            )

    def commit(self, replies: Iterable[tuple[Reply, float | None]]) -> None:
        """Keep replies with their price in USD; on return they are on the disk. The first reply to a request stays."""
        rows = [(r.key, _packed(r.body), r.model, r.input_tokens, r.output_tokens, usd, _now()) for r, usd in replies]
        with self._transaction() as db:
            db.executemany("INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING", rows)

    def note_failures(self, failures: Iterable[Failure]) -> None:
        """Keep what went wrong with a request that got no reply."""
        rows = [(f.key, f.cause, f.detail, _now()) for f in failures]
        with self._transaction() as db:
            db.executemany("INSERT INTO failures (key, cause, detail, at) VALUES (?, ?, ?, ?)", rows)

    def get(self, key: str) -> Reply | None:
        """The reply to a request, if it was ever bought."""
        with self._one_at_a_time:
            row = self._db.execute(
                "SELECT body, model, input_tokens, output_tokens FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return Reply(key, _unpacked(row[0]), row[1], row[2], row[3]) if row else None

    def places(self) -> dict[str, int]:
        """Each enlisted request's place in the order of first planning."""
        with self._one_at_a_time:
            return dict(self._db.execute("SELECT key, place FROM requests"))

    def answered(self) -> set[str]:
        """Keys of the requests whose reply is here."""
        with self._one_at_a_time:
            return {key for (key,) in self._db.execute("SELECT key FROM replies")}

    def totals(self) -> Totals:
        """Counts, tokens and cost over the dataset's whole life."""
        with self._one_at_a_time:
            requests = self._db.execute("SELECT count(*) FROM requests").fetchone()[0]
            row = self._db.execute(
                "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),"
                " coalesce(sum(usd), 0.0), coalesce(sum(usd IS NULL), 0) FROM replies"
            ).fetchone()
        return Totals(requests, *row)

    def laid(self) -> dict[str, tuple[str, str]]:
        """Record id to (sheet, hash of its line as laid) of everything ever laid before a person."""
        with self._one_at_a_time:
            return {row[0]: (row[1], row[2]) for row in self._db.execute("SELECT id, sheet, line_hash FROM laid")}

    def note_laid(self, sheet: str, lines: Iterable[tuple[str, str]]) -> None:
        """Remember which records, with which line, a sheet was laid down with."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO laid VALUES (?, ?, ?)", [(record, sheet, line) for record, line in lines]
            )


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def _unpacked(blob: bytes) -> str:
    return zlib.decompress(blob).decode("utf-8", "surrogatepass")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, check_same_thread=False)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            db.close()
            raise InputError(
                f"{path} was written by another version of coursework (ledger format {version}, this one reads"
                f" {SCHEMA_VERSION}).",
                remedy="Run the version that wrote it; nothing was changed.",
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    except sqlite3.OperationalError as fault:
        raise CannotWrite(f"{path}: {fault}.", remedy="Free space or mend permissions there.") from fault
    except sqlite3.DatabaseError as fault:
        raise InputError(
            f"{path} is no ledger: {fault}.", remedy="Move the file aside; a new ledger starts empty and pays again."
        ) from fault
    return db


def _take_lock(folder: Path) -> IO[str]:
    path = folder / "ledger.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as fault:
        raise CannotWrite(
            f"{folder}: {fault.strerror}.", remedy="Mend permissions there, or name another folder with --out."
        ) from fault
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise TryAgainLater(f"{folder} is in use by {holder}.", remedy="It ends by itself; run again later.") from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()} since {_now()}")
    lock.flush()
    return lock
