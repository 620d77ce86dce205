"""What to ask the teacher, and how to read what came back: requests out, drafts in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from pipeline.records import Draft, Rejection
from pipeline.teacher.request import Reply, Request

Told = Callable[[str], Reply | None]
"""Looks a request's key up in the ledger."""


class Drafter(Protocol):
    """One kind of data. Both methods are pure functions of what the teacher has replied so far."""

    prompts: dict[str, str]
    """Template name to its text."""

    def requests(self, told: Told) -> list[Request]:
        """All that can be asked so far, answered or not; grows while replies bring new questions."""
        ...

    def still_to_come(self, told: Told) -> int:
        """About how many requests will follow once the present ones are answered."""
        ...

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """What the replies hold, each item once: a draft, or a rejection with its cause."""
        ...
