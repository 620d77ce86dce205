"""PDF files read with pypdf, page by page, and what became of those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from pipeline.sources.blocks import Block, Fate, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import broken_word, vocabulary
from pipeline.sources.flow import blocks_of, body_of
from pipeline.sources.layout import Fragment, Line, lines_of
from pipeline.sources.margins import PageLines, without_margins
from pipeline.sources.pen import fragments_of, turned
from pipeline.sources.quality import is_gibberish
from pipeline.sources.tables import with_rows

_CONTENTS_LINE = re.compile(r"(?:\s?[.…·]){5,}\s*[\divxlcA-Z.–-]*$")


@dataclass(slots=True)
class _Pages:
    """What the pages gave: their lines, and the numbers of those with something to tell."""

    read: list[PageLines] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    sideways: list[int] = field(default_factory=list)
    gibberish: list[int] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    characters: int = 0

    def add(self, page: PageObject, number: int) -> None:
        """Reads one page. Raises whatever pypdf does where the page is broken."""
        fragments, others = _upright(fragments_of(page))
        text = "".join(fragment.text for _, fragment in fragments)
        lines: list[Line] = []
        if is_gibberish(text):
            self.gibberish.append(number)
        elif text.strip():
            lines = lines_of([fragment for _, fragment in fragments])
        elif _holds_image(page):
            self.pictures.append(number)
        if others:
            self.sideways.append(number)
        box, turn = page.cropbox, fragments[0][0] if fragments else 0
        edges = [turned(x, y, turn)[1] for x in (box.left, box.right) for y in (box.bottom, box.top)]
        self.read.append(PageLines(number, lines, max(edges), min(edges)))
        self.characters += len(text)


def read_pdf(path: Path, limits: ReadLimits, password: str | None) -> Reading:
    """The pages of a PDF as blocks. Raises Unreadable if nothing of it can be used."""
    reader = _opened(path, password)
    count = _page_count(reader, path)
    pages = _Pages()
    for number in range(1, min(count, limits.pages) + 1):
        try:
            pages.add(reader.pages[number - 1], number)
        except MemoryError:
            raise
        except Exception as fault:  # noqa: BLE001 - one bad page must not take the others with it
            pages.faults[number] = _said(fault)
        if pages.characters > limits.characters:
            break
    if not any(page.lines for page in pages.read):
        raise _nothing_read(path, count, pages)
    reading = Reading(warnings=_warnings(path, count, pages))
    _fill(pages.read, reading)
    return reading


def _opened(path: Path, password: str | None) -> PdfReader:
    if path.stat().st_size == 0:
        raise Unreadable("empty", "the file has no bytes in it")
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise Unreadable("not-a-pdf", "the file does not begin as a PDF does")
    try:
        reader = PdfReader(path)
        locked = reader.is_encrypted and not reader.decrypt("") and not (password and reader.decrypt(password))
    except MemoryError:
        raise
    except NotImplementedError as fault:
        raise Unreadable("encrypted", f"it is locked in a way that cannot be opened: {_said(fault)}") from None
    except Exception as fault:  # noqa: BLE001 - pypdf meets broken files with errors of any type
        raise _broken(path, fault) from None
    if locked:
        cause = "the password given does not open it" if password else "it opens only with a password"
        raise Unreadable("encrypted", cause)
    return reader


def _page_count(reader: PdfReader, path: Path) -> int:
    try:
        count = len(reader.pages)
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - as above: the page tree is read only now
        raise _broken(path, fault) from None
    if count == 0:
        raise Unreadable("damaged" if _has_end_mark(path) else "truncated", "it holds no page")
    return count


def _nothing_read(path: Path, count: int, pages: _Pages) -> Unreadable:
    if pages.gibberish:
        cause = "its text is codes, not letters: its fonts do not say which letters they show"
        return Unreadable("gibberish", cause)
    if pages.faults:
        first = next(iter(pages.faults.values()))
        return _broken(path, RuntimeError(f"no page could be read; the first: {first}"))
    if pages.pictures:
        return Unreadable("scanned", f"its {count} page(s) are pictures: run text recognition (OCR) over it first")
    return Unreadable("empty", f"its {count} page(s) hold neither text nor a picture")


def _warnings(path: Path, count: int, pages: _Pages) -> list[str]:
    """What is missing from the text, page by page."""
    warnings = [f"page {number} could not be read: {fault}" for number, fault in pages.faults.items()]
    tried = len(pages.read) + len(pages.faults)
    if tried < count:
        warnings.append(f"only the first {tried} of {count} pages were read: the rest is over the limit")
    if pages.gibberish:
        warnings.append(f"left out, for their fonts do not say which letters they show: {_named(pages.gibberish)}")
    if pages.pictures:
        warnings.append(f"a picture and no text, so nothing was read: {_named(pages.pictures)}")
    if pages.sideways:
        warnings.append(f"text at right angles to the rest was left out: {_named(pages.sideways)}")
    if not _has_end_mark(path):
        warnings.append("the file has no end mark: it may be cut short and pages may be missing")
    return warnings


def _named(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:20]))
    return f"page {listed}" + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")


def _fill(pages: list[PageLines], reading: Reading) -> None:
    """Lines into blocks: margins out, contents lines out, rows together, then paragraphs."""
    kept = [with_rows(lines) for lines in without_margins(pages)]
    contents = [page.number for page, lines in zip(pages, kept, strict=True) if any(map(_is_contents, lines))]
    if contents:
        reading.warnings.append(f"lines of a table of contents were left out: {_named(contents)}")
    kept = [[line for line in lines if not _is_contents(line)] for lines in kept]
    words = vocabulary(line.text for lines in kept for line in lines)
    blocks = blocks_of(kept, body_of(kept), words)
    _mend_page_breaks(blocks, words)
    reading.pages = [(page.number, found) for page, found in zip(pages, blocks, strict=True) if found]


def _is_contents(line: Line) -> bool:
    return _CONTENTS_LINE.search(line.text) is not None


def _mend_page_breaks(pages: list[list[Block]], words: frozenset[str]) -> None:
    """A word broken between two pages is put whole on the first."""
    for upper, lower in pairwise(pages):
        if upper and lower and upper[-1].kind in {"prose", "item"} and lower[0].kind == "prose":
            end, start = broken_word(upper[-1].text, lower[0].text, words)
            upper[-1] = Block(upper[-1].kind, end)
            lower[:1] = [Block("prose", start)] if start else []


def _upright(found: list[tuple[int, Fragment]]) -> tuple[list[tuple[int, Fragment]], str]:
    """The fragments that run the way most of the page does, and the text of the others."""
    weights = [0, 0, 0, 0]
    for turn, fragment in found:
        weights[turn] += len(fragment.text.strip())
    main = weights.index(max(weights))
    others = " ".join(fragment.text.strip() for turn, fragment in found if turn != main).strip()
    return [pair for pair in found if pair[0] == main], others


def _holds_image(page: PageObject) -> bool:
    return any(_images_in(page.get("/Resources"), depth=3))


def _images_in(resources: Any, depth: int) -> Iterator[bool]:
    resources = resources.get_object() if resources is not None else None
    objects = resources.get("/XObject") if isinstance(resources, DictionaryObject) else None
    objects = objects.get_object() if objects is not None else None
    for reference in objects.values() if isinstance(objects, DictionaryObject) else ():
        inner = reference.get_object()
        if isinstance(inner, DictionaryObject):
            yield inner.get("/Subtype") == "/Image"
            if depth and inner.get("/Subtype") == "/Form":
                yield from _images_in(inner.get("/Resources"), depth - 1)


def _broken(path: Path, fault: BaseException) -> Unreadable:
    fate: Fate = "damaged" if _has_end_mark(path) else "truncated"
    cut = "it ends before its end mark, as a broken download does; " if fate == "truncated" else ""
    return Unreadable(fate, f"{cut}the reader said: {_said(fault)}")


def _has_end_mark(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2048))
        return b"%%EOF" in file.read()


def _said(fault: BaseException) -> str:
    """The first line of an error, short enough for a report."""
    text = str(fault).strip() or type(fault).__name__
    return text.split("\n")[0][:200]
