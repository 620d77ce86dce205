"""DOCX files read with python-docx: headings, paragraphs, list items and table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from docx import Document
from docx.oxml.ns import qn

from pipeline.sources.archives import opened
from pipeline.sources.blocks import Block, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import repaired

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADING = re.compile(r"(?:heading|Überschrift|Titre|Título) ?(\d)$", re.I)
_LIST = re.compile(r"list (?:bullet|number|paragraph)|^list$", re.I)
_LEFT_OUT = frozenset(
    {
        *map(qn, ("w:del", "w:moveFrom", "w:instrText", "w:txbxContent", "w:rt")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
"""What a reader does not see in the line: deletions, what was moved away, field codes, boxes beside the text."""


def read_docx(path: Path, limits: ReadLimits) -> Reading:
    """A Word file as one page of blocks. Raises Unreadable if it is locked, broken or without text."""
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise Unreadable("encrypted", "it opens only with a password, or it is an old .doc under another name")
    with opened(path, limits) as archive:
        _refuse_entities(archive)
    try:
        document: Any = Document(str(path))
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - python-docx meets broken packages with errors of any type
        raise Unreadable("damaged", f"the reader said: {str(fault).split(chr(10))[0][:200]}") from None
    styles = {style.style_id: style.name or "" for style in document.styles}
    blocks = [block for block in _blocks(document.element.body, styles) if any(map(str.isalnum, block.text))]
    if not blocks:
        raise Unreadable("empty", "it holds no text outside pictures and boxes", 1)
    reading, characters = Reading(reader="python-docx"), 0
    for place, block in enumerate(blocks):
        characters += len(block.text)
        if characters > limits.characters:
            reading.warnings.append(
                f"only the first {limits.characters} characters were read: the rest is over the limit"
            )
            blocks = blocks[:place]
            break
    reading.pages = [(1, blocks)]
    return reading


def _refuse_entities(archive: ZipFile) -> None:
    """A DOCX needs no DTD; one that has one wants entities to multiply or to reach other files."""
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.read(name)[:4096]:
            raise Unreadable(
                "unsupported", f"its part {name} defines a document type of its own, which no Word file needs"
            )


def _blocks(body: Any, styles: dict[str, str]) -> Iterator[Block]:
    for element in body.iterchildren():
        if element.tag == qn("w:p"):
            yield _paragraph(element, styles)
        elif element.tag == qn("w:tbl"):
            yield from _table(element)
        elif element.tag == qn("w:sdt") and not _is_contents(element):
            inner = element.find(qn("w:sdtContent"))
            yield from _blocks(inner, styles) if inner is not None else ()


def _is_contents(control: Any) -> bool:
    gallery = control.find(f".//{qn('w:docPartGallery')}")
    return gallery is not None and "contents" in (gallery.get(qn("w:val")) or "").casefold()


def _paragraph(element: Any, styles: dict[str, str]) -> Block:
    text = repaired(_text(element))
    style = element.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    name = styles.get(style.get(qn("w:val")), "") if style is not None else ""
    heading = _HEADING.match(name)
    if heading:
        return Block("heading", text, int(heading.group(1)) + 1)
    if name == "Title":
        return Block("heading", text, 1)
    if name.casefold().startswith("toc "):
        return Block("prose", "")
    if element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None or _LIST.search(name):
        return Block("item", f"• {text}" if text else "")
    return Block("prose", text)


def _table(table: Any) -> Iterator[Block]:
    for row in table.iterchildren(qn("w:tr")):
        cells = [repaired(" ".join(map(_text, cell.iter(qn("w:p"))))) for cell in row.iterchildren(qn("w:tc"))]
        if any(cells):
            yield Block("row" if len(cells) > 1 else "prose", " | ".join(cell.replace("|", "/") for cell in cells))


def _text(paragraph: Any) -> str:
    """What stands in a paragraph when all changes are accepted. Hidden text is left out."""
    pieces: list[str] = []
    waiting = [paragraph]
    while waiting:
        element = waiting.pop()
        tag = element.tag
        if tag == qn("w:t"):
            pieces.append(element.text or "")
        elif tag in {qn("w:tab"), qn("w:br"), qn("w:cr")}:
            pieces.append(" ")
        elif tag == qn("w:noBreakHyphen"):
            pieces.append("-")
        elif tag not in _LEFT_OUT and not (tag == qn("w:r") and _is_hidden(element)):
            waiting += reversed([child for child in element if isinstance(child.tag, str)])
    return "".join(pieces)


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(qn("w:val"), "1") not in {"0", "false"}
