"""DOCX files read with python-docx: headings, paragraphs, list items and table rows, on their pages."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

from docx import Document
from docx.enum.section import WD_SECTION
from docx.oxml.ns import qn

from pipeline.sources.archives import opened, part
from pipeline.sources.blocks import Block, Kind, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import raised, repaired
from pipeline.sources.sentences import split_sentences

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = {
    "xl/workbook.xml": "an Excel workbook",
    "ppt/presentation.xml": "a PowerPoint presentation",
    "META-INF/manifest.xml": "an OpenDocument file",
    "META-INF/container.xml": "an EPUB book",
}
_HEADING = re.compile(r"(?:heading|Überschrift|Titre|Título) ?(\d)$", re.I)
_LIST = re.compile(r"list (?:bullet|number|paragraph)|^list$", re.I)
_LEFT_OUT = frozenset(
    {
        *map(qn, ("w:del", "w:moveFrom", "w:instrText", "w:txbxContent", "w:rt")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
"""What a reader does not see in the line: deletions, what was moved away, field codes, boxes beside the text."""

_BREAKS = frozenset(map(qn, ("w:br", "w:lastRenderedPageBreak")))
_PIECES = dict(zip(map(qn, ("w:t", "w:tab", "w:br", "w:cr", "w:noBreakHyphen")), ("", " ", " ", " ", "-"), strict=True))
"""Elements that stand for text, and for which; an empty string where it is in the element."""


def read_docx(path: Path, limits: ReadLimits) -> Reading:
    """A Word file as blocks, on the pages that the file itself tells of; one that tells of none has one.

    A page begins where Word's last rendering broke it, at a page break, and with a section that starts a page.
    Raises Unreadable if the file is locked, broken or without text.
    """
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise Unreadable("encrypted", "it opens only with a password, or it is an old .doc under another name")
    with opened(path, limits) as archive:
        _refuse_others(archive)
        _refuse_entities(archive)
    try:
        document: Any = Document(str(path))
        writer = _Writer(document, limits)
        writer.take(document.element.body)
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - python-docx meets broken packages with errors of any type
        raise Unreadable("damaged", f"the reader said: {str(fault).split(chr(10))[0][:200]}") from None
    if not writer.pages:
        raise Unreadable("empty", "it holds no text outside pictures and boxes", 1)
    reading = Reading(sorted(writer.pages.items()), [], "python-docx", writer.page)
    if writer.is_full:
        reading.warnings.append(f"only the first {limits.characters} characters were read: the rest is over the limit")
    return reading


def _refuse_others(archive: ZipFile) -> None:
    """Documents of other programs come in zip files too, and Word's own of a kind that python-docx does not know."""
    names = frozenset(archive.namelist())
    for mark, what in _OTHERS.items():
        if mark in names:
            raise Unreadable("unsupported", f"it is {what} under the name of a Word file")
    if "_rels/.rels" in names and b"purl.oclc.org/ooxml" in part(archive, "_rels/.rels"):
        raise Unreadable("unsupported", 'it is a "Strict Open XML" file: have Word save it as a plain "Word Document"')


def _refuse_entities(archive: ZipFile) -> None:
    """A DOCX needs no DTD; one that has one wants entities to multiply or to reach other files."""
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in part(archive, name)[:4096]:
            raise Unreadable(
                "unsupported", f"its part {name} defines a document type of its own, which no Word file needs"
            )


class _Spoken(NamedTuple):
    """What is said in one paragraph, and where in it pages end."""

    text: str
    breaks: list[tuple[int, bool]]
    """(characters before it, whether it only is where the last rendering broke the page)."""


class _Writer:
    """Takes the elements of the body in their order, and puts the blocks they make on pages."""

    def __init__(self, document: Any, limits: ReadLimits) -> None:
        self.pages: dict[int, list[Block]] = {}
        self.page = 1
        self._room = limits.characters
        self._fresh = True
        """Nothing stands on the page yet: a rendered break here is the trace of the one that began it."""
        self._styles = {style.style_id: style.name or "" for style in document.styles}
        self._breaking = {style.style_id for style in document.styles if _breaks_page(style)}
        self._starts = [section.start_type for section in document.sections][1:]

    @property
    def is_full(self) -> bool:
        """Whether more text has come than is read of any file."""
        return self._room < 0

    def take(self, body: Any) -> None:
        """Whatever stands in a body or a content control."""
        for element in body.iterchildren():
            if self.is_full:
                return
            if element.tag == qn("w:p"):
                self._take_paragraph(element)
            elif element.tag == qn("w:tbl"):
                for row in element.iterchildren(qn("w:tr")):
                    self._take_row(row)
            elif element.tag == qn("w:sdt") and not _is_contents(element):
                inner = element.find(qn("w:sdtContent"))
                if inner is not None:
                    self.take(inner)

    def _take_paragraph(self, element: Any) -> None:
        style = element.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style_id = style.get(qn("w:val")) if style is not None else None
        before = element.find(f"{qn('w:pPr')}/{qn('w:pageBreakBefore')}")
        if _is_on(before) if before is not None else style_id in self._breaking:
            self._turn(rendered=True)
        spoken = _spoken(element)
        block = _paragraph(element, repaired(spoken.text), self._styles.get(style_id, ""))
        for (start, end), rendered in _cuts(block, spoken):
            self._put(Block(block.kind if start == 0 else "prose", block.text[start:end].strip(), block.level))
            if rendered is not None:
                self._turn(rendered)
        ends_section = element.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None and self._starts
        if ends_section and self._starts.pop(0) not in {WD_SECTION.CONTINUOUS, WD_SECTION.NEW_COLUMN}:
            self._turn(rendered=False)

    def _take_row(self, row: Any) -> None:
        """One row of a table. It stands on the page that it begins on; where it breaks, each of its cells does."""
        cells = [[_spoken(one) for one in cell.iter(qn("w:p"))] for cell in row.iterchildren(qn("w:tc"))]
        texts = [repaired(" ".join(spoken.text for spoken in cell)) for cell in cells]
        breaks = max(([rendered for one in cell for _, rendered in one.breaks] for cell in cells), key=len, default=[])
        first = next((one for cell in cells for one in cell), None)
        if breaks and first is not None and first.breaks and not first.text[: first.breaks[0][0]].strip():
            self._turn(breaks.pop(0))
        if any(texts):
            kind: Kind = "row" if len(texts) > 1 else "prose"
            self._put(Block(kind, " | ".join(text.replace("|", "/") for text in texts)))
        for rendered in breaks:
            self._turn(rendered)

    def _put(self, block: Block) -> None:
        if any(map(str.isalnum, block.text)):
            self.pages.setdefault(self.page, []).append(block)
            self._room -= len(block.text)
            self._fresh = False

    def _turn(self, rendered: bool) -> None:
        if not (rendered and self._fresh):
            self.page += 1
            self._fresh = True


def _cuts(block: Block, spoken: _Spoken) -> Iterator[tuple[tuple[int, int], bool | None]]:
    """The spans of a paragraph's text page by page, each with what ends its page (None for the last).

    A sentence stays on the page that it begins on, and a heading or an item is not cut.
    """
    starts = [start for start, _ in split_sentences(block.text)] if block.kind == "prose" and spoken.breaks else [0]
    begin = before = place = 0
    for place_of_break, rendered in spoken.breaks:
        before += len(repaired(spoken.text[place:place_of_break]))  # short by a blank at each break: no sentence is
        place = place_of_break
        sentence = bisect_left(starts, before)
        end = starts[sentence] if sentence < len(starts) else len(block.text)
        yield (begin, end if before else 0), rendered
        begin = end if before else 0
    yield (begin, len(block.text)), None


def _breaks_page(style: Any) -> bool:
    """Whether paragraphs of this style begin a page, by itself or by the style it is based on."""
    for _ in range(20):
        if style is None or not hasattr(style, "paragraph_format"):
            return False
        if style.paragraph_format.page_break_before is not None:
            return bool(style.paragraph_format.page_break_before)
        style = style.base_style
    return False


def _is_on(switch: Any) -> bool:
    return switch.get(qn("w:val"), "1") not in {"0", "false", "off"}


def _is_contents(control: Any) -> bool:
    gallery = control.find(f".//{qn('w:docPartGallery')}")
    return gallery is not None and "contents" in (gallery.get(qn("w:val")) or "").casefold()


def _paragraph(element: Any, text: str, style: str) -> Block:
    heading = _HEADING.match(style)
    if heading:
        return Block("heading", text, int(heading.group(1)) + 1)
    if style == "Title":
        return Block("heading", text, 1)
    if style.casefold().startswith("toc "):
        return Block("prose", "")
    if element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None or _LIST.search(style):
        return Block("item", f"• {text}" if text else "")
    return Block("prose", text)


def _spoken(paragraph: Any) -> _Spoken:
    """What stands in a paragraph when all changes are accepted. Hidden text is left out."""
    spoken, length = _Spoken("", []), 0
    pieces: list[str] = []
    waiting = [paragraph]
    while waiting:
        element = waiting.pop()
        tag = element.tag
        if tag in _BREAKS and (tag != qn("w:br") or element.get(qn("w:type")) == "page"):
            spoken.breaks.append((length, tag != qn("w:br")))
        elif tag in _PIECES:
            text = _PIECES[tag] or element.text or ""
            pieces.append(raised(text, "".join(pieces[-3:])) if _is_raised(element) else text)
            length += len(pieces[-1])
        elif tag not in _LEFT_OUT and not (tag == qn("w:r") and _is_hidden(element)):
            waiting += reversed([child for child in element if isinstance(child.tag, str)])
    return spoken._replace(text="".join(pieces))


def _is_raised(text: Any) -> bool:
    align = text.getparent().find(f"{qn('w:rPr')}/{qn('w:vertAlign')}")
    return align is not None and align.get(qn("w:val")) == "superscript"


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and _is_on(vanish)
