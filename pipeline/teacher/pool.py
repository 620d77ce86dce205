"""The pool: puts requests to the teacher, many at a time, and commits each reply as it came.

Steady workers take the next request as soon as one ends; there are no batches to wait for. A request
that failed waits its time aside and goes first when it comes back. A request counts as under way until
its reply is on the disk, so a kill loses no more replies than were under way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from random import Random
from time import monotonic

from pipeline.crash import passing
from pipeline.errors import CourseworkError, TeacherError
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Endpoint
from pipeline.teacher.faults import RequestRejected, TryFailed
from pipeline.teacher.journal import Journal
from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.pace import Patience, Rate, Silence, Window
from pipeline.teacher.prices import Price
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.stop import Stop

LONGEST_WAIT = 120.0
"""Seconds; a Retry-After beyond it is cut to it, for the next run can wait longer than a process should."""
ALIKE = 8
"""So many failures, or unreadable replies, of one cause and nothing good before them stop the run."""
FREE_OF_CHARGE = "http_"
"""Causes that begin so surely cost nothing; any other try may have been billed, so its reservation stays."""
_LOOK_EVERY = 0.2

Unreadable = Callable[[Reply], str | None]
"""Why a reply cannot be read, or None."""


@dataclass(frozen=True)
class Terms:
    """How the teacher is asked."""

    in_flight: int = 16
    tries: int = 5
    deadline_seconds: float = 600.0
    """For one try, at most; the usual durations shorten it."""
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    silence_seconds: float = 1200.0
    """Without any reply for so long, nothing more is asked."""


@dataclass(slots=True)
class _Job:
    """A request on its way."""

    number: int
    request: Request
    reserved: Cost
    tries: int = 0
    slow: int = 0
    begun: float = 0.0
    task: asyncio.Task[None] | None = None
    expired: bool = False
    """It took too long, and its task was cancelled for that."""


_AGAIN, _FRESH, _NO_MORE = range(3)
"""Ranks in the queue: a request that comes back goes before one that was never sent."""


class Pool:
    """Asks one endpoint for one ledger. One object serves one run."""

    def __init__(self, endpoint: Endpoint, ledger: Ledger, budget: Budget, price: Price, terms: Terms) -> None:
        self.endpoint = endpoint
        self._ledger = ledger
        self._budget = budget
        self._price = price
        self._terms = terms
        self._window = Window(terms.in_flight)
        self._patience = Patience(terms.deadline_seconds)
        self._requests_rate = Rate(terms.requests_per_minute)
        self._tokens_rate = Rate(terms.tokens_per_minute)
        self._dice = Random(0)
        self._numbers = count()
        self._causes: Counter[str] = Counter()
        self.good = 0
        """Readable replies received."""
        self.paid_usd = 0.0
        """What its replies cost, as far as prices are known."""
        self._hungry = asyncio.Event()
        self.stopping = Stop()
        """Why no further request is sent; empty while all is well."""

    def stop(self, why: Stop) -> None:
        """Send nothing more; what is under way comes home first."""
        self.stopping = self.stopping or why
        self._hungry.set()

    async def ask(
        self, requests: Iterable[Request], progress: Callable[[], None], unreadable: Unreadable = lambda reply: None
    ) -> None:
        """Put every request that was never answered; returns when each is answered or given up.

        Raises TeacherError as soon as the endpoint says that no request can succeed, or the first ones all
        fail alike; replies already received are committed before that.
        """
        self._jobs: asyncio.PriorityQueue[tuple[int, int, _Job | None]] = asyncio.PriorityQueue()
        self._set_aside: dict[int, tuple[_Job, asyncio.TimerHandle]] = {}
        self._under_way: dict[int, _Job] = {}
        self._silence = Silence(self._terms.silence_seconds)
        self._open = 0
        self._fed = False
        self._progress = progress
        self._unreadable = unreadable
        self._journal = Journal(self._ledger)
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(iter(requests)))
                for _ in range(self._terms.in_flight):
                    group.create_task(self._work())
        except* CourseworkError as faults:
            raise _first(faults) from None
        finally:
            watching.cancel()
            for job in self._never_sent():
                self._budget.give_back(job.reserved)
                self._journal.release(job.request.key)
            await self._journal.close()

    def _never_sent(self) -> Iterator[_Job]:
        while not self._jobs.empty():
            *_, job = self._jobs.get_nowait()
            if job is not None and job.tries == 0:
                yield job

    async def _feed(self, requests: Iterator[Request]) -> None:
        """Enlist and reserve a chunk at a time, so that memory does not grow with the number of requests."""
        size = max(16, self._terms.in_flight)
        while not self.stopping and (chunk := list(islice(requests, size))):
            await self._feed_chunk(self._ledger.unanswered(chunk))
            while self._jobs.qsize() > size // 2 and not self.stopping:
                self._hungry.clear()
                await self._hungry.wait()
        self._fed = True
        self._end_if_done()

    async def _feed_chunk(self, requests: list[Request]) -> None:
        """As far as the budget goes. Where it does not, what is under way may cost less than its worst case."""
        jobs: list[_Job] = []
        for request in requests:
            worst = self._price.worst(request)
            while not self._budget.allows(worst):
                await self._submit(jobs)
                jobs = []
                if self._open == 0:
                    self.stop(Stop(f"the budget of {self._budget.reached} is used up", "budget"))
                if self.stopping:
                    return
                self._hungry.clear()
                await self._hungry.wait()
            jobs.append(_Job(next(self._numbers), request, worst))
        await self._submit(jobs)

    async def _submit(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        asked = [job.request for job in jobs]
        await asyncio.to_thread(self._ledger.enlist, asked, [job.reserved for job in jobs])
        self._open += len(jobs)
        for job in jobs:
            self._jobs.put_nowait((_FRESH, job.number, job))

    def _end_if_done(self) -> None:
        if self._fed and self._open == 0:
            for number in range(self._terms.in_flight):
                self._jobs.put_nowait((_NO_MORE, number, None))

    async def _work(self) -> None:
        while True:
            *_, job = await self._jobs.get()
            if job is None:
                return
            self._hungry.set()
            if self.stopping:
                self._abandon(job)
            else:
                await self._serve(job)

    def _abandon(self, job: _Job) -> None:
        """Asked to stop before it was sent, or sent again."""
        if job.tries == 0:
            self._budget.give_back(job.reserved)
        self._journal.release(job.request.key)
        self._ended()

    def _ended(self) -> None:
        self._open -= 1
        self._hungry.set()
        self._progress()
        self._end_if_done()

    async def _serve(self, job: _Job) -> None:
        await self._requests_rate.admit()
        await self._tokens_rate.admit(job.reserved.tokens)
        await self._window.enter()
        if self.stopping:
            self._window.leave()
            self._abandon(job)
            return
        job.tries += 1
        try:
            reply = await self._send(job)
        except TryFailed as fault:
            self._window.leave()
            await self._failed(job, fault)
        except RequestRejected as fault:
            self._window.leave()
            self._budget.settle(job.reserved, Cost(0, 0.0))
            self._give_up(job, fault.cause, str(fault))
        except BaseException:
            self._window.leave()
            raise
        else:
            self._window.went_well()
            self._budget.settle(job.reserved, paid := self._price.paid(reply, job.reserved))
            self.paid_usd += paid.usd or 0.0
            passing("reply-received")
            await self._journal.kept(reply, paid)
            self._window.leave()
            self._judge(reply)
            self._ended()

    async def _send(self, job: _Job) -> Reply:
        job.begun, job.expired, job.task = monotonic(), False, asyncio.current_task()
        self._under_way[job.number] = job
        self._silence.asked()
        try:
            reply = await self.endpoint.send(job.request)
        except asyncio.CancelledError:
            if not job.expired or job.task is None or job.task.uncancel():
                raise
            job.slow += 1
            waited = monotonic() - job.begun
            raise TryFailed("too_slow", f"No whole reply within {waited:.0f} seconds.", 0.0) from None
        finally:
            self._under_way.pop(job.number, None)
        self._silence.broken(len(self._under_way))
        self._patience.took(monotonic() - job.begun)
        return reply

    async def _watch(self) -> None:
        """Ends tries that take too long. One look for all costs less than a timer each, and patience may change."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self.stopping:
                for job, timer in list(self._set_aside.values()):
                    timer.cancel()
                    self._come_back(job)
            now, silent = monotonic(), self._silence.over
            if silent:
                self.stop(silent)
            for job in list(self._under_way.values()):
                late = silent or now - job.begun > self._patience.seconds(job.slow)
                if not job.expired and late and job.task is not None:
                    job.expired = True
                    job.task.cancel()

    async def _failed(self, job: _Job, fault: TryFailed) -> None:
        if fault.cause == "http_429":
            self._window.was_hasty()
        self._journal.failed(Failure(job.request.key, fault.cause, str(fault)))
        self._count_failure(fault.cause, str(fault))
        if not fault.cause.startswith(FREE_OF_CHARGE) and not await self._reserve_again(job):
            self._give_up(job, "budget", f"No budget for another try after: {fault}")
        elif job.tries >= self._terms.tries or self.stopping:
            self._give_up(job, fault.cause, str(fault))
        else:
            timer = asyncio.get_running_loop().call_later(self._pause(job, fault), self._come_back, job)
            self._set_aside[job.number] = job, timer

    def _come_back(self, job: _Job) -> None:
        del self._set_aside[job.number]
        self._jobs.put_nowait((_AGAIN, job.number, job))

    def _pause(self, job: _Job, fault: TryFailed) -> float:
        """Seconds: what the endpoint asked for, with a little spread so that all do not come back at once; else a
        random time that doubles with each try."""
        if fault.retry_after is not None:
            return min(fault.retry_after, LONGEST_WAIT) + self._dice.uniform(0, 0.05)
        return self._dice.uniform(0.1, 0.5 * 2 ** min(job.tries, 6))

    async def _reserve_again(self, job: _Job) -> bool:
        """The try may have been billed: its reservation stays charged, and the next try needs its own."""
        await asyncio.to_thread(self._ledger.give_up_reservation, job.request.key)
        if job.tries >= self._terms.tries:
            return True
        if not self._budget.allows(job.reserved):
            return False
        await asyncio.to_thread(self._ledger.enlist, [job.request], [job.reserved])
        return True

    def _give_up(self, job: _Job, cause: str, detail: str) -> None:
        self._journal.release(job.request.key)
        if cause in (*RequestRejected.CAUSES, "budget"):
            self._journal.failed(Failure(job.request.key, cause, detail))
        if cause in RequestRejected.CAUSES:
            self._count_failure(cause, detail)
        self._ended()

    def _count_failure(self, cause: str, detail: str) -> None:
        self._causes[cause] += 1
        if not self.good and self._causes[cause] >= ALIKE and cause != "http_429":
            raise TeacherError(
                f"the first {ALIKE} answers failed alike ({cause}): {detail.rstrip('.')}.",
                remedy="Mend that, then run again.",
            )

    def _judge(self, reply: Reply) -> None:
        cause = None if self.good else self._unreadable(reply)
        if cause is None:
            self.good += 1
            return
        self._causes[cause] += 1
        if self._causes[cause] >= ALIKE:
            raise TeacherError(
                f"the first {ALIKE} replies cannot be read ({cause}); they are kept in the ledger.",
                remedy=f"Look at one with `coursework why {reply.key[:12]}`; another model or plainer prompt may help.",
            )


def _first(faults: BaseExceptionGroup[CourseworkError]) -> CourseworkError:
    fault = faults.exceptions[0]
    return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
