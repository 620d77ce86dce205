"""The way from a received reply to the disk: group commits, in a thread of their own where the disk is slow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.request import Reply


@dataclass
class _Batch:
    """What goes to the disk in one commit."""

    written: asyncio.Future[None]
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    """One for each reply: a waiter that is cancelled must not take the others with it."""
    replies: list[tuple[Reply, Cost]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    releases: list[str] = field(default_factory=list)


QUICK = 0.005
"""Seconds: a commit that takes less than this is made on the spot, for handing it to a thread costs as much."""
GATHER = 0.002
"""Seconds a reply waits for company before such a commit: a commit costs as much as handling several replies."""


class Journal:
    """Gathers what is to be written while the last commit is being flushed, and writes it in one.

    A flush to the disk takes longer than a reply takes to handle, so one per reply would set the pace. Nobody is
    promised anything before it is over: a reply that waits for company still counts as under way.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._handed: SimpleQueue[_Batch | None] = SimpleQueue()
        self._writing = False
        self._usual = 0.0
        """Seconds that commits take of late."""
        self._fault: BaseException | None = None
        self._batch = _Batch(self._loop.create_future())
        self._thread = Thread(target=self._write_for_ever, name="journal")
        self._thread.start()

    async def kept(self, reply: Reply, cost: Cost) -> None:
        """Returns when the reply is on the disk. Raises CannotWrite."""
        if self._fault is not None:
            raise self._fault
        waiting = self._loop.create_future()
        self._batch.replies.append((reply, cost))
        self._batch.waiting.append(waiting)
        self._hand_over()
        await waiting

    def failed(self, failure: Failure) -> None:
        """Note a failed try with the next commit."""
        self._batch.failures.append(failure)
        self._hand_over()

    def release(self, key: str) -> None:
        """Give back a reservation with the next commit."""
        self._batch.releases.append(key)
        self._hand_over()

    async def close(self) -> None:
        """Write what is left. Raises CannotWrite if anything could not be written."""
        try:
            while self._writing:
                await asyncio.wait([self._flushing])
        finally:  # also if this is let go: a thread left waiting would keep the process for ever
            self._handed.put(None)
            self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _hand_over(self) -> None:
        """Have the batch written, unless one is being written: then it grows until that is done."""
        if self._writing:
            return
        self._writing, self._flushing = True, self._batch.written
        if self._usual < QUICK:
            self._loop.call_later(GATHER, self._write_here)
        else:
            self._handed.put(self._taken())

    def _taken(self) -> _Batch:
        batch, self._batch = self._batch, _Batch(self._loop.create_future())
        return batch

    def _write_here(self) -> None:
        batch = self._taken()
        self._flushed(batch, self._written(batch))

    def _write_for_ever(self) -> None:
        while (batch := self._handed.get()) is not None:
            self._loop.call_soon_threadsafe(self._flushed, batch, self._written(batch))

    def _written(self, batch: _Batch) -> BaseException | None:
        """Write a batch; returns what went wrong."""
        begun = monotonic()
        try:
            self._write(batch)
        except Exception as fault:  # noqa: BLE001 - whoever waits for the batch is told, and so is `close`
            return fault
        self._usual += 0.2 * (monotonic() - begun - self._usual)
        return None

    def _flushed(self, batch: _Batch, fault: BaseException | None) -> None:
        self._writing = False
        self._fault = self._fault or fault
        batch.written.set_result(None)
        for waiting in batch.waiting:
            if not waiting.done() and fault is None:
                waiting.set_result(None)
            elif not waiting.done() and fault is not None:
                waiting.set_exception(fault)
        if self._batch.replies or self._batch.failures or self._batch.releases:
            self._hand_over()

    def _write(self, batch: _Batch) -> None:
        if batch.replies:
            self._ledger.commit(batch.replies)
        if batch.failures:
            self._ledger.note_failures(batch.failures)
        if batch.releases:
            self._ledger.release(batch.releases)
