"""Running heads, feet and page numbers: what stands near a page's edge and comes back on other pages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.sources.layout import Line

_ZONE = 0.18
"""Share of a page's height, from its upper and lower edge, in which a running head or foot can stand."""
_DEPTH = 3
"""A running head or foot is among so many outermost lines; this keeps body text of tight pages safe."""
_GAP = 3.0
"""A gap of more than so many times the type size: what stands beyond it belongs to the body."""
_SAME_HEIGHT = 6.0
_PAGE_NUMBER = re.compile(
    r"(?:page |seite |p\. ?)?[-–— ]*(?:\d{1,4}|[ivxlc]{1,7})[-–— ]*(?:(?:of|/|von|de) ?\d{1,4})?$", re.I
)


@dataclass(frozen=True, slots=True)
class PageLines:
    """The lines of one page and the heights of its upper and lower edge."""

    number: int
    lines: list[Line]
    top: float
    bottom: float


def without_margins(pages: Sequence[PageLines]) -> list[list[Line]]:
    """The lines of each page but for running heads, feet and page numbers.

    A line is one of them if the same words (digits aside) stand at the same height on other pages too, if
    that height is one where most pages have such a line, or if it is nothing but a page number at the edge.
    """
    places: dict[tuple[str, str], list[tuple[int, Line]]] = defaultdict(list)
    edges = [_edge_lines(page) for page in pages]
    for index, sides in enumerate(edges):
        for side, line in sides:
            places[side, _key(line.text)].append((index, line))
    wanted = 2 if len(pages) <= 5 else 3
    running = {id(line) for found in places.values() for line in _repeated(found, wanted)}
    heights = _running_heights(edges, running, len(pages))
    kept: list[list[Line]] = []
    for page, sides in zip(pages, edges, strict=True):
        gone = {id(line) for side, line in sides if id(line) in running or _at_running_height(side, line, heights)}
        gone |= {id(line) for line in _alone_at_edge(page.lines, sides) if _PAGE_NUMBER.match(line.text)}
        kept.append([line for line in page.lines if id(line) not in gone])
    return kept if any(kept) else [page.lines for page in pages]  # the same page many times over


def _edge_lines(page: PageLines) -> list[tuple[str, Line]]:
    """(side, line) for the lines that could be a running head or foot by where they stand."""
    depth = _ZONE * (page.top - page.bottom)
    heads = {round(line.y) for line in _outermost(page.lines, -1) if line.y > page.top - depth}
    feet = {round(line.y) for line in _outermost(page.lines, 1) if line.y < page.bottom + depth} - heads
    found = [("head", line) for line in page.lines if round(line.y) in heads]
    return found + [("foot", line) for line in page.lines if round(line.y) in feet]


def _outermost(lines: Sequence[Line], direction: int) -> list[Line]:
    """The lines on the outermost baselines, as far as no wide gap parts them from the edge."""
    found: list[Line] = []
    baselines: set[int] = set()
    for line in sorted(lines, key=lambda line: direction * line.y):
        if found and abs(line.y - found[-1].y) > _GAP * max(line.size, found[-1].size):
            break
        baselines.add(round(line.y))
        if len(baselines) > _DEPTH:
            break
        found.append(line)
    return found


def _key(text: str) -> str:
    numbered = re.sub(r"\d+", "#", text.casefold())
    return re.sub(r"(?<!\w)[ivxlc]+(?!\w)", "#", numbered)


def _repeated(found: Sequence[tuple[int, Line]], wanted: int) -> list[Line]:
    """Those that stand at one height, in one size (a title is set larger), on as many pages as wanted."""
    by_height = sorted(found, key=lambda one: one[1].y)
    return [
        line
        for level in _alike(by_height, lambda upper, lower: lower.y - upper.y <= _SAME_HEIGHT)
        for alike in _alike(sorted(level, key=lambda one: one[1].size), lambda one, other: other.size <= 1.1 * one.size)
        if len({index for index, _ in alike}) >= wanted
        for _, line in alike
    ]


def _alike(found: Sequence[tuple[int, Line]], near: Callable[[Line, Line], bool]) -> list[list[tuple[int, Line]]]:
    """Cut wherever two neighbours are not near each other."""
    groups: list[list[tuple[int, Line]]] = []
    for one in found:
        if groups and near(groups[-1][-1][1], one[1]):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _running_heights(
    edges: Sequence[Sequence[tuple[str, Line]]], running: set[int], pages: int
) -> list[tuple[str, float, float]]:
    """(side, height, size) wherever at least half of the pages have a running line."""
    seen: dict[tuple[str, float, float], set[int]] = defaultdict(set)
    for index, sides in enumerate(edges):
        for side, line in sides:
            if id(line) in running:
                seen[side, round(line.y / 2) * 2, round(line.size, 1)].add(index)
    return [place for place, found in seen.items() if pages > 3 and len(found) >= 0.5 * pages]


def _at_running_height(side: str, line: Line, heights: Sequence[tuple[str, float, float]]) -> bool:
    return any(
        side == where and abs(line.y - height) <= 2 and abs(line.size - size) <= 0.2 for where, height, size in heights
    )


def _alone_at_edge(lines: Sequence[Line], sides: Sequence[tuple[str, Line]]) -> list[Line]:
    """The highest and the lowest line, where they stand alone on their baseline and near the edge."""
    found = []
    for end in (max, min):
        height = end((line.y for line in lines), default=0.0)
        level = [line for line in lines if abs(line.y - height) <= 1]
        found += [line for _, line in sides if len(level) == 1 and line is level[0]]
    return found
