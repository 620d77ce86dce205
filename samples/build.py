"""Sets good_and_bad_communication.md as the PDF beside it, byte for byte the same each time."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table

HERE = Path(__file__).parent
SOURCE = HERE / "good_and_bad_communication.md"
TARGET = SOURCE.with_suffix(".pdf")

WIDTH, HEIGHT = A4
MARGIN = 2.5 * cm

# The fourteen standard fonts travel with every reader, so the file does not depend on what this machine has installed.
BODY = ParagraphStyle(
    "body",
    fontName="Times-Roman",
    fontSize=11,
    leading=15,
    alignment=TA_JUSTIFY,
    spaceAfter=6,
    hyphenationLang="en_GB",
)
ITEM = ParagraphStyle("item", parent=BODY, leftIndent=18, bulletFontName="Times-Roman", bulletFontSize=11, spaceAfter=3)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=10, leading=13, alignment=0, spaceAfter=0, hyphenationLang="")
HEAD_CELL = ParagraphStyle("head cell", parent=CELL, fontName="Helvetica-Bold")
HEADINGS = {
    1: ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=20, leading=26, spaceAfter=10),
    2: ParagraphStyle(
        "h2", fontName="Helvetica-Bold", fontSize=15, leading=19, spaceBefore=12, spaceAfter=5, keepWithNext=1
    ),
    3: ParagraphStyle(
        "h3", fontName="Helvetica-Bold", fontSize=12, leading=16, spaceBefore=7, spaceAfter=3, keepWithNext=1
    ),
}


def blocks(markdown: str) -> Iterator[list[str]]:
    """The lines of each heading, paragraph, list or table: whatever stands between blank lines."""
    for block in re.split(r"\n\s*\n", markdown.strip()):
        yield block.splitlines()


def flowables(markdown: str) -> Iterator[Flowable]:
    """What reportlab sets on the page, in the order of the text."""
    for lines in blocks(markdown):
        if heading := re.match(r"(#{1,3}) (.*)", lines[0]):
            yield Paragraph(escape(heading[2]), HEADINGS[len(heading[1])])
        elif lines[0].startswith("|"):
            yield from _table(lines)
        elif re.match(r"\d+\. ", lines[0]):
            for line in lines:
                number, _, item = line.partition(" ")
                yield Paragraph(escape(item), ITEM, bulletText=number)
        else:
            yield Paragraph(escape(" ".join(lines)), BODY)


def _table(lines: list[str]) -> Iterator[Flowable]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not set(line) <= set("|-: ")]
    cells = [
        [Paragraph(escape(cell), CELL if number else HEAD_CELL) for cell in row] for number, row in enumerate(rows)
    ]
    width = (WIDTH - 2 * MARGIN) / len(rows[0])
    style = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    yield KeepTogether([Table(cells, colWidths=[width] * len(rows[0]), style=style)])
    yield Spacer(0, 8)


def _document(target: Path | BinaryIO, title: str, total: int) -> BaseDocTemplate:
    """An A4 document whose pages carry the title above the text and "Page n of `total`" below it."""

    def header(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 9)
        canvas.drawString(MARGIN, HEIGHT - 1.5 * cm, title)
        canvas.line(MARGIN, HEIGHT - 1.65 * cm, WIDTH - MARGIN, HEIGHT - 1.65 * cm)

    def footer(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 9)
        canvas.drawCentredString(WIDTH / 2, 1.4 * cm, f"Page {canvas.getPageNumber()} of {total}")

    frame = Frame(MARGIN, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN, 0, 0, 0, 0)
    return BaseDocTemplate(
        str(target) if isinstance(target, Path) else target,
        pageTemplates=[PageTemplate(frames=[frame], onPage=header, onPageEnd=footer)],
        pagesize=A4,
        title=title,
        author="coursework",
        lang="en-GB",
        invariant=1,
        # Uncompressed, so that another version of zlib cannot change the bytes.
        pageCompression=0,
    )


def build(target: Path) -> None:
    """Writes the PDF of the sample document to `target`; a first pass to memory counts the pages."""
    markdown = SOURCE.read_text(encoding="utf-8")
    title = next(blocks(markdown))[0].removeprefix("# ")
    trial = _document(BytesIO(), title, 0)
    trial.build(list(flowables(markdown)))
    _document(target, title, trial.page).build(list(flowables(markdown)))


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    build(where)
    print(where)
