"""The way from a received reply to the disk: group commits off the event loop."""

from __future__ import annotations

import asyncio

from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.request import Reply


class Journal:
    """Gathers what is to be written while the last commit is being flushed, and writes it in one.

    A flush to the disk takes milliseconds, so one per reply would set the pace; and a reply that waits
    for company longer than a flush takes could be lost without need.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._wanted = asyncio.Event()
        self._closing = False
        self._fault: BaseException | None = None
        self._begin_batch()
        self._writing = asyncio.create_task(self._write_for_ever())

    def _begin_batch(self) -> None:
        self._replies: list[tuple[Reply, Cost]] = []
        self._failures: list[Failure] = []
        self._releases: list[str] = []
        self._written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def kept(self, reply: Reply, cost: Cost) -> None:
        """Returns when the reply is on the disk. Raises CannotWrite."""
        if self._fault is not None:
            raise self._fault
        self._replies.append((reply, cost))
        self._wanted.set()
        await asyncio.shield(self._written)

    def failed(self, failure: Failure) -> None:
        """Note a failed try with the next commit."""
        self._failures.append(failure)
        self._wanted.set()

    def release(self, key: str) -> None:
        """Give back a reservation with the next commit."""
        self._releases.append(key)
        self._wanted.set()

    async def close(self) -> None:
        """Write what is left. Raises CannotWrite if anything could not be written."""
        self._closing = True
        self._wanted.set()
        await self._writing
        if self._fault is not None:
            raise self._fault

    async def _write_for_ever(self) -> None:
        while not (self._closing and not (self._replies or self._failures or self._releases)):
            await self._wanted.wait()
            self._wanted.clear()
            batch = self._replies, self._failures, self._releases
            written = self._written
            self._begin_batch()
            try:
                await asyncio.to_thread(self._write, *batch)
            except Exception as fault:  # noqa: BLE001 - whoever waits for the batch is told, and so is `close`
                self._fault = fault
                written.set_exception(fault)
                written.exception()  # read here, for perhaps nobody waits
                self._closing = True
            else:
                written.set_result(None)

    def _write(self, replies: list[tuple[Reply, Cost]], failures: list[Failure], releases: list[str]) -> None:
        if replies:
            self._ledger.commit(replies)
        if failures:
            self._ledger.note_failures(failures)
        if releases:
            self._ledger.release(releases)
