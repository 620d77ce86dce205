"""What a reader hands over: blocks of text page by page, or the fate that left it without any."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["heading", "prose", "item", "row"]
Fate = Literal[
    "encrypted", "scanned", "gibberish", "empty", "truncated", "damaged", "not-a-pdf", "too-slow", "unsupported"
]

Unit = Literal["page", "chapter", "line", "item"]
"""What the pages of a file are. A pair of question and answer is a page of its own, named by the line it begins on,
or by its place in the file's list."""
PAIRED: frozenset[Unit] = frozenset({"line", "item"})

READ, RECOGNISED = b" ", b"\t"
"""What the child tells of a page from which it got text; blanks before an answer in JSON are none of it."""
Progress = Callable[[bytes], object]
"""Takes one of them."""

_SECONDS_A_PAGE = 0.2
"""Several times what a page takes where the machine does nothing else."""
_SECONDS_TO_RECOGNISE = 10.0
_LEAST_BYTES = 1024

PersonalData = Literal["report", "mask", "drop"]
PdfReaderName = Literal["auto", "pypdf", "pypdfium2"]


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

    seconds: float = 55
    """By the clock, for a file that shows nothing for it."""
    memory_mib: int = 2048
    file_mib: int = 512
    pages: int = 5000
    characters: int = 20_000_000
    share: float = 1.0
    """Of those seconds, where a file may be tried more than once."""
    most: float = math.inf
    """Seconds, whatever is earned."""

    def allowed(self, progress: bytes, size: int) -> float:
        """Seconds for a file of `size` bytes that has told of this progress: a long one earns time by each page read.

        A page that takes fewer bytes than any real one earns nothing, or a few bytes that come back as thousands of
        pages could hold up the others for hours.
        """
        pages = min(len(progress), size // _LEAST_BYTES)
        recognised = min(progress.count(RECOGNISED), pages)
        earned = _SECONDS_A_PAGE * (pages - recognised) + _SECONDS_TO_RECOGNISE * recognised
        return min(self.most, max(self.share * self.seconds, earned))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read, as the recipe's `documents` section says it."""

    reader: PdfReaderName = "auto"
    """Of PDFs. `auto` keeps the better text of each page; pypdf only samples a long file, if it does no better."""
    reader_margin: float = 0.03
    """By how much the other reader's text has to be better (of 1) to take the place of the preferred one's: pypdf's,
    or in long files pypdfium2's."""
    least_quality: float = 0.5
    """A page whose share of plausible words is below this is gibberish and left out."""
    ocr: bool = False
    """Whether Tesseract reads pages that are pictures."""
    ocr_languages: str = "eng"
    """As Tesseract names them."""
    personal_data: PersonalData = "report"
    """What becomes of it; secrets are always masked."""


@dataclass(slots=True)
class Reading:
    """What came out of one file: numbered pages of blocks, and what a person should know about them."""

    pages: list[tuple[int, list[Block]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reader: str = ""
    """What read it, in words."""
    page_count: int = 1
    """How many pages the file has, those without text among them."""
    unit: Unit = "page"


class Unreadable(Exception):
    """The whole file is of no use; `cause` is a sentence for whoever supplied it.

    `page_count` is how many pages it has, as far as that is known.
    """

    def __init__(self, fate: Fate, cause: str, page_count: int = 0) -> None:
        cause = "".join(mark if mark.isprintable() else " " for mark in cause)  # a file may have had a say in it
        super().__init__(cause)
        self.fate: Fate = fate
        self.cause = cause
        self.page_count = page_count


class Stopped(Unreadable):
    """The reader did not come to its end: it crashed, or ran out of time or memory."""
