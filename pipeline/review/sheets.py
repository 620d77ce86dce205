"""Review sheets: new records out once, a person's verdicts in at every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.files import BadLine, Writing, json_line, read_json_lines
from pipeline.records import Record, Rejection

VERDICTS = ("", "keep", "drop")


class Line(BaseModel):
    """One record on a sheet: what a person reads first stands first."""

    model_config = ConfigDict(extra="forbid")

    review: str = Field(default="", description="empty or `keep` keeps the record, `drop` drops it")
    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    quote: str = ""
    page: int | None = None
    source: str = ""
    kind: str = ""
    flags: tuple[str, ...] = ()
    id: str


@dataclass
class Verdicts:
    """What the sheets say: the lines that were edited, the records that are to go, the lines nobody can follow."""

    edited: dict[str, Line] = field(default_factory=dict)
    """By record id, like the others."""
    dropped: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """In so many words: an empty verdict keeps a record too, and says nothing about it."""
    deleted: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def gone(self) -> frozenset[str]:
        """The records that the person does not want."""
        return frozenset(self.dropped | self.deleted)


Laid = Mapping[str, tuple[str, str]]
"""Record id to (sheet, hash of its line as it was laid)."""


Note = Callable[[str, Iterable[tuple[str, str]]], None]
"""Remembers a sheet's name and, of each record on it, the id and the hash of its line."""


def lay_sheet(folder: Path, records: Iterable[Record], laid: Laid, note: Note) -> Path | None:
    """Write the records never laid before as the next sheet; from then on the file is the person's.

    `records` is gone through up to three times.
    """
    standing = {path.name for path in folder.glob("*.jsonl")}

    def lines() -> Iterator[Line]:
        return (_line(record) for record in records if record.id not in laid or laid[record.id][0] not in standing)

    if next(lines(), None) is None:
        return None
    path = folder / f"{_next_number(folder, laid):04}.jsonl"
    # Noted first, for a sheet that stands but was not noted would be full of unknown ids. Killed in
    # between, the noted sheet does not stand: its records count as not laid, and are laid again.
    note(path.name, ((line.id, text_hash(line)) for line in lines()))
    with Writing(path) as sheet:
        for line in lines():
            sheet.write(json_line(line))
        sheet.finish()
    return path


def _next_number(folder: Path, laid: Laid) -> int:
    names = {sheet for sheet, _ in laid.values()} | {path.name for path in folder.glob("*.jsonl")}
    return 1 + max((int(name[:-6]) for name in names if name[:-6].isdigit()), default=0)


def _line(record: Record) -> Line:
    return Line(
        question=record.question,
        answer=record.answer,
        quote=record.quote,
        page=record.page,
        source=record.source,
        kind=record.kind,
        flags=record.flags,
        id=record.id,
    )


def text_hash(line: Line) -> str:
    """Hash of what a person may edit: equal to that of the laid line unless it was edited."""
    text = "\x1f".join((line.question, line.answer, line.quote))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read_sheets(folder: Path, laid: Laid) -> Verdicts:
    """The person's decisions. A line that cannot be read is a problem named by file and line, and decides nothing.

    A record that was laid and whose line is gone was deleted; but in a sheet with unreadable lines
    nothing counts as deleted, for the missing record may be one of those lines, and neither where the
    whole sheet is gone.
    """
    verdicts = Verdicts()
    met: set[str] = set()
    whole: set[str] = set()
    for path in sorted(folder.glob("*.jsonl")):
        whole.add(path.name)
        for found in read_json_lines(path, Line):
            if isinstance(found, BadLine):
                verdicts.problems.append(f"{path}:{found.number}: {found.fault}")
                whole.discard(path.name)
                continue
            number, line = found
            problem = _strange_id(line, laid, met)
            if problem:
                verdicts.problems.append(f"{path}:{number}: {problem}")
                continue
            met.add(line.id)
            if line.review not in VERDICTS:
                verdicts.problems.append(
                    f"{path}:{number}: review: {line.review!r} is no verdict; say keep or drop. The record is kept."
                )
            if line.review == "drop":
                verdicts.dropped.add(line.id)
            elif line.review == "keep":
                verdicts.kept.add(line.id)
            if text_hash(line) != laid[line.id][1]:
                verdicts.edited[line.id] = line
    verdicts.deleted.update(record for record, (sheet, _) in laid.items() if record not in met and sheet in whole)
    return verdicts


def _strange_id(line: Line, laid: Laid, met: set[str]) -> str | None:
    if line.id not in laid:
        return f"id: {line.id!r} was never laid before anyone; an id must stay as it was."
    if line.id in met:
        return f"id: {line.id!r} stands twice; the first line counts."
    return None


def decide(records: Iterable[Record], verdicts: Verdicts) -> Iterator[Record | Rejection]:
    """Each record as the person wants it, or as one the person dropped. An edit outranks the machine's text."""
    for record in records:
        if record.id in verdicts.deleted or record.id in verdicts.dropped:
            yield _dropped(record)
        elif line := verdicts.edited.get(record.id):
            yield record.model_copy(
                update={
                    "question": line.question,
                    "answer": line.answer,
                    "quote": line.quote or record.quote,
                    "edited": True,
                }
            )
        else:
            yield record


def _dropped(record: Record) -> Rejection:
    return Rejection(
        cause="dropped_by_person",
        detail="A person dropped it, or deleted its line, in the review sheet.",
        kind=record.kind,
        question=record.question,
        answer=record.answer,
        quote=record.quote,
        passage=record.passage,
        field=record.field,
        request=record.request,
    )
