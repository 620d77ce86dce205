"""What a run notes down as it goes, for its file and for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from pipeline.errors import CourseworkError
from pipeline.funnel import Funnel
from pipeline.review.awaiting import awaiting
from pipeline.runlog.facts import MOST_PROBLEMS, Cost, Facts, Stage, ending
from pipeline.runlog.folder import Runs
from pipeline.runlog.shown import Shown
from pipeline.teacher.batches import Jobs
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.spending import Spending

Clock = Callable[[], float]
"""Seconds from anywhere, that never go back."""


class Asking(NamedTuple):
    """How far the asking of a stage has come, over all its rounds."""

    ended: int = 0
    wanted: int = 0
    usd: float = 0.0


class Log:
    """The facts of one run in the making. Its methods are called in the run's own thread; others may look."""

    def __init__(self, facts: Facts | None = None, clock: Clock = monotonic) -> None:
        self.shown = Shown()
        """Of the records, once they are there."""
        self.facts = facts or Facts.beginning("run", Path())
        self._clock = clock
        self._begun = self._stage_begun = clock()
        self.asking = Asking()
        """Of this stage."""
        self._earlier = Asking()

    def stage(self, name: str) -> None:
        """The run goes on to a stretch of its path; the one before is over."""
        self._end_stage()
        self.facts.stages.append(Stage(name=name))
        self.asking = self._earlier = Asking()

    @property
    def seconds(self) -> float:
        """How long the stage has been going on."""
        return self._clock() - self._stage_begun

    def _end_stage(self) -> None:
        if self.facts.stages:
            self.facts.stages[-1].seconds = round(self.seconds, 3)
            self.facts.stages[-1].requests = self.asking.ended
        self._stage_begun = self._clock()

    def noting(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """Says what it is told, and notes it down."""

        def noted(line: str) -> None:
            self.facts.said.append(line)
            say(line)

        return noted

    def asked(self, ended: int, wanted: int, usd: float) -> None:
        """Requests ended, of those wanted in this round of asking, and what it paid; each round counts from one."""
        if ended == 1:
            self._earlier = self.asking
        before = self._earlier
        self.asking = Asking(before.ended + ended, before.wanted + wanted, before.usd + usd)

    def counting(self, funnel: Funnel) -> Funnel:
        """The funnel is noted while it still counts on."""
        self.facts.funnel = funnel
        return funnel

    @contextmanager
    def holding(self, ledger: Ledger, say: Callable[[str], None]) -> Iterator[None]:
        """While the ledger is held: what is charged, and what waits at the end. Runs that died before are named."""
        runs = Runs(ledger.folder / "runs")
        for dead in runs.bury(self.facts.run):
            self.facts.never_ended.append(dead.run)
            say(
                f"the run of {dead.began:%Y-%m-%d %H:%M:%S} UTC (runs/{dead.run}.json) began and never ended: it was"
                " killed, or the machine stopped. What it had paid for is kept."
            )
        before = Spending.of(ledger)
        try:
            yield
        finally:
            with suppress(CourseworkError):  # a ledger that cannot be read is what the run ends for
                after = Spending.of(ledger)
                self.facts.cost = Cost(
                    replies=after.replies - before.replies, lost=after.lost - before.lost, account=after
                )
                self.facts.waiting = Jobs(ledger).waiting()
                self.facts.waiting_since = oldest_batch(ledger)

    def unfollowed(self, problems: Sequence[str]) -> None:
        """Lines of review sheets that nobody can follow."""
        self.facts.unfollowed, self.facts.problems = len(problems), list(problems[:MOST_PROBLEMS])

    def close(self, fault: CourseworkError | None) -> None:
        """The run is over, well or with a fault."""
        self._end_stage()
        self.facts.seconds = round(self._clock() - self._begun, 3)
        # Not by the clock on the wall, which may have been set meanwhile.
        self.facts.ended = self.facts.began + timedelta(seconds=self.facts.seconds)
        with suppress(OSError):
            self.facts.awaiting = awaiting(Path(self.facts.folder) / "review") if self.facts.folder else {}
        self.facts.end = ending(self.facts, fault)


def oldest_batch(ledger: Ledger) -> datetime | None:
    """When the oldest batch that is awaited was sent."""
    made = min((job.made for job in Jobs(ledger).awaited()), default=None)
    return None if made is None else datetime.fromtimestamp(made, UTC)
