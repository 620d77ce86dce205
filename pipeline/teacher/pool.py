"""The pool: puts requests to the teacher, several at a time, and commits each reply as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipeline.errors import TeacherError
from pipeline.teacher.endpoint import Endpoint, RequestRejected, TryFailed
from pipeline.teacher.ledger import Failure, Ledger
from pipeline.teacher.request import Reply, Request

COMMIT_EVERY = 0.1
"""Seconds for which replies are gathered into one commit: the most that a kill can lose."""
LONGEST_WAIT = 120.0
"""Seconds; a Retry-After beyond it is cut to it, for the next run can wait longer than a process should."""

Price = Callable[[Reply], float | None]


@dataclass(frozen=True)
class Terms:
    """How the teacher is asked: requests under way at once, tries for each, seconds for one try."""

    in_flight: int
    tries: int
    deadline_seconds: float
    price: Price = field(default=lambda reply: None)


async def ask(
    requests: Iterable[Request], endpoint: Endpoint, ledger: Ledger, terms: Terms, progress: Callable[[], None]
) -> None:
    """Put every request to the endpoint and commit what comes back; failures are noted, never raised.

    `progress` is called once per request that ended. Raises TeacherError as soon as the endpoint says
    that no request can succeed; replies already received are committed before that.
    """
    work = iter(requests)
    replies: asyncio.Queue[Reply | None] = asyncio.Queue()

    async def worker() -> None:
        for request in work:
            try:
                replies.put_nowait(await _tried(request, endpoint, terms))
            except (TryFailed, RequestRejected) as fault:
                cause = fault.cause if isinstance(fault, TryFailed) else "request_rejected"
                ledger.note_failures([Failure(request.key, cause, str(fault))])
            progress()

    committing = asyncio.create_task(_commit_as_they_come(replies, ledger, terms.price))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(terms.in_flight):
                group.create_task(worker())
    except* TeacherError as hopeless:
        raise hopeless.exceptions[0] from None
    finally:
        replies.put_nowait(None)
        await committing


async def _tried(request: Request, endpoint: Endpoint, terms: Terms) -> Reply:
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(TryFailed), stop=stop_after_attempt(terms.tries), wait=_wait, reraise=True
    ):
        with attempt:
            try:
                async with asyncio.timeout(terms.deadline_seconds):
                    return await endpoint.send(request)
            except TimeoutError:
                raise TryFailed("too_slow", f"No whole reply within {terms.deadline_seconds:g} seconds.") from None
    raise AssertionError("tenacity ends with a reply or raises")


_backoff = wait_random_exponential(multiplier=0.5, max=30)


def _wait(state: RetryCallState) -> float:
    """As long as the endpoint asked for, else a random time that doubles with each try."""
    fault = state.outcome.exception() if state.outcome else None
    asked = fault.retry_after if isinstance(fault, TryFailed) else None
    return min(asked if asked is not None else _backoff(state), LONGEST_WAIT)


async def _commit_as_they_come(replies: asyncio.Queue[Reply | None], ledger: Ledger, price: Price) -> None:
    """Group commits: a disk flush takes milliseconds, so one per reply would set the pace."""
    ended = False
    while not ended:
        batch = [await replies.get()]
        if batch[0] is not None:
            await asyncio.sleep(COMMIT_EVERY)
        while not replies.empty():
            batch.append(replies.get_nowait())
        ended = None in batch
        received = [(reply, price(reply)) for reply in batch if reply is not None]
        if received:
            await asyncio.to_thread(ledger.commit, received)
