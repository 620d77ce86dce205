"""What tokens cost, from one YAML file that a person can edit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, Field, RootModel

from pipeline.teacher.endpoint import Address
from pipeline.teacher.ledger import Cost
from pipeline.teacher.request import Reply, Request
from pipeline.yamlfile import read_yaml

SHIPPED = Path(__file__).with_name("prices.yaml")


class _Prices(RootModel[dict[str, tuple[float, float]]]):
    model_config = ConfigDict(frozen=True)
    root: dict[str, tuple[float, float]] = Field(description="model to US dollars per million tokens [read, written]")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens; None where nobody knows."""

    read: float | None
    written: float | None

    @property
    def known(self) -> bool:
        """Whether money can be counted."""
        return self.read is not None and self.written is not None

    def of(self, read: int, written: int) -> float | None:
        """US dollars for so many tokens."""
        if self.read is None or self.written is None:
            return None
        return (read * self.read + written * self.written) / 1_000_000

    def times(self, share: float) -> Price:
        """The price with a discount: a share of it."""
        if self.read is None or self.written is None:
            return self
        return Price(self.read * share, self.written * share)

    def worst(self, request: Request) -> Cost:
        """The most that a request can cost: every byte of it read, the whole limit written."""
        return Cost(
            request.input_bound + request.max_output_tokens, self.of(request.input_bound, request.max_output_tokens)
        )

    def paid(self, reply: Reply, reserved: Cost) -> Cost:
        """What a reply cost by its own count; one that does not say keeps what was reserved."""
        if reply.input_tokens is None or reply.output_tokens is None:
            return reserved
        read, written = reply.input_tokens, reply.output_tokens
        return Cost(read + written, self.of(read, written))


def find_price(address: Address, stated: tuple[float, float] | None, prices: Path | None) -> Price:
    """The price the recipe states, else the file's; the embedded teacher and a server of one's own cost nothing."""
    if stated is not None:
        return Price(*stated)
    if address.embedded or address.local:
        return Price(0.0, 0.0)
    table = read_yaml(prices or SHIPPED, _Prices).root
    plain = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", address.model.rsplit("/", 1)[-1])
    return Price(*table.get(address.model, table.get(plain, (None, None))))
