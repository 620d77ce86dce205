"""The ledger's account of batches: what was sent together, and which requests wait in it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.crash import passing
from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.request import Request

TOO_LARGE = "too_large"
"""Outcome of a batch with more in it than the account may have under way."""
REMEMBERED_SECONDS = 7 * 86_400.0
"""So long an endpoint is believed that refused a batch as too large: limits change, and so does what fills them."""


@dataclass(frozen=True)
class Job:
    """One batch that is awaited."""

    id: int
    name: str
    """Ours, in the job's metadata."""
    server: str
    speech: str
    size: int
    made: float
    job: str | None = None
    """The endpoint's id of it; None if this process or another died before it was heard."""
    file: str | None = None
    """The endpoint's id of what was uploaded for it."""
    asked: float | None = None
    """When the endpoint was asked to create it; None if it never was."""


@dataclass(frozen=True)
class Ended:
    """What became of a batch. Requests that are neither answered nor in `lost` cost nothing."""

    outcome: str
    detail: str = ""
    failures: Sequence[Failure] = ()
    lost: Sequence[str] = ()
    """Keys of requests without a reply that may have been billed: they stay charged."""


class Jobs:
    """The batches of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(self, server: str, speech: str, requests: Sequence[Request], worst: Sequence[Cost]) -> Job:
        """Write down what is about to be sent, and reserve its worst case, before the endpoint hears of it."""
        name, made = f"coursework-{secrets.token_hex(12)}", self._ledger.now()
        with self._ledger.transaction() as db:
            row = db.execute(
                "INSERT INTO batches (name, server, speech, size, made) VALUES (?, ?, ?, ?, ?)",
                (name, server, speech, len(requests), made),
            ).lastrowid
        # A process that dies here leaves a batch without requests, which ends as one that was never sent.
        assert row is not None
        passing("batch-named")
        self._ledger.enlist(requests, worst, batch=row)
        return Job(row, name, server, speech, len(requests), made)

    def asking(self, job: Job, file: str) -> Job:
        """Write down that the endpoint is about to be asked for the batch of a file: from now on it may exist."""
        now = self._ledger.now()
        with self._ledger.transaction() as db:
            db.execute("UPDATE batches SET file = ?, asked = ? WHERE id = ?", (file, now, job.id))
        passing("batch-asked")
        return replace(job, file=file, asked=now)

    def created(self, job: Job, known_as: str) -> None:
        """The endpoint's id of a job is known."""
        with self._ledger.transaction() as db:
            db.execute("UPDATE batches SET job = ? WHERE id = ?", (known_as, job.id))
        passing("batch-known")

    def awaited(self) -> list[Job]:
        """Batches that were not collected yet, the oldest first."""
        with self._ledger.reading() as db:
            rows = db.execute(
                "SELECT id, name, server, speech, size, made, job, file, asked FROM batches"
                " WHERE ended IS NULL ORDER BY id"
            ).fetchall()
        return [Job(*row) for row in rows]

    def requests(self, job: Job) -> dict[str, Cost]:
        """Key to worst case of every request that waits in a batch."""
        with self._ledger.reading() as db:
            rows = db.execute(
                "SELECT key, tokens, usd FROM reservations JOIN requests USING (place) WHERE batch = ? AND NOT lost",
                (job.id,),
            ).fetchall()
        return {bytes(key).hex(): Cost(tokens, usd) for key, tokens, usd in rows}

    def waiting(self) -> int:
        """How many requests wait in batches."""
        with self._ledger.reading() as db:
            found = db.execute("SELECT count(*) FROM reservations WHERE batch IS NOT NULL AND NOT lost").fetchone()
        return int(found[0])

    def holds(self, request: Request) -> bool:
        """Whether a request waits in a batch, or one that asks the same in other words: an edited prompt waits for
        what the old one brings, as it would if that had come."""
        with self._ledger.reading() as db:
            found = db.execute(
                "SELECT 1 FROM reservations JOIN requests USING (place) WHERE batch IS NOT NULL AND NOT lost"
                " AND place IN (SELECT place FROM requests WHERE key = :key UNION"
                "               SELECT place FROM requests WHERE kind = :kind AND subject = :subject)",
                {
                    "key": bytes.fromhex(request.key),
                    "kind": request.kind,
                    "subject": request.subject,
                },
            ).fetchone()
        return found is not None

    def failed_often(self, times: int, but_for: Sequence[str]) -> set[str]:
        """Keys of requests that failed at least so many times, online or in batches; some causes do not count."""
        with self._ledger.reading() as db:
            rows = db.execute(
                "SELECT key FROM failures JOIN requests USING (place)"
                f" WHERE cause NOT IN ({', '.join('?' * len(but_for))}) GROUP BY place HAVING count(*) >= ?",
                (*but_for, times),
            ).fetchall()
        return {bytes(row[0]).hex() for row in rows}

    def room(self, server: str) -> int | None:
        """How many requests may be under way at a server: half of what it refused of late as too many. None: any."""
        with self._ledger.reading() as db:
            refused = db.execute(
                "SELECT min(size) FROM batches WHERE server = ? AND outcome = ? AND made > ?",
                (server, TOO_LARGE, self._ledger.now() - REMEMBERED_SECONDS),
            ).fetchone()[0]
        return None if refused is None else max(1, refused // 2)

    def end(self, job: Job, ended: Ended) -> None:
        """Close a batch: note what failed, keep charged what may have been billed, give back the rest."""
        now = self._ledger.now()
        with self._ledger.transaction() as db:
            db.executemany(
                "INSERT INTO failures (place, cause, detail, at) SELECT place, ?, ?, ? FROM requests WHERE key = ?",
                [(one.cause, one.detail[:1000], now, bytes.fromhex(one.key)) for one in ended.failures],
            )
            db.executemany(
                "UPDATE reservations SET lost = 1"
                " WHERE batch = ? AND place = (SELECT place FROM requests WHERE key = ?)",
                [(job.id, bytes.fromhex(key)) for key in ended.lost],
            )
            db.execute("DELETE FROM reservations WHERE batch = ? AND NOT lost", (job.id,))
            db.execute(
                "UPDATE batches SET ended = ?, outcome = ?, detail = ? WHERE id = ?",
                (now, ended.outcome, ended.detail, job.id),
            )
        passing("batch-closed")
