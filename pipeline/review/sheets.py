"""Review sheets: new records out once, a person's verdicts in at every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.files import json_lines, write_whole
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
    """What the sheets say: lines that still stand, records whose line is gone, lines that cannot be read."""

    lines: dict[str, Line] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    edited: set[str] = field(default_factory=set)


Laid = Mapping[str, tuple[str, str]]
"""Record id to (sheet, hash of its line as it was laid)."""


Note = Callable[[str, list[tuple[str, str]]], None]
"""Remembers a sheet's name and, of each record on it, the id and the hash of its line."""


def lay_sheet(folder: Path, records: Iterable[Record], laid: Laid, note: Note) -> Path | None:
    """Write the records never laid before as the next sheet; from then on the file is the person's."""
    standing = {path.name for path in folder.glob("*.jsonl")}
    lines = [_line(record) for record in records if record.id not in laid or laid[record.id][0] not in standing]
    if not lines:
        return None
    path = folder / f"{_next_number(folder, laid):04}.jsonl"
    # Noted first, for a sheet that stands but was not noted would be full of unknown ids. Killed in
    # between, the noted sheet does not stand: its records count as not laid, and are laid again.
    note(path.name, [(line.id, text_hash(line)) for line in lines])
    write_whole(path, json_lines(lines))
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
    sheets = sorted(folder.glob("*.jsonl"))
    doubtful: set[str] = set()
    for path in sheets:
        for number, raw in _raw_lines(path):
            try:
                line = Line.model_validate_json(raw)
            except ValidationError as fault:
                verdicts.problems.append(f"{path}:{number}: {_first(fault)}")
                doubtful.add(path.name)
                continue
            problem = _strange_id(line, laid, verdicts)
            if problem:
                verdicts.problems.append(f"{path}:{number}: {problem}")
                continue
            if line.review not in VERDICTS:
                verdicts.problems.append(
                    f"{path}:{number}: review: {line.review!r} is no verdict; say keep or drop. The record is kept."
                )
            verdicts.lines[line.id] = line
            if text_hash(line) != laid[line.id][1]:
                verdicts.edited.add(line.id)
    whole = {path.name for path in sheets} - doubtful
    verdicts.deleted.update(
        record for record, (sheet, _) in laid.items() if record not in verdicts.lines and sheet in whole
    )
    return verdicts


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if text.strip():
                yield number, text


def _first(fault: ValidationError) -> str:
    error = fault.errors()[0]
    where = ".".join(map(str, error["loc"]))
    return f"{where + ': ' if where else ''}{error['msg']}."


def _strange_id(line: Line, laid: Laid, verdicts: Verdicts) -> str | None:
    if line.id not in laid:
        return f"id: {line.id!r} was never laid before anyone; an id must stay as it was."
    if line.id in verdicts.lines:
        return f"id: {line.id!r} stands twice; the first line counts."
    return None


def decide(records: Iterable[Record], verdicts: Verdicts) -> tuple[list[Record], list[Rejection]]:
    """The records as the person wants them, and those the person dropped. An edit outranks the machine's text."""
    kept: list[Record] = []
    dropped: list[Rejection] = []
    for record in records:
        line = verdicts.lines.get(record.id)
        if record.id in verdicts.deleted or (line and line.review == "drop"):
            dropped.append(_dropped(record))
        elif line and record.id in verdicts.edited:
            kept.append(
                record.model_copy(
                    update={
                        "question": line.question,
                        "answer": line.answer,
                        "quote": line.quote or record.quote,
                        "edited": True,
                    }
                )
            )
        else:
            kept.append(record)
    return kept, dropped


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
