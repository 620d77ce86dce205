"""The pages of a PDF, each with the text of the reader that reads it better.

The readers differ in what they cost: on all but plain pages pypdf takes longer than PDFium. Of a short document
every page is read by both. Of a long one pypdf reads a sample; where it does no better there, the rest is left to
PDFium but for pages that it reads worse than usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.sources.layout import Fragment, PageText, lines_of, turned
from pipeline.sources.margins import PageLines
from pipeline.sources.quality import is_gibberish, quality_of

_BLEED = 18.0
"""So many points beyond the edge count as on the page: boxes are set carelessly."""
_SAMPLE = 40
"""So many pages, spread evenly, tell which reader suits a document; twice as many or fewer are read by both."""
_FEW_WINS = 1 / 8
"""Where the slower reader is better on a larger share of the sample than this, it reads the whole document."""
_POOR = 0.85
"""Prose has more plausible words than this; a page with fewer deserves a second look, unless others have no more."""


class PdfReader(Protocol):
    """An open PDF, whichever library reads it."""

    name: str
    count: int

    def page(self, number: int) -> PageText:
        """One page, counted from 1. Raises what its library raises where the page is broken."""
        ...

    def holds_picture(self, number: int) -> bool:
        """Whether an image stands on the page."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What one reader made of one page."""

    reader: str
    lines: PageLines
    quality: float
    letters: int
    sideways: bool
    off_page: bool

    def worth(self, most: int) -> float:
        """Its quality, less what it lacks of the `most` letters that any reader found."""
        return self.quality * (self.letters / most if most else 1.0)


class BestPages:
    """Reads a document page by page and keeps the better text of each; `readers` are in the order of preference.

    The last reader is the quick one. A document of more pages than two samples hold is led by it, unless the sample
    says otherwise: then an earlier reader's text is kept only where it is better by more than the margin.
    """

    def __init__(self, readers: Sequence[PdfReader], count: int, margin: float) -> None:
        self._readers = list(readers)
        self._margin = margin
        self._sampled: dict[int, list[Found]] = {}
        self._floor = 2.0
        """A page whose quality is below this is read by every reader; at first each page is."""
        if len(readers) > 1 and count > 2 * _SAMPLE:
            self._sample(count)

    def page(self, number: int) -> Found:
        """The better text of one page, counted from 1. Raises what the first reader raised if none can read it."""
        found = self._sampled.pop(number) if number in self._sampled else self._read(number)
        return _better(found, self._margin)

    def _sample(self, count: int) -> None:
        """Reads some pages with every reader, to learn whether the quick one will do for the rest."""
        readers, self._readers = self._readers, self._readers[::-1]
        quick, kept = self._readers[0].name, []
        for place in range(_SAMPLE):
            number = 1 + place * count // _SAMPLE
            try:
                found = self._read(number)
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - what is wrong with a page is told when its turn comes
                continue
            self._sampled[number] = found
            best = _better(found, self._margin)
            kept += [best.quality] if best.reader == quick else []
        if len(self._sampled) - len(kept) > _FEW_WINS * len(self._sampled):
            self._readers = readers
            self._sampled = {number: found[::-1] for number, found in self._sampled.items()}
        elif kept:
            self._floor = min(_POOR, sorted(kept)[len(kept) // 10])

    def _read(self, number: int) -> list[Found]:
        """The page by the first reader, and by the others where that one fails or reads badly."""
        found: list[Found] = []
        faults: list[Exception] = []
        for reader in self._readers:
            if found and found[0].letters and found[0].quality >= self._floor:
                break
            try:
                found.append(found_on(reader.page(number), reader.name, number))
            except MemoryError:
                raise
            except Exception as fault:  # noqa: BLE001 - what one reader cannot read the other may
                faults.append(fault)
        if not found:
            raise faults[0]
        return found


def found_on(page: PageText, reader: str, number: int) -> Found:
    """What a reader's text of a page comes to: its lines, and how good they are."""
    upright, others = _upright(page.fragments)
    fragments = [pair for pair in upright if _is_on_page(*pair, page.box)]
    lines = lines_of([fragment for _, fragment in fragments])
    raw = "".join(fragment.text for _, fragment in fragments)
    quality = 0.0 if is_gibberish(raw) else quality_of("\n".join(line.text for line in lines))  # mending hides codes
    left, bottom, right, top = page.box
    turn = fragments[0][0] if fragments else 0
    edges = [turned(x, y, turn)[1] for x in (left, right) for y in (bottom, top)]
    letters = sum(len(line.text) - line.text.count(" ") for line in lines)
    return Found(
        reader,
        PageLines(number, lines, max(edges), min(edges)),
        quality,
        letters,
        bool(others),
        len(fragments) < len(upright),
    )


def _better(found: Sequence[Found], margin: float) -> Found:
    """The first, unless another is better by more than the margin."""
    most = max(one.letters for one in found)
    best = max(found, key=lambda one: one.worth(most))
    return best if best.worth(most) > found[0].worth(most) + margin else found[0]


def _is_on_page(turn: int, fragment: Fragment, box: tuple[float, float, float, float]) -> bool:
    """Whether someone who looks at the page can see it: text beyond the edge is for machines alone."""
    left, bottom, right, top = box
    if not (abs(right - left) > _BLEED and abs(top - bottom) > _BLEED):
        return True  # a box of no size shows nothing of where the page ends
    (x0, y0), (x1, y1) = turned(left, bottom, turn), turned(right, top, turn)
    across = min(x0, x1) - _BLEED <= fragment.x + fragment.width / 2 <= max(x0, x1) + _BLEED
    return across and min(y0, y1) - _BLEED <= fragment.y <= max(y0, y1) + _BLEED


def _upright(found: list[tuple[int, Fragment]]) -> tuple[list[tuple[int, Fragment]], str]:
    """The fragments that run the way most of the page does, and the text of the others."""
    weights = [0, 0, 0, 0]
    for turn, fragment in found:
        weights[turn] += len(fragment.text.strip())
    main = weights.index(max(weights))
    others = " ".join(fragment.text.strip() for turn, fragment in found if turn != main).strip()
    return [pair for pair in found if pair[0] == main], others
