"""The ledger: the SQLite file that keeps every request, reply, cost and failed try of one dataset.

A request is enlisted, with its worst case reserved, before it is sent, and keeps its place in that
order for ever; a reply is committed as it came before anyone parses it. One process holds the ledger
at a time, under a lock that dies with the process. WAL with `synchronous=FULL`: what `commit` returned
from survives a killed process and a power cut.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from pipeline.crash import passing
from pipeline.errors import CannotWrite, InputError
from pipeline.files import aside_of, blaming, sync_folder, unfinished
from pipeline.teacher.lock import take_lock
from pipeline.teacher.packing import packed, unpacked
from pipeline.teacher.request import Reply, Request

SCHEMA_VERSION = 3
_OF_THE_REVIEW = """
CREATE TABLE laid_records (      -- the same records as they were laid
    id INTEGER PRIMARY KEY,
    sheet TEXT NOT NULL,
    records BLOB NOT NULL        -- some hundred, packed together
);
CREATE INDEX laid_records_by_sheet ON laid_records (sheet);
CREATE TABLE fixes (             -- what a person asked the teacher to mend
    place INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    words TEXT NOT NULL,         -- what is wrong with it, as the person said
    question TEXT NOT NULL,      -- the record's text, with what the person had changed in it by then
    answer TEXT NOT NULL,
    quote TEXT NOT NULL,
    UNIQUE (record, words)
);
"""
_SCHEMA = f"""
CREATE TABLE shapes (            -- what many requests share: model, system prompt, reply schema, sampling
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL UNIQUE,
    sample BLOB NOT NULL         -- the first user message of the shape, against which all are packed
);
CREATE TABLE requests (
    place INTEGER PRIMARY KEY,   -- order in which requests were first planned; fixes the order of all that follows
    key BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,       -- what is asked about
    shape INTEGER NOT NULL REFERENCES shapes (id),
    user BLOB NOT NULL,          -- packed user message
    enlisted REAL NOT NULL       -- seconds since 1970, UTC
);
CREATE INDEX requests_by_subject ON requests (kind, subject);
CREATE TABLE replies (
    place INTEGER PRIMARY KEY REFERENCES requests (place),
    body BLOB NOT NULL,          -- packed reply, byte for byte as received
    model TEXT NOT NULL,         -- as the teacher named itself
    input_tokens INTEGER,        -- NULL where the teacher did not say: then the reservation stays charged
    output_tokens INTEGER,
    tokens INTEGER NOT NULL,     -- charged
    usd REAL,                    -- charged; NULL where no price is known
    received REAL NOT NULL       -- of a batch, when it was sent: the cost falls on the day it was reserved for
);
CREATE TABLE reservations (      -- sent, or about to be, and not settled
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES requests (place),
    tokens INTEGER NOT NULL,
    usd REAL,
    made REAL NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,  -- the try brought nothing, but may have been billed: charged for ever
    batch INTEGER REFERENCES batches (id)  -- it waits in this one, and outlives the process that sent it
);
CREATE INDEX reservations_by_place ON reservations (place);
CREATE TABLE batches (           -- requests sent together, whose replies a later run collects
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,   -- ours: stands in the job's metadata, so that a job whose id was never heard is found
    server TEXT NOT NULL,
    speech TEXT NOT NULL,        -- how its requests were put
    size INTEGER NOT NULL,       -- requests
    job TEXT,                    -- the endpoint's id of it; NULL until it is known
    made REAL NOT NULL,
    ended REAL,                  -- NULL while it is awaited
    outcome TEXT,
    detail TEXT,
    file TEXT,                   -- the endpoint's id of what was uploaded for it
    asked REAL                   -- when the endpoint was asked to create it; NULL: it never was
);
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES requests (place),
    cause TEXT NOT NULL,
    detail TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE endpoints (         -- what an endpoint was found to understand
    address TEXT PRIMARY KEY,
    speech TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE laid (              -- records laid before a person, so that a deleted line is known as deleted
    id TEXT PRIMARY KEY,
    sheet TEXT NOT NULL,
    line_hash TEXT NOT NULL      -- of the line as it was laid: what differs now was edited by hand
) WITHOUT ROWID;
{_OF_THE_REVIEW}"""
_MIGRATIONS = {
    1: "ALTER TABLE batches ADD COLUMN file TEXT; ALTER TABLE batches ADD COLUMN asked REAL;"
    "UPDATE batches SET asked = made WHERE job IS NULL;",  # perhaps it was; so it is looked for
    2: _OF_THE_REVIEW,
}
"""From a format to the next. They only add, so a reader may look at a ledger that was not migrated yet."""

Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True)
class Failure:
    """One try that brought no reply."""

    key: str
    cause: str
    detail: str


class Cost(NamedTuple):
    """What is charged: tokens, and US dollars where a price is known."""

    tokens: int
    usd: float | None


class Spent(NamedTuple):
    """What was charged in some span of time, open reservations included."""

    requests: int
    tokens: int
    usd: float
    unpriced: int


class Ledger:
    """The open ledger of one dataset. Use it as a context manager.

    Raises TryAgainLater if another process holds it, InputError if the file is no ledger of this
    version, CannotWrite if the folder cannot be written.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.path = folder / "ledger.sqlite"
        self._clock = clock or _now
        self._lock: IO[str] | None = take_lock(folder)
        self._one_at_a_time = threading.RLock()
        self._one_reads = threading.Lock()
        self._shapes: dict[str, tuple[int, bytes]] = {}
        try:
            self._db = _open(self.path)
            self._reader = _open_to_read(self.path)
            with self._transaction() as db:
                # Of a process that died: whether they were sent, and billed, nobody knows.
                db.execute("UPDATE reservations SET lost = 1 WHERE batch IS NULL")
        except BaseException:
            self._lock.close()
            raise
        passing("ledger-opened")

    @classmethod
    def look(cls, folder: Path) -> Ledger:
        """The ledger as it stands, to read only: takes no lock, creates nothing; empty if there is none yet."""
        ledger = cls.__new__(cls)
        ledger.path = folder / "ledger.sqlite"
        ledger._clock = _now
        ledger._lock = None
        ledger._one_at_a_time = threading.RLock()
        ledger._one_reads = threading.Lock()
        ledger._shapes = {}
        ledger._db = ledger._reader = _open_to_read(ledger.path)
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the lock."""
        with self._one_at_a_time, self._one_reads:
            self._reader.close()
            self._db.close()
        if self._lock is not None:
            self._lock.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._one_at_a_time, _telling_apart(self.path), self._db:
            yield self._db

    def _reading(self) -> _Reading:
        return _Reading(self)

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        """What a question in SQL brings, row by row, as it stood when the first row was read."""
        with self._reading() as db:
            cursor = db.execute(question)
        while True:
            with self._reading():
                row = cursor.fetchone()
            if row is None:
                return
            yield row

    def transaction(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """All or nothing of what is written within; for `batches` and `laid`, which keep accounts of their own here."""
        return self._transaction()

    def reading(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """What is committed; for `batches` and `laid`."""
        return self._reading()

    @property
    def folder(self) -> Path:
        """The dataset's."""
        return self.path.parent

    def now(self) -> float:
        """The ledger's clock: seconds since 1970."""
        return self._clock()

    def enlist(
        self, requests: Sequence[Request], worst: Sequence[Cost] | None = None, batch: int | None = None
    ) -> None:
        """Note what will be asked, in plan order, and charge its worst case, before anything is sent.

        Known requests keep their place. What is sent in a batch stays reserved when this process ends.
        """
        now = self._clock()
        with self._transaction() as db:
            rows = []
            for r in requests:
                shape, sample = self._shape(db, r)
                rows.append((bytes.fromhex(r.key), r.kind, r.subject, shape, packed(r.user, sample), now))
            db.executemany(
                "INSERT INTO requests (key, kind, subject, shape, user, enlisted) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                rows,
            )
            db.executemany(
                "INSERT INTO reservations (place, tokens, usd, made, batch)"
                " SELECT place, ?, ?, ?, ? FROM requests WHERE key = ?",
                [(cost.tokens, cost.usd, now, batch, row[0]) for row, cost in zip(rows, worst or (), strict=False)],
            )
        passing("requests-enlisted")

    def _shape(self, db: sqlite3.Connection, request: Request) -> tuple[int, bytes]:
        text = request.shape
        if text not in self._shapes:
            sample = request.user.encode("utf-8", "surrogatepass")
            db.execute("INSERT INTO shapes (body, sample) VALUES (?, ?) ON CONFLICT (body) DO NOTHING", (text, sample))
            self._shapes[text] = db.execute("SELECT id, sample FROM shapes WHERE body = ?", (text,)).fetchone()
        return self._shapes[text]

    def release(self, keys: Iterable[str]) -> None:
        """Give back what was reserved for requests that were never sent, or whose tries surely cost nothing."""
        with self._transaction() as db:
            db.executemany(
                "DELETE FROM reservations WHERE NOT lost AND place = (SELECT place FROM requests WHERE key = ?)",
                [(bytes.fromhex(key),) for key in keys],
            )
        passing("reservations-released")

    def give_up_reservation(self, key: str) -> None:
        """The try may have been billed: what was reserved for it stays charged."""
        with self._transaction() as db:
            db.execute(
                "UPDATE reservations SET lost = 1 WHERE place = (SELECT place FROM requests WHERE key = ?)",
                (bytes.fromhex(key),),
            )
        passing("reservation-given-up")

    def commit(self, replies: Iterable[tuple[Reply, Cost]], charged: float | None = None) -> None:
        """Keep replies and charge what they cost instead of what was reserved; on return they are on the disk.

        The first reply to a request stays. `charged` is the moment whose day the cost falls on, if not now.
        """
        now = self._clock() if charged is None else charged
        rows = [
            (
                packed(r.body),
                r.model,
                r.input_tokens,
                r.output_tokens,
                cost.tokens,
                cost.usd,
                now,
                bytes.fromhex(r.key),
            )
            for r, cost in replies
        ]
        passing("replies-to-commit")
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO replies SELECT place, ?, ?, ?, ?, ?, ?, ? FROM requests WHERE key = ?"
                " ON CONFLICT (place) DO NOTHING",
                rows,
            )
            passing("replies-half-committed")
            db.executemany(
                "DELETE FROM reservations WHERE NOT lost AND place = (SELECT place FROM requests WHERE key = ?)",
                [(row[-1],) for row in rows],
            )
        passing("replies-committed")

    def note_failures(self, failures: Iterable[Failure]) -> None:
        """Keep what went wrong with tries that brought no reply."""
        now = self._clock()
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO failures (place, cause, detail, at) SELECT place, ?, ?, ? FROM requests WHERE key = ?",
                [(f.cause, f.detail[:1000], now, bytes.fromhex(f.key)) for f in failures],
            )
        passing("failures-noted")

    def get(self, key: str) -> Reply | None:
        """The reply to a request, if it was ever bought."""
        with self._reading():
            row = self._reader.execute(
                "SELECT body, model, input_tokens, output_tokens FROM replies JOIN requests USING (place)"
                " WHERE key = ?",
                (bytes.fromhex(key),),
            ).fetchone()
            return Reply(key, unpacked(row[0]), row[1], row[2], row[3]) if row else None

    def has(self, key: str) -> bool:
        """Whether a request was ever answered."""
        with self._reading():
            found = self._reader.execute(
                "SELECT 1 FROM replies JOIN requests USING (place) WHERE key = ?", (bytes.fromhex(key),)
            ).fetchone()
        return found is not None

    def keys(self, beginning: str) -> list[str]:
        """Keys of the requests ever enlisted whose hex digits begin so, in plan order."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT key FROM requests WHERE lower(hex(key)) LIKE ? || '%' ORDER BY place", (beginning,)
            ).fetchall()
        return [bytes(key).hex() for (key,) in rows]

    def failures(self, key: str) -> list[Failure]:
        """The tries of a request that brought no reply, oldest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT cause, detail FROM failures JOIN requests USING (place) WHERE key = ? ORDER BY id",
                (bytes.fromhex(key),),
            ).fetchall()
        return [Failure(key, cause, detail) for cause, detail in rows]

    def unanswered(self, requests: Sequence[Request]) -> list[Request]:
        """Those of the requests that have no reply, in their order."""
        answered: set[bytes] = set()
        for start in range(0, len(requests), 500):
            keys = [bytes.fromhex(request.key) for request in requests[start : start + 500]]
            marks = ",".join("?" * len(keys))
            question = f"SELECT key FROM requests JOIN replies USING (place) WHERE key IN ({marks})"
            with self._reading() as db:
                answered.update(bytes(key) for (key,) in db.execute(question, keys))
        return [request for request in requests if bytes.fromhex(request.key) not in answered]

    def place(self, key: str) -> int:
        """A request's place in the order of first planning. Raises KeyError if it was never enlisted."""
        with self._reading():
            row = self._reader.execute("SELECT place FROM requests WHERE key = ?", (bytes.fromhex(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        return int(row[0])

    def replies(self) -> int:
        """How many replies are kept."""
        with self._reading():
            return int(self._reader.execute("SELECT count(*) FROM replies").fetchone()[0])

    def spent(self, since: float = 0.0) -> Spent:
        """What was charged from a moment on: replies, and reservations that were never settled."""
        question = """
            SELECT count(*), coalesce(sum(tokens), 0), coalesce(sum(usd), 0.0), coalesce(sum(usd IS NULL), 0) FROM (
                SELECT tokens, usd FROM replies WHERE received >= :since
                UNION ALL SELECT tokens, usd FROM reservations WHERE made >= :since)
        """
        with self._reading():
            return Spent(*self._reader.execute(question, {"since": since}).fetchone())

    def speech(self, address: str) -> str | None:
        """What an endpoint was found to understand."""
        with self._reading():
            found = self._reader.execute("SELECT speech FROM endpoints WHERE address = ?", (address,)).fetchone()
        return str(found[0]) if found else None

    def note_speech(self, address: str, speech: str) -> None:
        """Remember what an endpoint understands."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO endpoints VALUES (?, ?)", (address, speech))
        passing("speech-noted")

    def answered_before(self, kind: str, subject: str) -> str | None:
        """Key of the newest answered request of a kind about a subject, however it was worded then."""
        with self._reading():
            row = self._reader.execute(
                "SELECT key FROM requests JOIN replies USING (place) WHERE kind = ? AND subject = ?"
                " ORDER BY place DESC LIMIT 1",
                (kind, subject),
            ).fetchone()
        return bytes(row[0]).hex() if row else None

    def cost(self, key: str) -> Cost:
        """What the reply to a request was charged. Raises KeyError if there is none."""
        with self._reading():
            row = self._reader.execute(
                "SELECT tokens, usd FROM replies JOIN requests USING (place) WHERE key = ?", (bytes.fromhex(key),)
            ).fetchone()
        if row is None:
            raise KeyError(key)
        return Cost(*row)


class _Reading:
    """One reads at a time, and faults are told apart. A class, for every reply is read through it, often twice."""

    __slots__ = ("_ledger",)

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __enter__(self) -> sqlite3.Connection:
        self._ledger._one_reads.acquire()
        return self._ledger._reader

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger._one_reads.release()
        if error is not None:
            with _telling_apart(self._ledger.path):
                raise error


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _open(path: Path) -> sqlite3.Connection:
    with _telling_apart(path):
        if not path.exists():
            _make(path)
        db = sqlite3.connect(path, check_same_thread=False)
        try:
            if not _has_tables(db, path):
                _make_tables(db)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            _migrate(db)
        except BaseException:
            db.close()
            raise
    return db


def _make(path: Path) -> None:
    """The file appears whole: who only reads could not tidy up after a process that died while making it."""
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and journal.stat().st_size:
        raise InputError(
            f"{path} is gone and its journal {journal.name} is not; paid replies may be in it.",
            remedy="Put the ledger back, or move the journal to where the ledger went.",
        )
    with blaming(path):
        aside = aside_of(path)
        for left in unfinished(path.parent, path.name):
            left.unlink()
        db = sqlite3.connect(aside)
        try:
            _make_tables(db)
            db.execute("PRAGMA journal_mode = WAL")
        finally:
            db.close()
        passing("ledger-made-aside")
        aside.replace(path)
        passing("ledger-created")
        sync_folder(path.parent)


def _make_tables(db: sqlite3.Connection) -> None:
    db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _migrate(db: sqlite3.Connection) -> None:
    """Bring a ledger of an older version to this one's format, each step whole or not at all."""
    while (version := db.execute("PRAGMA user_version").fetchone()[0]) != SCHEMA_VERSION:
        db.executescript(f"BEGIN; {_MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;")


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Of a file that is not there, or is empty, an empty one in memory."""
    if path.exists():
        with _telling_apart(path):
            db = _connected_to_read(path)
            if _has_tables(db, path):
                return db
            db.close()
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(_SCHEMA)
    return db


def _connected_to_read(path: Path) -> sqlite3.Connection:
    """SQLite reads beside a writer only if it may write a little file there itself. Where nobody may write, nobody
    does, and the file alone is the whole of it once the journal is empty."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    journal = path.with_name(f"{path.name}-wal")
    if not os.access(path.parent, os.W_OK) and not (journal.exists() and journal.stat().st_size):
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


def _has_tables(db: sqlite3.Connection, path: Path) -> bool:
    """False of an empty file. Raises InputError if the file is somebody else's, or of another version."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION or version in _MIGRATIONS:
        return True
    if version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    db.close()
    if version == 0:
        raise InputError(f"{path} is no ledger: another program made it.", remedy=_MOVE_ASIDE)
    raise InputError(
        f"{path} was written by another version of coursework (ledger format {version}, this one reads"
        f" {SCHEMA_VERSION}).",
        remedy="Run the version that wrote it; nothing was changed.",
    )


_MOVE_ASIDE = "Move it and its -wal file, if there is one, elsewhere; a new ledger starts empty and pays again."
_OF_THE_MACHINE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""SQLite's codes for faults of the machine."""


@contextlib.contextmanager
def _telling_apart(path: Path) -> Iterator[None]:
    """Tells a fault of the machine from one of the file. What SQLite says of our own doing is passed on as it is."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.DatabaseError, ValueError) as fault:
        if getattr(fault, "sqlite_errorcode", 0) & 0xFF in _OF_THE_MACHINE:
            raise CannotWrite(
                f"{path}: {fault}. What was committed before is whole.",
                remedy="Free space or mend permissions there, then run again.",
            ) from fault
        raise InputError(f"{path} is no ledger, or is damaged: {fault}.", remedy=_MOVE_ASIDE) from fault
