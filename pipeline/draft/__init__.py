"""What to ask the teacher, and how to read what came back: requests out, drafts in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from pipeline.records import Draft, Record, Rejection
from pipeline.teacher.request import Reply, Request

Told = Callable[[str], Reply | None]
"""Looks a request's key up in the ledger."""


class Drafter(Protocol):
    """One kind of data. Its methods are pure functions of what the teacher has replied so far."""

    prompts: dict[str, str]
    """Template name to its text."""
    stages: int
    """How often replies bring new requests, plus one. All drafters finish a stage before any begins the
    next, so that the order of requests does not depend on when a run was interrupted."""

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """What is asked in a stage (from 0), given the replies of the stages before; answered or not."""
        ...

    def still_to_come(self, told: Told) -> int:
        """About how many requests will follow once the present ones are answered."""
        ...

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """What the replies hold, each item once: a draft, or a rejection with its cause."""
        ...


@runtime_checkable
class Descendants(Drafter, Protocol):
    """A drafter whose drafts are made from records, each named as its parent."""

    parents: Sequence[Record]


@runtime_checkable
class Voiced(Drafter, Protocol):
    """A drafter that has things told in a voice."""

    voice: str
    """What is said of it; an answer may say so too."""
    imitated: str
    """The living person whose voice it is; empty where it is nobody's."""


@runtime_checkable
class Drawing(Drafter, Protocol):
    """A drafter that draws on files beside documents and persona."""

    files: Mapping[str, str]
    """Name, as the recipe has it, to sha256."""


@runtime_checkable
class Exemplified(Drafter, Protocol):
    """A drafter whose requests show examples: a draft that repeats one of them is nothing new."""

    examples: Sequence[str]


@runtime_checkable
class Aiming(Drafter, Protocol):
    """A drafter that is to bring a number of records, and says what is lacking of it."""

    def shortfall(self, records: Iterable[Record], told: Told) -> Iterator[str]:
        """Lines for the run and for the card, given the records that a person wants."""
        ...


@runtime_checkable
class Guarded(Drafter, Protocol):
    """A drafter whose drafts only train: none of them may be a question that the student is examined on."""

    examined: Mapping[str, str]
    """Held-out questions by the id of their record."""
