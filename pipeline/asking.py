"""The asking of one run, online or in batches: until done, stopped by a signal, or past the deadline."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Any, Self

from pipeline.draft import Drafter
from pipeline.draft.replies import Unreadable, answer_object
from pipeline.errors import Interrupted, TryAgainLater
from pipeline.history import History
from pipeline.recipe import Budget as Caps
from pipeline.recipe import Cap, Loaded
from pipeline.teacher.batches import Jobs, Lane, Say, open_lane
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address, open_endpoint
from pipeline.teacher.ledger import Ledger, Spent
from pipeline.teacher.pool import Pool, Terms
from pipeline.teacher.prices import Price
from pipeline.teacher.request import Reply
from pipeline.teacher.stop import Stop

Progress = Callable[[int, int, float], None]
"""Of this round of asking: requests ended, requests asked for, US dollars paid."""

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
        silence_seconds=teacher.silence_seconds or 2 * teacher.deadline_seconds,
    )
    budget = Budget(loaded.recipe.budget, price, ledger)
    return Pool(open_endpoint(address, ledger.speech(address.name)), ledger, budget, price, terms)


@dataclass(frozen=True)
class Allowance:
    """What one run may use up of money and time, over all its askings."""

    run: Cap
    deadline_seconds: float | None
    begun: float
    spent: Spent
    """Before this run."""

    @classmethod
    def open(cls, budget: Caps, deadline_seconds: float | None, ledger: Ledger) -> Self:
        """Note the time, and what was spent before."""
        return cls(budget.run, deadline_seconds, monotonic(), ledger.spent())

    @property
    def seconds(self) -> float | None:
        """What is left of the deadline."""
        return None if self.deadline_seconds is None else max(0.0, self.deadline_seconds - (monotonic() - self.begun))

    def rest(self, loaded: Loaded, ledger: Ledger) -> Loaded:
        """The recipe with what is left of the cap on this run as its cap."""
        now = ledger.spent()
        left = Cap(
            usd=None if self.run.usd is None else max(0.0, self.run.usd - (now.usd - self.spent.usd)),
            tokens=None if self.run.tokens is None else max(0, self.run.tokens - (now.tokens - self.spent.tokens)),
            requests=(
                None if self.run.requests is None else max(0, self.run.requests - (now.requests - self.spent.requests))
            ),
        )
        budget = loaded.recipe.budget.model_copy(update={"run": left})
        return loaded.model_copy(update={"recipe": loaded.recipe.model_copy(update={"budget": budget})})


def ask(asking: Asking, loaded: Loaded, address: Address, price: Price, ledger: Ledger, say: Say) -> Stop:
    """Collect what earlier batches have brought, then ask the rest in the recipe's mode.

    Returns why the asking stopped early, or nothing; raises as `Asking.run` does. `price` is the usual one.
    """
    loaded = asking.allowance.rest(loaded, ledger)
    teacher = loaded.recipe.teacher
    batched = in_batches(loaded, address)
    if batched or Jobs(ledger).awaited():
        price_of_batch = price.times(teacher.batch_price)
        lane = open_lane(address, ledger, price_of_batch, teacher.tries, teacher.deadline_seconds)
        stopped = asking.run_lane(
            lane, (lambda: Budget(loaded.recipe.budget, price_of_batch, ledger)) if batched else None, say
        )
        if batched or stopped:
            return stopped
    return asking.run(open_pool(loaded, address, price, ledger), ledger)


def in_batches(loaded: Loaded, address: Address) -> bool:
    """Whether requests are sent in batches; the embedded teacher answers at once and has none."""
    return loaded.recipe.teacher.mode == "batch" and not address.embedded


@dataclass(frozen=True)
class Asking:
    """What is asked in a run, and how long it may take."""

    drafters: Sequence[Drafter]
    history: History
    progress: Progress
    allowance: Allowance

    def run(self, pool: Pool, ledger: Ledger) -> Stop:
        """Ask what was never answered; returns why the asking stopped early, or nothing.

        Raises TryAgainLater on SIGTERM, Interrupted on Ctrl-C, both with every received reply on the
        disk; and TeacherError.
        """
        handlers = _handlers()
        try:
            stopped = _runner()(self._ask(pool, Jobs(ledger)))
        except asyncio.CancelledError:
            stopped = pool.stopping
        finally:
            _put_back(handlers)
            if pool.good:
                ledger.note_speech(pool.endpoint.name, pool.endpoint.speech.written())
        _end_if_signalled(stopped)
        return stopped

    def run_lane(self, lane: Lane, budget: Callable[[], Budget] | None, say: Say) -> Stop:
        """Collect batches and, where there is a budget, send what was never answered; returns and raises as `run` does.

        The budget is opened after the collecting, for that settles what was reserved.
        """
        handlers = _handlers()
        try:
            stopped = asyncio.run(self._through_the_lane(lane, budget, say))
        finally:
            _put_back(handlers)
        _end_if_signalled(stopped)
        return stopped

    async def _through_the_lane(self, lane: Lane, budget: Callable[[], Budget] | None, say: Say) -> Stop:
        told: list[Stop] = []
        task = asyncio.current_task()
        assert task is not None

        def stop(why: Stop) -> None:
            if not told:
                told.append(why)
                task.cancel()

        loop = asyncio.get_running_loop()
        if (seconds := self.allowance.seconds) is not None:
            loop.call_later(seconds, stop, _PAST_DEADLINE)
        with suppress(NotImplementedError, ValueError, RuntimeError):  # not in the main thread: nobody sends us any
            loop.add_signal_handler(signal.SIGTERM, stop, _SIGTERM)
            loop.add_signal_handler(signal.SIGINT, stop, _SIGINT)
        try:
            await lane.collect(say)
            return await self._submit(lane, budget(), say) if budget is not None else Stop()
        except asyncio.CancelledError:
            if not told:
                raise
            return told[0]
        finally:
            await lane.close()

    async def _submit(self, lane: Lane, budget: Budget, say: Say) -> Stop:
        """The first stage that is not in: a later one may depend on replies that are still to come."""
        for planned in self.history.plan(self.drafters):
            new = [r for r in planned if not self.history.has(r.key) and r.key not in lane.given_up]
            await lane.submit([request for request in new if not lane.jobs.holds(request)], budget, say)
            if new:
                break
        if lane.lacking and not lane.jobs.waiting():
            return Stop(f"the budget of {budget.reached} is used up", "budget")
        return Stop()

    async def _ask(self, pool: Pool, jobs: Jobs) -> Stop:
        """Stage by stage: replies may bring further requests."""
        self._listen(pool)
        try:
            for planned in self.history.plan(self.drafters):
                new = [r for r in planned if not self.history.has(r.key) and not jobs.holds(r)]
                if new and not pool.stopping:
                    await pool.ask(new, _counting(self.progress, len(new), pool), _why_unreadable)
        finally:
            await pool.endpoint.close()
        return pool.stopping

    def _listen(self, pool: Pool) -> None:
        """Stop at the deadline and on signals: what is under way comes home first, but for a second Ctrl-C."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        if (seconds := self.allowance.seconds) is not None:
            loop.call_later(seconds, pool.stop, _PAST_DEADLINE)

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


_SIGTERM = Stop("stopped by SIGTERM", "stopped")
_SIGINT = Stop("interrupted", "interrupted")
_PAST_DEADLINE = Stop("the deadline of this run has passed", "deadline")


def _end_if_signalled(stopped: Stop) -> None:
    if stopped == _SIGINT:
        raise Interrupted("interrupted; every reply that came is kept.", remedy="Run the same command again.")
    if stopped == _SIGTERM:
        raise TryAgainLater(
            f"{stopped}; every reply that came is kept.", remedy="Run the same command again.", cause=stopped.cause
        )


def _handlers() -> dict[signal.Signals, Any]:
    return {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}


def _put_back(handlers: Mapping[signal.Signals, Any]) -> None:
    """The event loop leaves its own behind when it ends, and nobody listens to those."""
    for one, handler in handlers.items():
        with suppress(ValueError, TypeError):  # not in the main thread, or not set from Python: as it was
            signal.signal(one, handler)


def _counting(progress: Progress, wanted: int, pool: Pool) -> Callable[[], None]:
    ended, before = count(1), pool.paid_usd
    return lambda: progress(next(ended), wanted, pool.paid_usd - before)


def _why_unreadable(reply: Reply) -> str | None:
    try:
        answer_object(reply)
    except Unreadable as fault:
        return fault.cause
    return None


def _runner() -> Callable[..., Stop]:
    """uvloop where it is installed: it halves the cost of a connection."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run  # type: ignore[no-any-return]
