"""Sections and documents as the passages in them: what is summed up, and how what is too long is taken in pieces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Literal, NamedTuple

from pipeline.records import Passage

Level = Literal["section", "document"]


class Unit(NamedTuple):
    """A section or a document, less what is held out of it; or of one that is held out whole all of it."""

    level: Level
    document: str
    heading: tuple[str, ...]
    """Down to its own, outermost first."""
    passages: tuple[Passage, ...]

    @property
    def title(self) -> str:
        """What the document is called: its outermost heading, else its file's name."""
        return self.heading[0] if self.heading else PurePath(self.document).stem.replace("_", " ")


def units_of(passages: Sequence[Passage], held_out: Callable[[Passage], bool], fewest: int) -> Iterator[Unit]:
    """Each document, then its sections in order; a section that holds all of a larger one stands for it.

    A summary of trained and held-out passages together would tell what the student is examined on.
    """
    for document, of in groupby(passages, key=lambda passage: passage.document):
        every = list(of)
        top = _common([passage.heading for passage in every])
        yield Unit("document", document, top, _one_side(every, held_out))
        found: dict[tuple[Passage, ...], Unit] = {}
        for heading, members in _by_heading(every).items():
            if len(members) < len(every) and len(inside := _one_side(members, held_out)) >= fewest:
                found[tuple(members)] = Unit("section", document, heading, inside)
        yield from found.values()


def _by_heading(passages: Sequence[Passage]) -> dict[tuple[str, ...], list[Passage]]:
    """Each heading with the passages under it and under those below it, larger sections before those in them."""
    found: defaultdict[tuple[str, ...], list[Passage]] = defaultdict(list)
    for passage in passages:
        for depth in range(1, len(passage.heading) + 1):
            found[passage.heading[:depth]].append(passage)
    return found


def _one_side(passages: Sequence[Passage], held_out: Callable[[Passage], bool]) -> tuple[Passage, ...]:
    return tuple(passage for passage in passages if not held_out(passage)) or tuple(passages)


def _common(headings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all stand under."""
    first, last = min(headings), max(headings)
    depth = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:depth]


def pieces_of(passages: Sequence[Passage], largest: int) -> list[tuple[Passage, ...]]:
    """The passages in order, as many together as have so many characters; a passage alone may have more."""
    pieces: list[list[Passage]] = []
    room = 0
    for passage in passages:
        if not pieces or len(passage.text) > room:
            pieces.append([])
            room = largest
        pieces[-1].append(passage)
        room -= len(passage.text)
    return [tuple(piece) for piece in pieces]
