"""PDF files read page by page, with the reader whose text is better, and what became of those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.sources.blocks import READ, RECOGNISED, Fate, Progress, Reading, ReadLimits, ReadOptions, Unreadable
from pipeline.sources.clean import vocabulary
from pipeline.sources.flow import blocks_of
from pipeline.sources.layout import Line, without_marks
from pipeline.sources.margins import PageLines, without_margins
from pipeline.sources.ocr import CannotRecognise, recognised
from pipeline.sources.pdf_pages import BestPages, Found, PdfReader, found_on
from pipeline.sources.pdfium_pages import PdfiumPages
from pipeline.sources.pypdf_pages import PypdfPages, has_cyclic_pages
from pipeline.sources.runs import body_of
from pipeline.sources.tables import with_rows

TESSERACT = "tesseract"
_CONTENTS_LINE = re.compile(r"(?:\s?[.…·]){5,}\s*[\divxlcA-Z.–-]*$")


@dataclass(slots=True)
class _Pages:
    """What the pages gave: their lines, and the numbers of those with something to tell."""

    options: ReadOptions
    holds_picture: Callable[[int], bool]
    open_pictured: Callable[[], PdfiumPages]
    """Opens the file once more for what only PDFium can: showing a page as a picture."""
    read: list[PageLines] = field(default_factory=list)
    by: dict[str, list[int]] = field(default_factory=dict)
    """Reader to the pages it was chosen for."""
    pictures: list[int] = field(default_factory=list)
    sideways: list[int] = field(default_factory=list)
    off_page: list[int] = field(default_factory=list)
    gibberish: list[int] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    unrecognised: str = ""
    """Why text recognition was wanted and did nothing."""
    characters: int = 0

    def add(self, page: Found) -> None:
        """Keeps what was read of one page, or has a page that is a picture recognised."""
        self._keep(page)
        number = page.lines.number
        if not self.read[-1].lines and number not in self.gibberish and self.holds_picture(number):
            self._recognise(number)

    def _recognise(self, number: int) -> None:
        """Has a page that is a picture read by text recognition, if that is wanted."""
        if self.options.ocr:
            try:
                seen = recognised(self.open_pictured().picture(number), self.options.ocr_languages)
            except CannotRecognise as fault:
                self.unrecognised = str(fault)
            else:
                self.read.pop()
                found = found_on(seen.page, TESSERACT, number)
                self._keep(replace(found, quality=min(found.quality, seen.confidence)))
                if self.read[-1].lines:
                    return
        if number not in self.gibberish:
            self.pictures.append(number)

    def _keep(self, page: Found) -> None:
        lines, number = page.lines, page.lines.number
        if page.quality < self.options.least_quality:
            self.gibberish.append(number)
            lines = PageLines(number, [], lines.top, lines.bottom)
        elif lines.lines:
            self.by.setdefault(page.reader, []).append(number)
        if page.sideways:
            self.sideways.append(number)
        if page.off_page:
            self.off_page.append(number)
        self.read.append(lines)
        self.characters += page.letters


def read_pdf(
    path: Path, limits: ReadLimits, options: ReadOptions, password: str | None, tell: Progress = len
) -> Reading:
    """The pages of a PDF as blocks; `tell` hears of each that holds text. Raises Unreadable if none can be used."""
    readers = _opened(path, options, password)
    count = max(reader.count for reader in readers)
    best = BestPages(readers, min(count, limits.pages), options.reader_margin)
    pages = _Pages(options, readers[0].holds_picture, lambda: PdfiumPages(path, password))
    for number in range(1, min(count, limits.pages) + 1):
        try:
            pages.add(best.page(number))
            if pages.read[-1].lines:
                tell(RECOGNISED if pages.by.get(TESSERACT, [])[-1:] == [number] else READ)
        except MemoryError:
            raise
        except Exception as fault:  # noqa: BLE001 - one bad page must not take the others with it
            pages.faults[number] = _said(fault)
        if pages.characters > limits.characters:
            break
    if (pages.faults or len(readers) < len(_wanted(options))) and has_cyclic_pages(path):
        raise Unreadable("damaged", "its page tree comes back on itself: pages are missing", count)
    if not any(page.lines for page in pages.read):
        raise _nothing_read(path, count, pages)
    reading = Reading(warnings=_warnings(path, count, pages), reader=_readers_named(pages), page_count=count)
    _fill(pages.read, reading)
    return reading


def _opened(path: Path, options: ReadOptions, password: str | None) -> list[PdfReader]:
    """The readers that can open the file, pypdf first. Raises Unreadable if none can."""
    if path.stat().st_size == 0:
        raise Unreadable("empty", "the file has no bytes in it")
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise Unreadable("not-a-pdf", "the file does not begin as a PDF does")
    readers: list[PdfReader] = []
    faults: list[Exception] = []
    for opener in _wanted(options):
        try:
            readers.append(opener(path, password))
        except (Unreadable, MemoryError):
            raise
        except Exception as fault:  # noqa: BLE001 - readers meet broken files with errors of any type
            faults.append(fault)
    if not readers:
        raise _broken(path, faults[0])
    if not any(reader.count for reader in readers):
        raise Unreadable("damaged" if _has_end_mark(path) else "truncated", "it holds no page")
    return readers


_OPENERS: dict[str, Callable[[Path, str | None], PdfReader]] = {"pypdf": PypdfPages, "pypdfium2": PdfiumPages}


def _wanted(options: ReadOptions) -> list[Callable[[Path, str | None], PdfReader]]:
    return [opener for name, opener in _OPENERS.items() if options.reader in ("auto", name)]


def _readers_named(pages: _Pages) -> str:
    """The reader of most pages, and the other with its pages."""
    first, *others = sorted(pages.by, key=lambda name: -len(pages.by[name]))
    return ", ".join([first, *(f"{name} for {_named(pages.by[name])}" for name in others)])


def _nothing_read(path: Path, count: int, pages: _Pages) -> Unreadable:
    if pages.gibberish:
        cause = "its text makes no words: its fonts do not say which letters they show, or it was badly scanned"
        return Unreadable("gibberish", cause, count)
    if pages.faults:
        first = next(iter(pages.faults.values()))
        return _broken(path, RuntimeError(f"no page could be read; the first: {first}"), count)
    if pages.pictures:
        remedy = pages.unrecognised or "run text recognition (OCR) over it first, or set documents.ocr: true"
        return Unreadable("scanned", f"its {count} page(s) are pictures: {remedy}", count)
    if pages.off_page:
        return Unreadable("empty", f"all text of its {count} page(s) stands beyond the edge of the page", count)
    return Unreadable("empty", f"its {count} page(s) hold neither text nor a picture", count)


def _warnings(path: Path, count: int, pages: _Pages) -> list[str]:
    """What is missing from the text, page by page."""
    warnings = [f"page {number} could not be read: {fault}" for number, fault in pages.faults.items()]
    tried = len(pages.read) + len(pages.faults)
    if tried < count:
        warnings.append(f"only the first {tried} of {count} pages were read: the rest is over the limit")
    if pages.gibberish:
        warnings.append(f"left out, for its text makes no words: {_named(pages.gibberish)}")
    if pages.pictures:
        why = f" ({pages.unrecognised})" if pages.unrecognised else ""
        warnings.append(f"a picture and no text, so nothing was read{why}: {_named(pages.pictures)}")
    if pages.sideways:
        warnings.append(f"text at right angles to the rest was left out: {_named(pages.sideways)}")
    if pages.off_page:
        warnings.append(f"text beyond the edge of the page was left out: {_named(pages.off_page)}")
    if not _has_end_mark(path):
        warnings.append("the file has no end mark: it may be cut short and pages may be missing")
    return warnings


def _named(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:20]))
    return f"page {listed}" + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")


def _fill(pages: list[PageLines], reading: Reading) -> None:
    """Lines into blocks: margins out, contents lines out, rows together, then paragraphs."""
    kept = [with_rows(without_marks(lines)) for lines in without_margins(pages)]
    contents = [page.number for page, lines in zip(pages, kept, strict=True) if any(map(_is_contents, lines))]
    if contents:
        reading.warnings.append(f"lines of a table of contents were left out: {_named(contents)}")
    kept = [[line for line in lines if not _is_contents(line)] for lines in kept]
    words = vocabulary(line.text for lines in kept for line in lines)
    blocks = blocks_of(kept, body_of(kept), words)
    reading.pages = [(page.number, found) for page, found in zip(pages, blocks, strict=True) if found]


def _is_contents(line: Line) -> bool:
    return _CONTENTS_LINE.search(line.text) is not None


def _broken(path: Path, fault: BaseException, page_count: int = 0) -> Unreadable:
    fate: Fate = "damaged" if _has_end_mark(path) else "truncated"
    cut = "it ends before its end mark, as a broken download does; " if fate == "truncated" else ""
    return Unreadable(fate, f"{cut}the reader said: {_said(fault)}", page_count)


def _has_end_mark(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2048))
        return b"%%EOF" in file.read()


def _said(fault: BaseException) -> str:
    """The first line of an error, short enough for a report."""
    text = str(fault).strip() or type(fault).__name__
    return text.split("\n")[0][:200]
