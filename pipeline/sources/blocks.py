"""What a reader hands over: blocks of text page by page, or the fate that left it without any."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["heading", "prose", "item", "row"]
Fate = Literal[
    "encrypted", "scanned", "gibberish", "empty", "truncated", "damaged", "not-a-pdf", "too-slow", "unsupported"
]


@dataclass(frozen=True, slots=True)
class Block:
    """One line of cleaned text that stands for itself: it holds no line break."""

    kind: Kind
    """`heading`, `prose` (one paragraph), `item` (one list item with its mark) or `row` (of a table,
    its cells parted by " | ")."""
    text: str
    level: int = 0
    """Depth of a heading from 1, outermost first; 0 for display type that heads nothing, and for all else."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What reading one file may cost; past a limit the file, or the rest of it, stays unread and says so."""

    seconds: float = 60
    memory_mib: int = 2048
    file_mib: int = 512
    pages: int = 5000
    characters: int = 20_000_000


@dataclass(slots=True)
class Reading:
    """What came out of one file: numbered pages of blocks, and what a person should know about them."""

    pages: list[tuple[int, list[Block]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Unreadable(Exception):
    """The whole file is of no use; `cause` is a sentence for whoever supplied it."""

    def __init__(self, fate: Fate, cause: str) -> None:
        super().__init__(cause)
        self.fate: Fate = fate
        self.cause = cause
