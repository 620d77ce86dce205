"""Small PDFs set on the spot, and documents put together from blocks."""

from __future__ import annotations

from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pipeline.sources.blocks import Block
from pipeline.sources.documents import Document, Page

LEADING = 14


class Setter:
    """Sets lines on pages from the top down."""

    def __init__(self, path: Path) -> None:
        self.canvas = Canvas(str(path), pagesize=A4)
        self.height = 760.0

    def at(self, x: float, y: float, text: str, size: float = 11, font: str = "Helvetica") -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, text)

    def lines(self, *lines: str, x: float = 72, size: float = 11, font: str = "Helvetica") -> None:
        for line in lines:
            self.at(x, self.height, line, size, font)
            self.height -= LEADING
        self.height -= LEADING

    def heading(self, text: str, size: float = 15) -> None:
        self.lines(text, size=size, font="Helvetica-Bold")

    def next_page(self) -> None:
        self.canvas.showPage()
        self.height = 760.0

    def save(self) -> None:
        self.canvas.save()


def document(*pages: list[tuple[str, str] | tuple[str, str, int]], name: str = "made.md") -> Document:
    """A document of pages of (kind, text) or (kind, text, level)."""
    made = (Page(number, tuple(Block(*block) for block in blocks)) for number, blocks in enumerate(pages, 1))
    return Document(name, "0" * 64, tuple(made))
