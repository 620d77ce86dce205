"""The pages of a PDF as PDFium reads them, through pypdfium2.

PDFium says of each character where it stands and which object of the page drew it; the characters that one
object draws without a gap are one fragment. Calls go to its C interface directly: the package's own classes
give the text of a page without places.
"""

from __future__ import annotations

import ctypes
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.sources.blocks import Unreadable
from pipeline.sources.layout import Fragment, PageText, is_bold, is_visible, turned
from pipeline.sources.ocr import DPI, Picture


def _address(function: Any) -> int:
    """Where a function of the library stands in memory."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_HYPHENS = (0x02, 0xFFFE)
"""What PDFium puts for a hyphen at a line's end."""
_BLANKS = (0x20, 0x0D, 0x0A)
"""All that PDFium ever adds of its own."""
_LAM, _ALEFS = 0x0644, (0x0622, 0x0623, 0x0625, 0x0627)
_NAME = 256

_ASKED = ctypes.c_void_p, ctypes.c_int
_CODE_OF = ctypes.CFUNCTYPE(ctypes.c_uint, *_ASKED)(_address(pdfium.FPDFText_GetUnicode))
_OBJECT_OF = ctypes.CFUNCTYPE(ctypes.c_void_p, *_ASKED)(_address(pdfium.FPDFText_GetTextObject))
"""What is asked of every character, by plain numbers: wrapping pointers would take most of the time."""
_MOST_PIXELS = 40_000_000


class PdfiumPages:
    """An open PDF. Raises Unreadable where it is locked, PdfiumError where it is broken."""

    name = "pypdfium2"

    def __init__(self, path: Path, password: str | None) -> None:
        try:
            self._pdf = pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as fault:
            if fault.err_code == pdfium.FPDF_ERR_PASSWORD:
                cause = "the password given does not open it" if password else "it opens only with a password"
                raise Unreadable("encrypted", cause) from None
            if fault.err_code == pdfium.FPDF_ERR_SECURITY:
                raise Unreadable("encrypted", "it is locked in a way that cannot be opened") from None
            raise
        self.count = len(self._pdf)

    def page(self, number: int) -> PageText:
        """One page, counted from 1."""
        page = self._pdf[number - 1]
        text = page.get_textpage()
        return PageText(_Hand(text.raw).written(), page.get_cropbox())

    def holds_picture(self, number: int) -> bool:
        """Whether an image stands on the page, itself or inside a form."""
        return any(self._pdf[number - 1].get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4))

    def picture(self, number: int) -> Picture:
        """The page as it would be printed, at the resolution that text recognition wants, or less if it is huge."""
        page = self._pdf[number - 1]
        width, height = page.get_size()
        scale = min(DPI / 72, math.sqrt(_MOST_PIXELS / max(1.0, width * height)))
        bitmap = page.render(scale=scale, grayscale=True)
        rows = memoryview(bitmap.buffer).cast("B")
        pixels = b"".join(
            rows[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height)
        )
        return Picture(bitmap.width, bitmap.height, pixels, scale)


@dataclass(slots=True)
class _Type:
    """How one text object is set."""

    turn: int
    size: float
    bold: bool
    artifact: bool
    """The file itself marks it as running head, foot or watermark."""


class _Hand:
    """Follows the characters of a page and keeps the fragments they make."""

    def __init__(self, text: Any) -> None:
        self._text = text
        self._page = ctypes.cast(text, ctypes.c_void_p).value
        self._types: dict[int, _Type] = {}
        self._found: list[tuple[int, Fragment]] = []
        self._box = pdfium.FS_RECTF()
        self._leftwards = False
        """Whether letters of both directions may stand on the page: then a fragment ends with any of its letters."""
        self._codes: list[int] = []
        self._object = 0
        self._first = self._last = 0
        """Which characters the fragment under way begins and, as far as it goes, ends with."""

    def written(self) -> list[tuple[int, Fragment]]:
        """(quarter turns of its baseline, fragment) for each run of text, in PDFium's order."""
        page, code_of, object_of = self._page, _CODE_OF, _OBJECT_OF
        codes = [code_of(page, index) for index in range(pdfium.FPDFText_CountChars(self._text))]
        self._leftwards = any(map(_reads_leftwards, codes))
        for index, code in enumerate(codes):
            if code in _BLANKS and pdfium.FPDFText_IsGenerated(self._text, index) == 1:
                self._close()
                continue
            address = object_of(page, index) or 0
            if address != self._object or not self._codes:
                self._close()
                self._object, self._first = address, index
                if address not in self._types:
                    self._types[address] = self._type(index)
            if code == _LAM and self._ends_in_its_ligature(index):
                self._codes.insert(-1, code)  # PDFium gives the two letters in the order of the page
            else:
                self._codes.append(0x2D if code in _HYPHENS else code if 0 < code <= sys.maxunicode else 0xFFFD)
            self._last = index
        self._close()
        return self._found

    def _ends_in_its_ligature(self, index: int) -> bool:
        """Whether the lam at `index` is drawn in one with the alef before it."""
        return bool(self._codes) and self._codes[-1] in _ALEFS and self._edges(index) == self._edges(index - 1)

    def _edges(self, index: int) -> tuple[float, float]:
        """Where a character begins and ends along its baseline."""
        box, turn = self._box, self._types[self._object].turn
        pdfium.FPDFText_GetLooseCharBox(self._text, index, box)
        one, other = turned(box.left, box.bottom, turn)[0], turned(box.right, box.top, turn)[0]
        return min(one, other), max(one, other)

    def _close(self) -> None:
        """Keeps what stands under way as a fragment, unless the file marks it as no part of the text."""
        kind = self._types[self._object] if self._codes else None
        if kind is not None and not kind.artifact:
            x, y = ctypes.c_double(), ctypes.c_double()
            pdfium.FPDFText_GetCharOrigin(self._text, self._first, x, y)
            step = 1 if self._leftwards else max(1, self._last - self._first)
            edges = [edge for index in range(self._first, self._last + 1, step) for edge in self._edges(index)]
            start, across = min(edges), turned(x.value, y.value, kind.turn)[1]
            width = max(edges) - start
            fragment = Fragment(_characters(self._codes), start, across, width, kind.size, kind.bold, unsure=True)
            if is_visible(fragment):
                self._found.append((kind.turn, fragment))
        self._codes = []

    def _type(self, index: int) -> _Type:
        """How the object that draws a character is set."""
        matrix, drawn_by = pdfium.FS_MATRIX(), pdfium.FPDFText_GetTextObject(self._text, index)
        pdfium.FPDFText_GetMatrix(self._text, index, matrix)
        turn = round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4
        size = pdfium.FPDFText_GetFontSize(self._text, index) * math.hypot(matrix.c, matrix.d)
        name = _font_name(drawn_by) if drawn_by else ""
        artifact = bool(drawn_by) and _is_artifact(drawn_by)
        return _Type(turn, round(abs(size), 2), is_bold(name), artifact)


def _reads_leftwards(code: int) -> bool:
    """Such letters, and what stands among them, are not drawn in the order in which PDFium tells them."""
    return 0x0590 <= code <= 0x08FF or 0xFB1D <= code <= 0xFEFC


def _characters(codes: list[int]) -> str:
    """Code points as text; PDFium may give one beyond U+FFFF as two halves."""
    text = "".join(map(chr, codes))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _font_name(drawn_by: Any) -> str:
    buffer = ctypes.create_string_buffer(_NAME)
    pdfium.FPDFFont_GetBaseFontName(pdfium.FPDFTextObj_GetFont(drawn_by), buffer, _NAME)
    return buffer.value.decode("utf-8", "replace")


def _is_artifact(drawn_by: Any) -> bool:
    """Whether the file marks it as a typed artifact: text of that kind is a running head, foot or watermark.

    PDFium does not tell names, so that the type itself (/Pagination) cannot be looked at.
    """
    marks = (pdfium.FPDFPageObj_GetMark(drawn_by, place) for place in range(_counted(drawn_by)))
    return any(
        _text_of(pdfium.FPDFPageObjMark_GetName, mark) == "Artifact"
        and pdfium.FPDFPageObjMark_GetParamValueType(mark, b"Type") == pdfium.FPDF_OBJECT_NAME
        for mark in marks
    )


def _counted(drawn_by: Any) -> int:
    return max(0, int(pdfium.FPDFPageObj_CountMarks(drawn_by)))


def _text_of(call: Any, *arguments: Any) -> str:
    """What one of PDFium's string calls gives: UTF-16 with a zero at its end."""
    buffer, length = (ctypes.c_ushort * (_NAME // 2))(), ctypes.c_ulong()
    call(*arguments, buffer, _NAME, length)
    return bytes(buffer)[: max(0, min(_NAME, length.value) - 2)].decode("utf-16-le", "replace")
