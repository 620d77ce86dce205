"""Lines of a page that belong together: headings, paragraphs, list items and table rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from pipeline.sources.blocks import Kind
from pipeline.sources.clean import word_count
from pipeline.sources.layout import Line

ITEM = re.compile(r"(?:[•*!–—-]|o|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]) +(?=\S)")
NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|appendix)\s+)?(\d{1,2}(?:\.\d{1,2})*|[IVX]{1,5}|[A-Z])\.?\s+[^\W\d_]", re.I
)
TERMINAL = re.compile(r"[.!?:;。！？؟…][\"'”’)\]»]*$")
_LONGEST_HEADING = 160
_MOST_HEADING_WORDS = 20
_LARGER = 1.12
"""Times the body's size from which type counts as set larger."""
INDENT = 0.8
_APART = 1.35
"""Times the usual leading from which a gap parts two paragraphs."""


@dataclass(frozen=True, slots=True)
class Body:
    """How the running text of a document is set: what headings differ from."""

    size: float
    bold: bool
    leading: float
    """Distance of two baselines, in ems."""


@dataclass(slots=True, eq=False)
class Run:
    """Lines that will be one block."""

    kind: Kind
    lines: list[Line] = field(default_factory=list)

    @property
    def last(self) -> Line:
        """Where it ends."""
        return self.lines[-1]


def body_of(pages: Sequence[Sequence[Line]]) -> Body:
    """The type most characters of the document are set in."""
    sizes: Counter[float] = Counter()
    bold: Counter[bool] = Counter()
    leadings: list[float] = []
    for lines in pages:
        for index, line in enumerate(lines):
            if line.row:
                continue
            sizes[round(line.size * 2) / 2] += len(line.text)
            bold[line.bold] += len(line.text)
            drop = (lines[index - 1].y - line.y) / max(line.size, 1) if index else 0
            if 0.8 < drop < 2.5:
                leadings.append(drop)
    if not sizes:
        return Body(12.0, False, 1.2)
    return Body(sizes.most_common(1)[0][0], bold[True] > bold[False], median(leadings) if leadings else 1.2)


def runs_of(lines: Sequence[Line], body: Body) -> list[Run]:
    """The lines of one page, in the order of the file, those of one block together."""
    runs: list[Run] = []
    margins = right_margins(lines)
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        previous = lines[index - 1] if index else None
        kind = _kind(line, previous, following, body)
        if runs and _joins(runs[-1], line, kind, body, margins):
            runs[-1].lines.append(line)
        else:
            runs.append(Run(kind, [line]))
    for run in runs:
        if run.kind == "heading" and _is_too_long(run):
            run.kind = "prose"
    return runs


def _kind(line: Line, previous: Line | None, following: Line | None, body: Body) -> Kind:
    if line.row:
        return "row"
    apart = _stands_apart(line, previous, body) and _stands_apart(following, line, body)
    if _is_heading(line, apart, body):
        return "heading"
    if ITEM.match(line.text) and _starts_item(line, previous, body):
        return "item"
    return "prose"


def _is_heading(line: Line, apart: bool, body: Body) -> bool:
    letters = sum(mark.isalpha() for mark in line.text)
    if letters < 2 or len(line.text) > _LONGEST_HEADING or word_count(line.text) > _MOST_HEADING_WORDS:
        return False
    if line.size >= _LARGER * body.size:
        return not (line.text.endswith((".", ",", ";")) and word_count(line.text) > 12)
    if line.size < 0.9 * body.size or line.text.endswith((".", ",", ";", ":")) or line.text[:1] in "•*–-":
        return False
    if line.bold and not body.bold:
        return True
    numbered = NUMBERED.match(line.text) and line.text[:1].isupper() | line.text[:1].isdigit()
    return apart and letters >= 4 and (line.text.isupper() or (bool(numbered) and word_count(line.text) <= 10))


def _is_too_long(run: Run) -> bool:
    text = " ".join(line.text for line in run.lines)
    return len(run.lines) > 4 or len(text) > 2 * _LONGEST_HEADING or word_count(text) > 30


def _stands_apart(lower: Line | None, upper: Line | None, body: Body) -> bool:
    """Whether there is more than a usual gap, or the page's edge, between two lines."""
    if lower is None or upper is None:
        return True
    drop = upper.y - lower.y
    return drop < 0 or drop > _APART * body.leading * max(lower.size, upper.size)


def _starts_item(line: Line, previous: Line | None, body: Body) -> bool:
    """A number at the start of a line is an item's only if the line before can have ended there."""
    if line.text[0] in "•*!" or previous is None or previous.row:
        return True
    fresh = TERMINAL.search(previous.text) or previous.bold or abs(previous.x0 - line.x0) > INDENT * line.size
    return bool(fresh) or _stands_apart(line, previous, body) or bool(ITEM.match(previous.text))


def _joins(run: Run, line: Line, kind: Kind, body: Body, margins: Sequence[tuple[float, float]]) -> bool:
    """Whether `line` goes on with the block `run`."""
    last = run.last
    if "row" in {kind, run.kind} or kind == "item" or (kind == "heading") != (run.kind == "heading"):
        return False
    drop = last.y - line.y
    same_type = abs(last.size - line.size) <= 0.12 * max(last.size, line.size)
    if kind == "heading":
        gap = 0 < drop <= 1.5 * line.size
        return gap and same_type and last.bold == line.bold and not NUMBERED.match(line.text)
    if not same_type or (last.bold != line.bold and TERMINAL.search(last.text)):
        return False
    if not -0.5 * line.size <= drop <= _APART * body.leading * max(last.size, line.size):
        return False  # the next column, or past a picture: `flow` looks at that
    return not _starts_paragraph(run, line, margins)


def _starts_paragraph(run: Run, line: Line, margins: Sequence[tuple[float, float]]) -> bool:
    last, em = run.last, line.size
    ended = bool(TERMINAL.search(last.text))
    full = margin_at(last.x0, margins)
    short = full is not None and last.x1 < full - 0.15 * (full - last.x0)
    if run.kind == "item" and line.x0 < run.lines[0].x0 - 0.3 * em:
        return ended
    if run.kind == "item" and line.x0 > run.lines[0].x0 + 0.3 * em:
        return False
    if line.x0 > last.x0 + INDENT * em:
        return ended or short
    if line.x0 < last.x0 - INDENT * em and len(run.lines) > 1:
        return ended
    return ended and short and not line.text[:1].islower()


def right_margins(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """(left edge, where its longest lines end) for each column edge of a page."""
    edges: dict[float, float] = {}
    for line in lines:
        if not line.row:
            edge = round(line.x0 / 6) * 6
            edges[edge] = max(edges.get(edge, line.x1), line.x1)
    return sorted(edges.items())


def margin_at(x0: float, margins: Sequence[tuple[float, float]]) -> float | None:
    """Where the longest line of a column ends that begins near `x0`."""
    near = [end for edge, end in margins if abs(edge - x0) <= 36]
    return max(near) if near else None
