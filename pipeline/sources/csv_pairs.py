"""CSV files of question-answer pairs, so read that a broken row takes none of its neighbours with it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.sources.blocks import Reading, ReadLimits, Unreadable
from pipeline.sources.pairs import Fields, NoPair, Pairs, fields_of, holds_no_pairs
from pipeline.sources.plain import characters

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_NOT_CLOSED = "a quote opens in it and is not closed"


class Row(NamedTuple):
    """The cells of one row, or why it has none."""

    line: int
    """On which it begins, from 1."""
    cells: tuple[str, ...]
    fault: str = ""


def read_csv(path: Path, limits: ReadLimits) -> Reading:
    """A table whose first row names a question and an answer, parted by commas, semicolons or tabs.

    Raises Unreadable if it is another table, or none of its rows holds a pair.
    """
    csv.field_size_limit(limits.characters)
    text, warnings = characters(path, limits)
    lines = text.removesuffix("\n").split("\n")
    separator, head, fields = _table(lines)
    names = head.cells
    if unused := ", ".join(filter(None, fields.unused(names))):
        warnings.append(f"neither question nor answer, and left out: {unused[:200]}")
    pairs = Pairs(limits)
    for row in rows(lines, separator, len(names)):
        if row.line <= head.line:
            continue
        try:
            pairs.add(row.line, *_pair(row, fields, len(names)))
        except NoPair as fault:
            pairs.leave_out(row.line, fault)
        if pairs.is_full:
            warnings.append(f"only the first {row.line} of {len(lines)} lines were read: the rest is over the limit")
            break
    return pairs.reading("line", len(lines), warnings, "csv")


def _table(lines: Sequence[str]) -> tuple[str, Row, Fields]:
    """The sign between the cells, the first row, and where the pair stands in it.

    It is the sign by which the first row falls into names of a question and an answer. Counting signs, as
    `csv.Sniffer` does, would mistake the commas of prose for the file's own.
    """
    head = next(place for place, line in enumerate(lines) if line.strip())
    if "\0" in lines[head]:
        raise Unreadable("unsupported", "it is not text: it holds zero bytes")
    for separator in _SEPARATORS:
        for row in rows(lines[: head + 1], separator):
            fields = fields_of(row.cells)
            if fields:
                return separator, row, fields
    raise holds_no_pairs(f"its first row is {lines[head][:100]!r}")


def rows(lines: Sequence[str], separator: str, columns: int = 0) -> Iterator[Row]:
    """The rows of a file, given its lines without their ends; empty ones are skipped.

    A row is broken where its quotes are, or where it runs over several lines and does not come to as many cells as
    there are `columns`: a quote that is never closed would swallow all up to the next one. Reading goes on with the
    line after the one that it begins on, so that no line is read more than twice.
    """
    begin = 0
    while begin < len(lines):
        start = line = begin
        begin = len(lines)
        rest = (f"{lines[place]}\n" for place in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=separator, strict=True)
        try:
            for cells in reader:
                after = start + reader.line_num
                if columns and after - line > 1 and len(cells) != columns:
                    raise csv.Error(_NOT_CLOSED)
                if any(cells):
                    yield Row(line + 1, tuple(cells))
                line = after
        except csv.Error as fault:
            runs_on = start + reader.line_num > line + 1 or str(fault).startswith("unexpected end")
            yield Row(line + 1, (), _NOT_CLOSED if runs_on else _said(fault, separator))
            begin = line + 1


def _said(fault: csv.Error, separator: str) -> str:
    if "expected after" in str(fault):
        return f"after a closing quote {_SEPARATORS[separator]} has to stand; a quote inside quotes is written twice"
    return str(fault)


def _pair(row: Row, fields: Fields, columns: int) -> tuple[list[str], str]:
    """The question's parts and the answer. Raises NoPair."""
    if row.fault:
        raise NoPair(row.fault)
    if len(row.cells) > columns or len(row.cells) <= max(fields.answer, *fields.question):
        raise NoPair(
            f"it has {len(row.cells)} cell{'' if len(row.cells) == 1 else 's'}, and the first row has {columns}"
        )
    if any("\0" in cell for cell in row.cells):
        raise NoPair("it holds zero bytes")
    return [row.cells[column] for column in fields.question], row.cells[fields.answer]
