"""What a dataset has cost: replies, tries that brought none, what is reserved, and the share of today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from pipeline.teacher.ledger import Ledger


class Charge(BaseModel):
    """A sum of what requests were charged."""

    model_config = ConfigDict(frozen=True)

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    """Requests among them whose price nobody knows."""

    def __add__(self, other: Charge) -> Charge:
        return Charge(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
        )

    def __sub__(self, other: Charge) -> Charge:
        return Charge(
            requests=self.requests - other.requests,
            tokens=self.tokens - other.tokens,
            usd=self.usd - other.usd,
            unpriced=self.unpriced - other.unpriced,
        )


class Spending(BaseModel):
    """Where a ledger's account stands."""

    model_config = ConfigDict(frozen=True)

    replies: Charge = Charge()
    """What replies cost. It only grows, like the next."""
    lost: Charge = Charge()
    """Tries that brought nothing and may have been billed."""
    reserved: Charge = Charge()
    """The worst case of what waits in batches, or is under way."""
    today: Charge = Charge()
    """All three, as far as they fall on this day (UTC): what the cap on a day counts."""

    @property
    def paid(self) -> Charge:
        """What is gone for good."""
        return self.replies + self.lost

    @property
    def life(self) -> Charge:
        """All three: what the cap on the dataset's life counts."""
        return self.paid + self.reserved

    @classmethod
    def of(cls, ledger: Ledger) -> Self:
        """The account as it stands in a ledger. Raises as the ledger does if it cannot be read."""
        midnight = datetime.fromtimestamp(ledger.now(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(
            replies=_sum(ledger, "replies", "TRUE"),
            lost=_sum(ledger, "reservations", "lost"),
            reserved=_sum(ledger, "reservations", "NOT lost"),
            today=Charge(**ledger.spent(midnight.timestamp())._asdict()),
        )


def _sum(ledger: Ledger, table: str, which: str) -> Charge:
    sums = "count(*), coalesce(sum(tokens), 0), coalesce(sum(usd), 0.0), coalesce(sum(usd IS NULL), 0)"
    requests, tokens, usd, unpriced = next(ledger.rows(f"SELECT {sums} FROM {table} WHERE {which}"))
    return Charge(requests=requests, tokens=tokens, usd=usd, unpriced=unpriced)
