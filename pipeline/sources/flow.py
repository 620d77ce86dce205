"""What columns and pages break is put together again, and lines become blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.sources.blocks import Block
from pipeline.sources.clean import joined
from pipeline.sources.layout import Line
from pipeline.sources.runs import INDENT, NUMBERED, TERMINAL, Body, Run, margin_at, right_margins, runs_of
from pipeline.sources.sentences import split_sentences

_SMALL = 0.95
"""Times the body's size: notes, captions and the words of figures are set smaller than this."""
_FULL = 0.1
"""A line that ends short of its measure by less than this share of it had no room for another word."""
_DEEPEST_INDENT = 5.0
"""Ems; what begins further in stands in another column."""
_LONGEST_TAIL = 1500
"""Characters of a sentence that are moved to the page it begins on; what is longer is no sentence."""


@dataclass(frozen=True, slots=True)
class _Page:
    """The runs of one page, and where the lines of its columns begin and end."""

    runs: list[Run]
    margins: list[tuple[float, float]]


def blocks_of(pages: Sequence[Sequence[Line]], body: Body, words: frozenset[str]) -> list[list[Block]]:
    """The blocks of each page; heading levels are ranked over the whole document.

    A paragraph that a column's end breaks is one block, notes come after the text of their page, and a sentence
    that a page's end breaks stands whole on the page that it begins on.
    """
    made = [_made(lines, body) for lines in pages]
    levels = _levels([page.runs for page in made])
    texts = {id(run): joined((line.text for line in run.lines), words) for page in made for run in page.runs}
    for upper, lower in _broken(made, body):
        texts[id(upper)], texts[id(lower)] = _mended(texts[id(upper)], texts[id(lower)], words)
    return [
        [
            Block(run.kind, texts[id(run)], levels.get(_style(run), 0) if run.kind == "heading" else 0)
            for run in page.runs
            if texts[id(run)]
        ]
        for page in made
    ]


def _made(lines: Sequence[Line], body: Body) -> _Page:
    page = _Page(_notes_last(runs_of(lines, body), body), right_margins(lines))
    place = 0
    while place < len(page.runs):
        after = place + 1 if _is_small(page.runs[place], body) else _next_of_text(page.runs, place + 1, body)
        if after is not None and _is_broken_before(page, place, after):
            page.runs[place].lines += page.runs.pop(after).lines
        else:
            place += 1
    return page


def _notes_last(runs: list[Run], body: Body) -> list[Run]:
    """Small type below all of the column it stands in goes after the text, wherever the file draws it."""
    columns: dict[int, tuple[float, float, float]] = {}
    for line in (line for run in runs if not _is_small(run, body) for line in run.lines):
        x0, x1, y = columns.get(round(line.x0 / 6), (line.x0, line.x1, line.y))
        columns[round(line.x0 / 6)] = min(x0, line.x0), max(x1, line.x1), min(y, line.y)

    def is_note(run: Run) -> bool:
        top = run.lines[0]
        feet = [y for x0, x1, y in columns.values() if x0 < top.x1 and x1 > top.x0]
        return _is_small(run, body) and bool(feet) and min(feet) > top.y

    return sorted(runs, key=is_note)


def _is_small(run: Run, body: Body) -> bool:
    return run.kind != "heading" and run.lines[0].size < _SMALL * body.size


def _is_text(run: Run, body: Body) -> bool:
    return run.kind in {"prose", "item"} and not _is_small(run, body)


def _next_of_text(runs: Sequence[Run], start: int, body: Body) -> int | None:
    """Where the next paragraph is, past what may float between two parts of one: notes, captions, tables."""
    for place in range(start, len(runs)):
        if runs[place].kind == "prose" and not _is_small(runs[place], body):
            return place
        if runs[place].kind in {"heading", "item"}:
            return None
    return None


def _is_broken_before(page: _Page, place: int, after: int) -> bool:
    """Whether a column's end, or what floats between them, parts two runs that are one paragraph."""
    if after == len(page.runs) or page.runs[place].kind not in {"prose", "item"} or page.runs[after].kind != "prose":
        return False
    last, first = page.runs[place].last, page.runs[after].lines[0]
    if -0.5 * first.size < last.y - first.y < 3 * first.size:
        return False  # right below: whether it belongs there has been looked at
    if any(run.kind == "row" for run in page.runs[place:after]) and not first.text[:1].islower():
        return False
    return _goes_on(page.runs[place], page, page.runs[after], page)


def _goes_on(upper: Run, above: _Page, lower: Run, below: _Page) -> bool:
    """Whether two parts are one paragraph, by what stands at the end of the one and the beginning of the other.

    They are if the second begins in small letters, or if no word had room in the last line of the first and the second
    has no indent: in German every noun begins with a capital, and Chinese has none.
    """
    last, first = upper.last, lower.lines[0]
    if TERMINAL.search(last.text) or last.bold != first.bold or abs(last.size - first.size) > 0.12 * last.size:
        return False
    if first.text[:1].islower():
        return True
    end = margin_at(last.x0, above.margins)
    is_full = end is not None and last.x1 >= end - _FULL * (end - last.x0)
    return is_full and not any(INDENT < (first.x0 - edge) / first.size < _DEEPEST_INDENT for edge, _ in below.margins)


def _broken(pages: Sequence[_Page], body: Body) -> Iterator[tuple[Run, Run]]:
    """The last paragraph of a page with the first of the next, where they are one."""
    for above, below in pairwise(pages):
        upper = next((run for run in reversed(above.runs) if run.kind == "heading" or _is_text(run, body)), None)
        first = _next_of_text(below.runs, 0, body)
        if upper is None or upper.kind == "heading" or first is None:
            continue
        if _goes_on(upper, above, below.runs[first], below):
            yield upper, below.runs[first]


def _mended(upper: str, lower: str, words: frozenset[str]) -> tuple[str, str]:
    """Two parts of a paragraph with the sentence between them whole at the end of the first."""
    whole = joined((upper, lower), words)
    end = next(end for _, end in split_sentences(whole) if end >= len(upper))
    if end - len(upper) > _LONGEST_TAIL:
        return upper, lower
    return whole[:end], whole[end:].lstrip()


def _style(run: Run) -> tuple[float, bool, int]:
    """Larger before smaller, bold before plain, 1 before 1.1."""
    line = run.lines[0]
    number = NUMBERED.match(line.text)
    depth = number.group(1).count(".") if number else 0
    return (-round(line.size * 2) / 2, not line.bold, depth)


def _levels(pages: Sequence[Sequence[Run]]) -> dict[tuple[float, bool, int], int]:
    """Depth by style. Type met only on a page without any text, a cover, heads nothing and gets none."""
    styles: set[tuple[float, bool, int]] = set()
    on_covers: Counter[tuple[float, bool, int]] = Counter()
    for runs in pages:
        found = {_style(run) for run in runs if run.kind == "heading"}
        if any(run.kind != "heading" for run in runs):
            styles |= found
        else:
            on_covers.update(found)
    styles |= {style for style, count in on_covers.items() if count > 1}
    return {style: rank for rank, style in enumerate(sorted(styles), 1)}
