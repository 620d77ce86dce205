"""How fast the teacher is asked: a window of requests under way, rates per minute, and patience for one try."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from pipeline.teacher.stop import Stop


class Window:
    """How many requests may be under way.

    It opens with a few, so that a refused key costs a handful of calls, and goes to its full width at the
    first good reply. It shrinks only on a sustained share of refusals for haste (HTTP 429), for cutting at
    each single one lets a tenth of 429s bring a run to a crawl; and it grows back.
    """

    FIRST = 4
    SUSTAINED = 0.3
    """Share of 429s among the last answers above which the window shrinks."""
    LAST = 64

    def __init__(self, widest: int) -> None:
        self._widest = widest
        self._width = float(min(self.FIRST, widest))
        self._opened = False
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._hasty: deque[bool] = deque(maxlen=self.LAST)

    @property
    def width(self) -> int:
        """Requests allowed under way now."""
        return max(1, int(self._width))

    async def enter(self) -> None:
        """Wait until one more request may be under way."""
        while self._under_way >= self.width:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._under_way += 1

    def leave(self) -> None:
        """A request is no longer under way."""
        self._under_way -= 1
        self._wake()

    def went_well(self) -> None:
        """A good reply came."""
        if not self._opened:
            self._opened, self._width = True, float(self._widest)
        self._hasty.append(False)
        if self._width < self._widest:
            self._width = min(self._widest, self._width + 2 / self._width)
        self._wake()

    def was_hasty(self) -> None:
        """The endpoint said that it was asked too often."""
        self._hasty.append(True)
        if len(self._hasty) == self.LAST and sum(self._hasty) > self.SUSTAINED * self.LAST:
            self._width = max(1.0, self._width * 0.7)
            self._hasty.clear()

    def _wake(self) -> None:
        free = self.width - self._under_way
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


class Rate:
    """At most so many a minute (requests or tokens), evenly; the generic cell rate algorithm (ITU-T I.371).

    A tenth of a minute's worth may come at once.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._seconds_each = 60 / per_minute if per_minute else 0.0
        self._burst = 6.0
        self._next = 0.0

    async def admit(self, amount: float = 1) -> None:
        """Wait until `amount` more may be sent. Waiting is no failure."""
        if not self._seconds_each:
            return
        now = monotonic()
        self._next = max(self._next, now - self._burst) + amount * self._seconds_each
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Silence:
    """How long the endpoint was asked and no reply came at all: the watchdog of a run.

    A request is given up by its own deadline and asked again; where nobody answers any more, thousands of them would
    be, one after the other. Time in which nothing was asked does not count.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._since: float | None = None

    def asked(self) -> None:
        """A request is put."""
        if self._since is None:
            self._since = monotonic()

    def broken(self, under_way: int) -> None:
        """A reply came, and so many others are awaited."""
        self._since = monotonic() if under_way else None

    @property
    def over(self) -> Stop:
        """What to say if it has lasted too long; else empty."""
        if self._since is None or monotonic() - self._since <= self._most:
            return Stop()
        said = f"{self._most / 60:.0f} minutes" if self._most >= 120 else f"{self._most:g} seconds"
        return Stop(f"the teacher was asked for {said} and no reply came", "silent_teacher")


class Patience:
    """How long one try may take, learnt from the replies so far: a few times the slowest percent."""

    TIMES = 4.0
    LEAST = 5.0
    """Seconds."""
    ENOUGH = 20
    """Replies before their durations say anything."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._durations: deque[float] = deque(maxlen=512)
        self._seen = 0
        self._usual = most

    def took(self, seconds: float) -> None:
        """A good reply took so long."""
        self._durations.append(seconds)
        self._seen += 1
        if self._seen == self.ENOUGH or (self._seen > self.ENOUGH and self._seen % 64 == 0):
            slowest = sorted(self._durations)[int(0.99 * (len(self._durations) - 1))]
            self._usual = max(self.LEAST, self.TIMES * slowest)

    def seconds(self, tries_before: int) -> float:
        """For a next try: twice as long after each that took too long, so that a slow reply gets through."""
        return float(min(self._most, self._usual * 2**tries_before))
