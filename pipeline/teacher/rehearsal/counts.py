"""What the rehearsal served: the figures that a client's own account is held against."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from pipeline.teacher.rehearsal.completions import USABLE
from pipeline.teacher.rehearsal.connection import Ended
from pipeline.teacher.rehearsal.drawing import SOUND


class Counts:
    """Counts since the start or the last reset. Of a body it keeps its hash and two numbers, never the body."""

    def __init__(self) -> None:
        self._requests = 0
        self._outcomes: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._call_faults: Counter[str] = Counter()
        self._batch_lines: Counter[str] = Counter()
        self._tokens = [0, 0]
        self._billed = self._good = self._bought_twice = self._undelivered = 0
        self._in_flight = self._peak = 0
        self._met: dict[bytes, int] = {}
        self._served_good: dict[bytes, int] = {}

    def meeting(self, body: bytes) -> int:
        """How often a body, given its identity, came before; this time is counted."""
        before = self._met.get(body, 0)
        self._met[body] = before + 1
        return before

    def request(self, outcome: str, body: bytes = b"") -> Ended:
        """One chat completion begins; call what is returned when it ends."""
        self._requests += 1
        self._outcomes[outcome] += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        return partial(self._ended, body if outcome in USABLE else b"")

    def _ended(self, good_for: bytes, delivered: bool) -> None:
        self._in_flight -= 1
        if not delivered:
            self._undelivered += 1
        elif good_for:
            self._delivered(good_for)

    def _delivered(self, body: bytes) -> None:
        self._good += 1
        times = self._served_good.get(body, 0) + 1
        self._served_good[body] = times
        self._bought_twice += times == 2

    def bill(self, tokens: tuple[int, int]) -> None:
        """An answer was generated, so a real endpoint would charge for it, read or not."""
        self._billed += 1
        self._tokens[0] += tokens[0]
        self._tokens[1] += tokens[1]

    def call(self, name: str, fault: str) -> None:
        """A call that is no chat completion."""
        self._calls[name] += 1
        if fault != SOUND:
            self._call_faults[fault] += 1

    def batch_line(self, outcome: str, body: bytes) -> None:
        """The result of one line went into the output file."""
        self._batch_lines[outcome] += 1
        if outcome in USABLE:
            self._delivered(body)

    def shown(self) -> dict[str, Any]:
        """The figures by name, as GET /rehearsal/counts gives them."""
        return {
            "requests": self._requests,
            "outcomes": dict(sorted(self._outcomes.items())),
            "billed": self._billed,
            "billed_input_tokens": self._tokens[0],
            "billed_output_tokens": self._tokens[1],
            "good": self._good,
            "bought_twice": self._bought_twice,
            "undelivered": self._undelivered,
            "in_flight": self._in_flight,
            "peak_in_flight": self._peak,
            "distinct": len(self._met),
            "batch_lines": dict(sorted(self._batch_lines.items())),
            "calls": dict(sorted(self._calls.items())),
            "call_faults": dict(sorted(self._call_faults.items())),
        }


class Pace:
    """A limit on requests per minute with one second's worth of burst (a leaky bucket: GCRA)."""

    def __init__(self, per_minute: int) -> None:
        self._between = 60 / per_minute
        self._burst = max(1.0, self._between)
        self._free_at = 0.0

    def wait(self) -> float:
        """Seconds until the next request would be taken; 0 takes this one."""
        now = asyncio.get_running_loop().time()
        free_at = max(self._free_at, now)
        wait = free_at + self._between - self._burst - now
        if wait > 0:
            return wait
        self._free_at = free_at + self._between
        return 0.0
