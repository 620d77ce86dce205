"""The budget: what may be spent in a run, on a calendar day (UTC) and in the dataset's whole life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.errors import RecipeError
from pipeline.recipe import Budget as Caps
from pipeline.recipe import Cap
from pipeline.teacher.ledger import Clock, Cost, Ledger
from pipeline.teacher.prices import Price


@dataclass
class _Account:
    """What was charged in one span of time, against the cap on it."""

    span: str
    cap: Cap
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0

    def lacks(self, cost: Cost) -> str:
        """What one more request at this cost would break; empty if nothing."""
        if self.cap.requests is not None and self.requests + 1 > self.cap.requests:
            return f"{self.cap.requests} requests {self.span}"
        if self.cap.tokens is not None and self.tokens + cost.tokens > self.cap.tokens:
            return f"{self.cap.tokens:,} tokens {self.span}"
        if self.cap.usd is not None and self.usd + (cost.usd or 0.0) > self.cap.usd:
            return f"{self.cap.usd:g} USD {self.span}"
        return ""

    def charge(self, requests: int, tokens: int, usd: float) -> None:
        self.requests += requests
        self.tokens += tokens
        self.usd += usd


class Budget:
    """Counts against the caps in memory; the ledger keeps the same figures on the disk.

    A worst case is charged before sending and exchanged for the real cost after, so that the caps hold
    whatever comes back. Raises RecipeError if the price is unknown and no cap on tokens stands in for money.
    """

    def __init__(self, caps: Caps, price: Price, ledger: Ledger, clock: Clock | None = None) -> None:
        spans = (caps.run, caps.day, caps.life)
        in_dollars = any(cap.usd is not None for cap in spans)
        in_tokens = any(cap.tokens is not None for cap in spans)
        if not price.known and (in_dollars or not in_tokens):
            raise RecipeError(
                "nobody knows the price of this model, so nobody could say what a run may cost.",
                remedy="Add it to prices.yaml, state it as teacher.usd_per_million, or set budget.run.tokens.",
            )
        self._clock = clock or (lambda: datetime.now(UTC).timestamp())
        self._ledger = ledger
        self._day = self._today()
        self._accounts = [_Account("a run", caps.run), _Account("a day", caps.day), _Account("in all", caps.life)]
        life, today = ledger.spent(), ledger.spent(self._day)
        self._accounts[1].charge(today.requests, today.tokens, today.usd)
        self._accounts[2].charge(life.requests, life.tokens, life.usd)
        self._capped = any(cap != Cap() for cap in spans)
        self.reached = ""
        """The cap that stopped the asking, in words; empty while none did."""

    def _today(self) -> float:
        return datetime.fromtimestamp(self._clock(), UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

    def allows(self, cost: Cost) -> bool:
        """Charge one more request's worst case, unless that breaks a cap."""
        if not self._capped:
            return True
        self._turn_the_day()
        lacking = next((lack for lack in (account.lacks(cost) for account in self._accounts) if lack), "")
        if lacking:
            self.reached = lacking
            return False
        for account in self._accounts:
            account.charge(1, cost.tokens, cost.usd or 0.0)
        return True

    def settle(self, reserved: Cost, paid: Cost) -> None:
        """Exchange a worst case for what was paid."""
        if not self._capped:
            return
        for account in self._accounts:
            account.charge(0, paid.tokens - reserved.tokens, (paid.usd or 0.0) - (reserved.usd or 0.0))

    def give_back(self, reserved: Cost) -> None:
        """A request that was charged was never sent, or surely cost nothing."""
        if not self._capped:
            return
        for account in self._accounts:
            account.charge(-1, -reserved.tokens, -(reserved.usd or 0.0))

    def _turn_the_day(self) -> None:
        """At midnight UTC the day's account starts anew. A clock set back turns no day."""
        today = self._today()
        if today > self._day:
            self._day = today
            spent = self._ledger.spent(today)
            self._accounts[1] = _Account("a day", self._accounts[1].cap, spent.requests, spent.tokens, spent.usd)
