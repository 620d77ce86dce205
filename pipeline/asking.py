"""The asking of one run: the pool through all stages, until done, stopped by a signal, or past the deadline."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from pipeline.draft import Drafter
from pipeline.draft.replies import Unreadable, answer_object
from pipeline.errors import Interrupted, TryAgainLater
from pipeline.history import History
from pipeline.recipe import Loaded
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address, open_endpoint
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import Pool, Terms
from pipeline.teacher.prices import Price
from pipeline.teacher.request import Reply

Progress = Callable[[int, int], None]
"""Requests ended, requests asked for in this round."""

GRACE_SECONDS = 3.0
"""After SIGTERM: what is not home by then is let go, so that the process ends within five seconds."""


def open_pool(loaded: Loaded, address: Address, price: Price, ledger: Ledger) -> Pool:
    """The pool that asks the teacher at an address on the recipe's terms. Nothing is sent yet.

    Raises RecipeError if the budget caps dollars and nobody knows the price.
    """
    teacher = loaded.recipe.teacher
    terms = Terms(
        in_flight=teacher.in_flight,
        tries=teacher.tries,
        deadline_seconds=teacher.deadline_seconds,
        requests_per_minute=teacher.requests_per_minute,
        tokens_per_minute=teacher.tokens_per_minute,
    )
    budget = Budget(loaded.recipe.budget, price, ledger)
    return Pool(open_endpoint(address, ledger.speech(address.name)), ledger, budget, price, terms)


@dataclass(frozen=True)
class Asking:
    """What is asked in a run, and how long it may take."""

    drafters: Sequence[Drafter]
    history: History
    progress: Progress
    deadline_seconds: float | None

    def run(self, pool: Pool, ledger: Ledger) -> str:
        """Ask what was never answered; returns why the asking stopped early, or nothing.

        Raises TryAgainLater on SIGTERM, Interrupted on Ctrl-C, both with every received reply on the
        disk; and TeacherError.
        """
        handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            stopped = _runner()(self._ask(pool))
        except asyncio.CancelledError:
            stopped = pool.stopping
        finally:
            _put_back(handlers)
            if pool.good:
                ledger.note_speech(pool.endpoint.name, pool.endpoint.speech.written())
        if stopped == _SIGINT:
            raise Interrupted("interrupted; every reply that came is kept.", remedy="Run the same command again.")
        if stopped == _SIGTERM:
            raise TryAgainLater(f"{stopped}; every reply that came is kept.", remedy="Run the same command again.")
        return stopped

    async def _ask(self, pool: Pool) -> str:
        """Stage by stage: replies may bring further requests."""
        self._listen(pool)
        try:
            for planned in self.history.plan(self.drafters):
                new = [request for request in planned if not self.history.has(request.key)]
                if new and not pool.stopping:
                    await pool.ask(new, _counting(self.progress, len(new)), _why_unreadable)
        finally:
            await pool.endpoint.close()
        return pool.stopping

    def _listen(self, pool: Pool) -> None:
        """Stop at the deadline and on signals: what is under way comes home first, but for a second Ctrl-C."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        if self.deadline_seconds is not None:
            loop.call_later(self.deadline_seconds, pool.stop, "the deadline of this run has passed")

        def terminated() -> None:
            pool.stop(_SIGTERM)
            loop.call_later(GRACE_SECONDS, task.cancel)

        def interrupted() -> None:
            if pool.stopping == _SIGINT:
                task.cancel()
            pool.stop(_SIGINT)

        with suppress(NotImplementedError, ValueError, RuntimeError):  # not in the main thread: nobody sends us any
            loop.add_signal_handler(signal.SIGTERM, terminated)
            loop.add_signal_handler(signal.SIGINT, interrupted)


_SIGTERM = "stopped by SIGTERM"
_SIGINT = "interrupted"


def _put_back(handlers: Mapping[signal.Signals, Any]) -> None:
    """The event loop leaves its own behind when it ends, and nobody listens to those."""
    with suppress(ValueError):  # not in the main thread
        for one, handler in handlers.items():
            signal.signal(one, handler)


def _counting(progress: Progress, wanted: int) -> Callable[[], None]:
    ended = count(1)
    return lambda: progress(next(ended), wanted)


def _why_unreadable(reply: Reply) -> str | None:
    try:
        answer_object(reply)
    except Unreadable as fault:
        return fault.cause
    return None


def _runner() -> Callable[..., str]:
    """uvloop where it is installed: it halves the cost of a connection."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run  # type: ignore[no-any-return]
