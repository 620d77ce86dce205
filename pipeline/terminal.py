"""What a person at a terminal sees of a run under way; without a terminal nothing is drawn, and rich not loaded."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from pipeline.funnel import Funnel
from pipeline.runlog.log import Asking, Log

if TYPE_CHECKING:
    from rich.table import Table

Say = Callable[[str], None]
_WINDOW = 20.0
"""Seconds over which the rate is taken: long enough to be steady, short enough to follow a teacher that slows down."""
_REDRAWN = 4
"""Times a second, whatever happens meanwhile."""


@contextmanager
def drawn(log: Log, say: Say, where: TextIO) -> Iterator[Say]:
    """Draw a run's stages below what it says, as long as it goes on; how to say something above them.

    On standard error, and only if that is a terminal: neither a log nor a mail from cron ever holds a bar. `where` is
    what `say` writes to.
    """
    if not sys.stderr.isatty():
        yield say
        return
    from rich.console import Console
    from rich.live import Live

    console, pace = Console(stderr=True), Pace()
    # What goes to a file goes there as before; what goes to this terminal must stand above the drawing.
    above = partial(console.print, markup=False, highlight=False, soft_wrap=True) if where.isatty() else say
    with Live(
        get_renderable=lambda: picture(log, pace),
        console=console,
        refresh_per_second=_REDRAWN,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield above


class Pace:
    """How fast requests end, over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def per_second(self, now: float, ended: int) -> float:
        """The rate, as of now."""
        if self._seen and ended < self._seen[-1][1]:
            self._seen.clear()  # another stage began
        self._seen.append((now, ended))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW:
            self._seen.popleft()
        then, before = self._seen[0]
        return (ended - before) / (now - then) if now > then else 0.0


def picture(log: Log, pace: Pace) -> Table:
    """The stages so far, a line each; the last one with its bar where it has one."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    stages = list(log.facts.stages)
    table = Table.grid(padding=(0, 2))
    for stage in stages[:-1]:
        requests = f"{stage.requests:,} requests" if stage.requests else ""
        table.add_row(Text(stage.name, "dim"), "", Text(_clock(stage.seconds), "dim"), Text(requests, "dim"))
    if stages:
        asked = log.asking
        bar = ProgressBar(asked.wanted, asked.ended, width=24) if asked.wanted else ""
        counts = ", ".join(doing(asked, log.facts.funnel, pace.per_second(monotonic(), asked.ended)))
        table.add_row(Text(stages[-1].name, "bold"), bar, _clock(log.seconds), Text(counts))
    return table


def doing(asked: Asking, funnel: Funnel | None, rate: float) -> Iterator[str]:
    """What there is to say of the stage under way: requests, rate, time left, money; drafts and records."""
    if asked.wanted:
        yield f"{asked.ended:,} of {asked.wanted:,} requests"
        if rate:
            yield f"{rate:,.1f} a second"
            yield f"{_clock((asked.wanted - asked.ended) / rate)} left"
        if asked.usd:
            yield f"{asked.usd:,.2f} USD"
    elif funnel is not None:
        yield f"{funnel.drafts:,} drafts"
        yield f"{funnel.drafts - funnel.rejections.total():,} records"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
