"""Pieces of text as a PDF places them, put together into lines that know where they stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.sources.clean import NOTE_MARK, is_unspaced, raised, repaired, with_plain_bullets

MARK = re.compile(r"(?:[•*!–—-]|o|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d{1,2}(?:[.-]\d{1,2})+\.?)$")
"""What can stand before a list item, a heading or a numbered paragraph: never a cell of its own."""

_CELL_GAP = 1.1
"""A gap of more ems than this parts two cells. Word gaps in justified text stay below one em."""
_MARK_GAP = 6.0
_WORD_GAP = 0.15
_SURE_WORD_GAP = 0.4
_INVISIBLE = 0.5
"""Type smaller than this many points is not there to be read."""
_FARTHEST = 1e6
_LEVEL = 8.0
"""Points; a mark stands less than three times this above its line, in type of any usual size."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One run of text in reading coordinates: x grows along the line, y falls down the page."""

    text: str
    x: float
    y: float
    width: float
    size: float
    bold: bool
    unsure: bool
    """Whether a blank stands before it is for the gap to say: the reader only inferred a blank or a break."""

    @property
    def end(self) -> float:
        """Where the next letter would stand."""
        return self.x + self.width


@dataclass(frozen=True, slots=True)
class PageText:
    """What a reader finds on one page: the same whichever reader it is."""

    fragments: list[tuple[int, Fragment]]
    """(quarter turns of its baseline, fragment) for each run of text, in the order of drawing."""
    box: tuple[float, float, float, float]
    """What is shown of the page: left, bottom, right, top."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one baseline of one column, or one row of a table (`row`)."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    row: bool = False


def turned(x: float, y: float, turn: int) -> tuple[float, float]:
    """Page coordinates as someone sees them who reads along a baseline turned by so many quarters."""
    x, y = float(x), float(y)
    return ((x, y), (y, -x), (-x, -y), (-y, x))[turn]


def is_visible(fragment: Fragment) -> bool:
    """Large enough to be read, and neither at infinity, nor at no number, nor miles off the page."""
    places = (fragment.x, fragment.y, fragment.width, fragment.size)
    return fragment.size >= _INVISIBLE and all(abs(place) < _FARTHEST for place in places)


def is_bold(font_name: str) -> bool:
    """As far as the name of its font tells."""
    return re.search(r"bold|black|heavy|demi", font_name, re.I) is not None


def lines_of(fragments: Sequence[Fragment]) -> list[Line]:
    """The fragments of one page as lines, in the order in which the file draws them.

    That order is kept because it is nearly always the order of reading: columns come one after the other,
    and right-to-left text comes as it is spoken.
    """
    groups: list[list[Fragment]] = []
    for fragment in fragments:
        if not fragment.text.strip():
            _note_blank(groups, fragment)
        elif groups and _continues(groups[-1], fragment):
            groups[-1].append(fragment)
        else:
            groups.append([fragment])
    return [line for group in groups if (line := _line(group)).text]


def without_marks(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page but for those that are only the mark of a note, drawn after the line they stand above."""
    levels: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        levels[round(line.y / _LEVEL)].append(line)

    def is_mark(line: Line) -> bool:
        if not NOTE_MARK.match(line.text):
            return False
        level = round(line.y / _LEVEL)
        return any(
            _is_raised(line, other.y, other.size) and other.x0 - other.size < line.x0 < other.x1 + other.size
            for near in range(level - 3, level + 1)
            for other in levels[near]
        )

    return [line for line in lines if not is_mark(line)]


def _note_blank(groups: list[list[Fragment]], blank: Fragment) -> None:
    """A run of blanks alone parts its neighbours; it has no place of its own."""
    if groups:
        last = groups[-1][-1]
        groups[-1][-1] = replace(last, text=last.text.rstrip() + " ")


def _continues(group: Sequence[Fragment], fragment: Fragment) -> bool:
    last, size = group[-1], max(group[0].size, fragment.size)
    if abs(fragment.y - group[0].y) > 0.45 * size and not _is_raised(fragment, group[0].y, group[0].size):
        return False
    if _reads_leftwards(last.text + fragment.text):
        return True  # runs of both directions overlap in ways that say nothing about gaps
    gap = max(fragment.x - last.end, last.x - fragment.end)
    if MARK.match(with_plain_bullets("".join(piece.text for piece in group)).strip()):
        return gap <= _MARK_GAP * size
    return gap <= _CELL_GAP * size


def _line(group: Sequence[Fragment]) -> Line:
    size = _size(group)
    base = next((piece.y for piece in group if piece.size >= 0.8 * size), group[0].y)
    text, last = "", None
    for piece in group:
        shown = raised(piece.text, text) if last is not None and _is_raised(piece, base, size) else piece.text
        if shown != piece.text:
            last = replace(piece, text=piece.text[len(piece.text.rstrip()) :])
            text += shown + last.text
            continue
        if last is not None and text and _parted(last, piece):
            text += " "
        text += piece.text
        last = piece
    letters = sum(len(piece.text.strip()) for piece in group)
    bold = sum(len(piece.text.strip()) for piece in group if piece.bold)
    x0, x1 = min(piece.x for piece in group), max(piece.end for piece in group)
    cleaned = _unspread(repaired(text.replace("\n", " ")))
    if _reads_leftwards(cleaned):
        x0, x1 = -x1, -x0  # mirrored, so that "starts further in" means the same in both directions
    return Line(cleaned, x0, x1, base, size, bold >= 0.9 * letters)


def _size(group: Sequence[Fragment]) -> float:
    """The size most characters have; small capitals count as the size of their initials."""
    shown = "".join(piece.text for piece in group)
    if shown.isupper():
        return max(piece.size for piece in group)
    weights: dict[float, int] = {}
    for piece in group:
        weights[piece.size] = weights.get(piece.size, 0) + len(piece.text.strip())
    return max(weights, key=lambda size: (weights[size], size))


def _parted(last: Fragment, piece: Fragment) -> bool:
    """Whether a blank belongs between two pieces of one line.

    Where the file draws them in one go its own blanks are there; where the reader only inferred a blank or a
    break (each word placed by itself), the gap decides.
    """
    if last.text[-1:].isspace() or piece.text[:1].isspace():
        return False
    if last.text and is_unspaced(last.text[-1]) and is_unspaced(piece.text[0]):
        return False
    gap = max(piece.x - last.end, last.x - piece.end) / max(last.size, piece.size)
    return gap > (_WORD_GAP if piece.unsure else _SURE_WORD_GAP)


def _is_raised(piece: Fragment | Line, base: float, size: float) -> bool:
    """Small type above the line: the mark of a note, an exponent, the end of an ordinal."""
    return piece.size < 0.8 * size and 0.15 * size < piece.y - base < 0.75 * size


def _unspread(text: str) -> str:
    """`C H A P T E R` set with a blank between its letters, as one word."""
    return re.sub(r"(?<!\S)(?:[A-Z] ){3,}[A-Z](?!\S)", lambda match: match.group().replace(" ", ""), text)


def _reads_leftwards(text: str) -> bool:
    if text.isascii():
        return False
    leftwards = sum("\u0590" <= mark <= "\u08ff" for mark in text)
    return leftwards > 0.5 * sum(mark.isalpha() for mark in text)
