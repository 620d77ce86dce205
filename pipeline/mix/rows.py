"""One set's rows, streamed from its files or from the hub, each as a question with its answer and a lot of its own."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

from pipeline.errors import InputError
from pipeline.mix.files import Bad, Numbered, find_files, rows_of
from pipeline.mix.hub import revision_of, rows_of_hub
from pipeline.mix.layouts import Layout, Row, Turns, Unusable, layout_of, named_by, says_nothing
from pipeline.mix.settings import ImportedSet
from pipeline.records import lot

_PEEKED = 100
"""Rows that are looked at for a layout."""
_SHOWN = 300
"""Characters of a row that is told as faulty."""


class Ticket(NamedTuple):
    """A row that may be taken, with its lot: the lowest are taken first."""

    lot: float
    place: str
    """File and row, as `file:17`."""
    question: str
    answer: str
    context: str = ""
    earlier: tuple[str, ...] = ()


def lot_of(salt: str, texts: Sequence[str]) -> float:
    """The lot of a row: of what it says, question, answer, context and earlier turns, and of nothing else."""
    return lot(salt, "mix", *texts)


class Faulty(NamedTuple):
    """A row that is no question with its answer."""

    place: str
    cause: str
    detail: str
    shown: str = ""
    """The beginning of it, where it could be read."""


class Part(NamedTuple):
    """A file of a set, or what the hub has of it."""

    name: str
    path: Path | None
    """None: it is on the hub."""
    layout: Layout


@dataclass(frozen=True)
class OpenSet:
    """A set whose rows were found and whose layout is known."""

    name: str
    wanted: ImportedSet
    parts: tuple[Part, ...]
    revision: str
    """Of the hub: the commit that is read."""
    folder: Path
    """Where relative paths in the recipe start."""
    salt: str
    """What lots are drawn with."""
    out_of_reach: str = ""
    """Why the hub cannot be asked tonight: what was drawn of it before stands in."""

    @classmethod
    def of(cls, name: str, wanted: ImportedSet, folder: Path, salt: str) -> Self:
        """Look for the rows, and at the first of them. Raises InputError, and TryAgainLater of the hub."""
        revision = revision_of(wanted, folder) if wanted.hub else ""
        named: list[tuple[str, Path | None]] = [(f"{wanted.hub}/{wanted.split}", None)]
        if wanted.files:
            paths = find_files(wanted.files, folder)
            named = list(zip(_short_names(paths), paths, strict=True))
        parts = []
        for part, path in named:
            rows = _rows(wanted, path, folder, revision, ())
            with closing(rows):
                parts.append(Part(part, path, _layout(name, part, wanted, islice(rows, _PEEKED))))
        return cls(name, wanted, tuple(parts), revision, folder, salt)

    def rows(self) -> Iterator[Ticket | Faulty]:
        """Every row, part by part. Raises as `of` does."""
        for part in self.parts:
            for number, row in _rows(self.wanted, part.path, self.folder, self.revision, part.layout.columns):
                yield self._ticket(f"{part.name}:{number}", row, part.layout)

    def _ticket(self, place: str, row: Row | Bad, layout: Layout) -> Ticket | Faulty:
        if isinstance(row, Bad):
            return Faulty(place, "unreadable_row", f"The row cannot be read: {row.fault}.")
        try:
            turns = layout.turns(row)
            context = self._context(turns)
            texts = (turns.question, turns.answer, context, *turns.earlier)
            _encodable(texts)
        except Unusable as fault:
            return Faulty(place, fault.cause, f"The row is no question with its answer: {fault.detail}.", _shown(row))
        return Ticket(lot_of(self.salt, texts), place, turns.question, turns.answer, context, turns.earlier)

    def _context(self, turns: Turns) -> str:
        """What is shown with the question, the system prompt before it."""
        system = "" if says_nothing(turns.system) or self.wanted.system == "drop" else turns.system
        if system and self.wanted.system == "reject":
            raise Unusable("system_prompt", "it has a system prompt, and the recipe rejects those that say anything")
        return f"{system}\n\n{turns.context}" if system and turns.context else system or turns.context


def _rows(
    wanted: ImportedSet, path: Path | None, folder: Path, revision: str, columns: Sequence[str]
) -> Generator[Numbered, None, None]:
    yield from rows_of_hub(wanted, folder, revision) if path is None else rows_of(path, columns)


def _layout(name: str, part: str, wanted: ImportedSet, rows: Iterable[Numbered]) -> Layout:
    """The layout of the first rows. Raises InputError if there is none, naming what columns there are."""
    fault, columns = "it has no rows", dict[str, None]()
    for _, row in rows:
        if isinstance(row, Bad):
            fault = row.fault
            continue
        columns.update(dict.fromkeys(row))
        layout = named_by(wanted.fields) if wanted.fields else layout_of(row, wanted.format)
        if layout and (not wanted.fields or columns.keys() >= set(layout.columns)):
            return layout
    if columns:
        fault = f"its columns are {', '.join(columns)}"
    looked = "what fields: names" if wanted.fields else wanted.format.replace("auto", "a known layout")
    raise InputError(
        f"mix: {name}: {part}: {looked} was looked for in its first rows and not found: {fault}.",
        remedy="Say under fields: which column is the question and which the answer, or which holds the messages.",
    )


def _short_names(paths: Sequence[Path]) -> list[str]:
    """Names that are the same on every machine: less the folders that all have in common."""
    common = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(common).as_posix() for path in paths]


def _encodable(texts: Iterable[str]) -> None:
    try:
        for text in texts:
            text.encode()
    except UnicodeEncodeError:
        raise Unusable("broken_text", "it holds bytes or halves of characters that are no text") from None


def _shown(row: Row) -> str:
    shown = str(dict(row))
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return shown.encode("utf-8", "replace").decode()
