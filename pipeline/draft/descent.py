"""What drafters made from records share: which records are parents, and one request a parent that brings a list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from pydantic import Field, field_validator

from pipeline.draft import Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import Prompt
from pipeline.draft.replies import Unreadable
from pipeline.errors import InputError
from pipeline.kinds import KINDS, REFUSAL_KINDS
from pipeline.records import Draft, Record, Rejection, content_id, lot, normalised
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

GIVEN = "given"


class Parents(Section):
    """Which records are taken up."""

    kinds: tuple[str, ...] = Field(
        default=("document",), description="of record that are taken up; one made from records itself needs rounds: 2"
    )
    share: float = Field(
        default=0.25, gt=0, le=1, description="of the records of these kinds; which of them is a stable hash"
    )
    rounds: int = Field(default=1, ge=1, le=5, description="the second takes up what was made in the first, and so on")

    @field_validator("kinds")
    @classmethod
    def _can_be_parents(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        can = [name for name, kind in KINDS.items() if name not in (GIVEN, *REFUSAL_KINDS) and not kind.paired]
        for name in value:
            if name not in can:
                raise ValueError(f"{name!r} is no kind that answers: name some of {', '.join(can)}")
        return value


def parents_of(wanted: Parents, ground: Ground, name: str) -> list[Record]:
    """The records, and in the first round the pairs, that the drafter `name` takes up in this round, in plan order.

    By share and not by number, so that a record more or less changes no choice among the others. Raises InputError if
    the file of pairs cannot be read.
    """
    pairs: list[Record] = []
    if isinstance(wanted, ParentsOrPairs) and wanted.pairs and ground.round == 1:
        field = f"drafters.{name}.pairs"
        given = given_pairs(wanted.pairs, ground.bytes_of(wanted.pairs, field), field)
        pairs = [pair for pair in given if lot(name, pair.id) < wanted.share]
    by_id = {record.id: record for record in ground.records}
    return pairs + [
        record
        for record in ground.records
        if record.kind in wanted.kinds
        and lot(name, record.id) < wanted.share
        and _generation(record, by_id) == ground.round - 1
    ]


class ParentsOrPairs(Parents):
    """Which records, and which pairs of a file, are taken up."""

    pairs: str = Field(
        default="",
        description="a JSONL file, relative to the recipe, of objects with `question` and `answer`, taken up like"
        " records; with kinds: [] they are all there is",
    )


def given_pairs(name: str, content: bytes, field: str) -> list[Record]:
    """The pairs of a JSONL file as parents: each a fact of its own. Raises InputError naming every bad line."""
    pairs, faults = [], []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
            question, answer = texts_of(value, "question", "answer")
        except (ValueError, Unreadable) as fault:
            why = fault if isinstance(fault, Unreadable) else "it is no JSON"
            faults.append(f"{name}:{number}: expected an object with a question and an answer ({why})")
            continue
        fact = content_id(GIVEN, normalised(question), answer)
        pairs.append(
            Record(
                id=fact,
                kind=GIVEN,
                question=question,
                answer=answer,
                source=name,
                fact=fact,
                model="",
                prompt="",
                request="",
            )
        )
    if faults or not pairs:
        shown = "\n".join(faults[:10]) or f"{name} holds no pair."
        raise InputError(f"{field}: {shown}", remedy="Mend the file.")
    return pairs


def _generation(record: Record, by_id: dict[str, Record]) -> int:
    """How many records stand between it and its source: a child is taken up in the round after its own."""
    number = 0
    known: Record | None = record
    while known is not None and known.parent:
        number, known = number + 1, by_id.get(known.parent)
    return number


class Asked(NamedTuple):
    """A parent and the request about it."""

    parent: Record
    request: Request


class DescendantDrafter(ABC):
    """One request a parent; each item of the list in its reply becomes a draft, or a rejection with its cause."""

    stages = 1 + CONTINUATIONS
    listed: str
    """Name of the list in the reply."""

    def __init__(self, asked: Iterable[Asked], prompt: Prompt) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        self._asked = list(asked)

    @abstractmethod
    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """What one item of the list makes of its parent. Raises Unreadable."""

    @property
    def parents(self) -> Sequence[Record]:
        """Those that are taken up."""
        return [parent for parent, _ in self._asked]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a parent; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, self.listed, stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One an item, in the order of the replies."""
        for parent, request in self._asked:
            items, fault = told_list(told, request, self.listed)
            for item, source in items:
                try:
                    yield self.read(parent, item, source)
                except Unreadable as unreadable:
                    yield rejection_of(parent, source, unreadable)
            if fault is not None:
                yield rejection_of(parent, request, fault)


def rejection_of(parent: Record, request: Request, fault: Unreadable) -> Rejection:
    """What the reply holds in place of a child of this parent."""
    return fault.rejection(request, passage=parent.passage, question=parent.question)


def texts_of(item: object, *names: str) -> list[str]:
    """These fields of an item of a reply, on one line each. Raises Unreadable where one is no text or empty."""
    fields = item if isinstance(item, dict) else {}
    found = [fields.get(name) for name in names]
    lacking = [name for name, text in zip(names, found, strict=True) if not (isinstance(text, str) and text.strip())]
    if lacking:
        raise Unreadable("wrong_shape", f"An item of the reply lacks its {' and its '.join(lacking)}.")
    return [" ".join(str(text).split()) for text in found]


def child(parent: Record, request: Request, **own: Any) -> Draft:
    """A draft made from a record: about the same fact, resting on the same words, so that the split holds the two
    together. `own` is what differs."""
    inherited = {
        name: getattr(parent, name)
        for name in (
            *("question", "answer", "quote", "passage", "fact", "context", "earlier", "difficulty"),
            *("further_passages", "further_quotes"),
        )
    }
    source = "" if parent.passage else parent.source
    return Draft(**{**inherited, "persona": source, "parent": parent.id, "request": request.key, **own})
