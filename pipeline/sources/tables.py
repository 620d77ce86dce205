"""Tables found by where their cells stand: lines side by side become rows, all else stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

from pipeline.sources.clean import joined, word_count
from pipeline.sources.layout import Line

CELL_BORDER = " | "
_LEADING = 1.9
"""A line further below than this many times its size does not belong to the cell above."""
_TIGHT = 1.3
_TALLEST_CELL = 15
"""More lines than this in one cell mean columns of text."""
_ALIGNED = 3.0
_LOOSEST = 2.5
"""Ems between two words of a line that was spread to fill its measure, at most."""
_DEEPEST_INDENT = 5.0

Cell = list[Line]
Band = list[Cell]


def with_rows(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page, those of tables replaced by one line a row.

    Columns of running text also stand side by side. They are told apart by their length: a table has
    several short rows below one another whose cells start at the same places.
    """
    if _is_all_table(lines):
        return _zipped([[line] for line in lines])
    result: list[Line] = []
    group: list[Band] = []
    for band in _bands(lines):
        if len(band) > 1:
            group.append(band)
        elif group and _wrapped_into(group[-1], band[0]):
            continue
        else:
            result += _settled(group, [*result[-1:], *band[0][:1]])
            group = []
            result += band[0]
    return result + _settled(group, result[-1:])


def _is_all_table(lines: Sequence[Line]) -> bool:
    """A page of short entries most of which stand beside at least two others, in whatever order they came."""
    heights = Counter(round(line.y) for line in lines)
    beside = sum(heights[round(line.y)] > 2 for line in lines)
    return beside >= 12 and beside > 0.6 * len(lines) and fmean(word_count(line.text) for line in lines) <= 4


def _bands(lines: Sequence[Line]) -> list[Band]:
    """Lines into cells (lines right below one another), cells side by side into bands."""
    bands: list[Band] = []
    for line in lines:
        band = bands[-1] if bands else []
        if band and _is_below(band[-1], line) and all(_is_clear(one, line) for cell in band[:-1] for one in cell):
            band[-1].append(line)
        elif band and (start := _beside(band, line)) is not None:
            if start > 0:  # the cell began inside a longer run of lines: what stands above it goes free
                bands.insert(-1, [band[0][:start]])
                del band[0][:start]
            band.append([line])
        else:
            bands.append([[line]])
    return bands


def _is_below(cell: Cell, line: Line) -> bool:
    last, drop = cell[-1], cell[-1].y - line.y
    overlaps = line.x0 < max(one.x1 for one in cell) and line.x1 > min(one.x0 for one in cell)
    return 0.3 * line.size < drop <= _LEADING * max(last.size, line.size) and overlaps


def _beside(band: Band, line: Line) -> int | None:
    """Where in the band's last cell the part begins that `line` stands beside, or None."""
    cell = band[-1]
    near = [index for index, one in enumerate(cell) if abs(one.y - line.y) <= 0.75 * max(one.size, line.size)]
    if not near:
        top, size = cell[0].y, max(cell[0].size, line.size)
        if len(band) == 1 or not 0 < line.y - top <= 3 * size:
            return None
        near = [0]  # a taller cell, centred beside a shorter one
    start = near[0] if len(band) == 1 else 0
    while len(band) == 1 and start > 0 and _is_tight(cell[start - 1], cell[start]) and _is_clear(cell[start - 1], line):
        start -= 1
    return start if all(_is_clear(one, line) for one in cell[start:]) else None


def _is_clear(one: Line, other: Line) -> bool:
    """No part of one stands above or below the other."""
    return other.x0 >= one.x1 - 1 or other.x1 <= one.x0 + 1


def _is_tight(upper: Line, lower: Line) -> bool:
    return upper.y - lower.y <= _TIGHT * lower.size and abs(upper.x0 - lower.x0) <= 1


def _wrapped_into(band: Band, extra: Cell) -> bool:
    """Adds to its cell a line that wrapped in another column than the last; False if it belongs to none."""
    lowest = min(line.y for cell in band for line in cell)
    if len(extra) > 2 or not 0 < lowest - extra[0].y <= 1.4 * extra[0].size:
        return False
    for cell in band[1:-1]:
        if abs(cell[0].x0 - extra[0].x0) <= _ALIGNED:
            cell.extend(extra)
            return True
    return False


def _settled(group: list[Band], around: Sequence[Line]) -> list[Line]:
    if not group:
        return []
    if len(group) > 1 and _aligned(group) and not _are_columns(group):
        return [line for band in group for line in (_zipped(band) if _is_column_major(band, 6) else [_row(band)])]
    lines: list[Line] = []
    for band in group:
        lines += _alone(band, [*around, *lines[-1:]])
    return lines


def _alone(band: Band, around: Sequence[Line]) -> list[Line]:
    """A band with no like beside it: a table drawn column by column, one row, one loose line, or columns."""
    if _is_column_major(band, 3):
        return _zipped(band)
    tallest = max(len(cell) for cell in band)
    if tallest > 2 or (tallest > 1 and fmean(word_count(line.text) for cell in band for line in cell) >= 5):
        return [line for cell in band for line in cell]
    if all(len(cell) == 1 for cell in band) and any(_fits_text(band, line) for line in around):
        return [_in_one(band, " ")]
    return [_row(band)]


def _aligned(group: Sequence[Band]) -> bool:
    """Whether the second cells start, end or centre at one place in at least half of the bands."""
    firsts = [band[1][0] for band in group]
    places = [line.x0 for line in firsts], [line.x1 for line in firsts], [line.x0 + line.x1 for line in firsts]
    return any(
        max(sum(abs(spot - other) <= _ALIGNED for other in spots) for spot in spots) >= 0.5 * len(spots) + 0.5
        for spots in places
    )


def _are_columns(group: Sequence[Band]) -> bool:
    return any(len(cell) > _TALLEST_CELL and not _is_column_major(band, 6) for band in group for cell in band)


def _is_column_major(band: Band, rows: int) -> bool:
    """Each cell is really a whole column: many short lines, as many in each, give or take a missing entry."""
    if min(len(cell) for cell in band) < rows:
        return False
    return fmean(word_count(line.text) for cell in band for line in cell) <= 4


def _zipped(band: Band) -> list[Line]:
    """A table drawn column by column, read row by row."""
    rows: list[Band] = []
    for line in sorted((line for cell in band for line in cell), key=lambda line: -line.y):
        if rows and abs(rows[-1][0][0].y - line.y) <= 0.5 * line.size:
            rows[-1].append([line])
        else:
            rows.append([[line]])
    return [_row(sorted(row, key=lambda cell: cell[0].x0)) for row in rows]


def _fits_text(band: Band, line: Line) -> bool:
    """A loosely set line of a paragraph: it fills the measure of the line above or below it."""
    first, last = band[0][0], band[-1][-1]
    gaps = [after[0].x0 - before[-1].x1 for before, after in pairwise(band)]
    near = abs(line.y - first.y) <= _LEADING * first.size and abs(line.size - first.size) <= 0.1 * first.size
    indent = abs(line.x0 - first.x0) <= _DEEPEST_INDENT * first.size
    measured = abs(line.x1 - last.x1) <= 0.1 * (line.x1 - line.x0)
    return near and indent and measured and not line.row and max(gaps) <= _LOOSEST * first.size


def _row(band: Band) -> Line:
    return replace(_in_one(band, CELL_BORDER), row=True)


def _in_one(band: Band, border: str) -> Line:
    lines = [line for cell in band for line in cell]
    text = border.join(joined([line.text for line in cell], frozenset()).replace("|", "/") for cell in band)
    return replace(lines[0], text=text, x0=min(line.x0 for line in lines), x1=max(line.x1 for line in lines))
