"""A PDF page as pieces of text with their place, width, size and weight, as pypdf draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pypdf import PageObject
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, NameObject

from pipeline.sources.layout import Fragment, is_bold, is_visible, turned

_NO_CHARACTER_WIDTH = 0.5
"""Ems a character takes where its font does not say."""
_JUMP = -1100
"""Thousandths of an em; a word gap takes 250 to 400."""
_MOVES = frozenset({b"Td", b"TD", b"Tm", b"T*", b"'", b'"'})
_SPACINGS = frozenset({b"Tc", b"Tw"})
_RISE = b"Ts"
_ENDS_A_REPORT = _MOVES | _SPACINGS | {_RISE}
_SHOWS = frozenset({b"Tj", b"TJ", b"'", b'"'})

Matrix = list[float]
Operations = list[tuple[Any, bytes]]


def fragments_of(page: PageObject) -> list[tuple[int, Fragment]]:
    """(quarter turns of its baseline, fragment) for each run of text, in drawing order."""
    raw = page.get("/Contents")
    if raw is None:
        return []
    contents = ContentStream(raw.get_object(), page.pdf, "bytes")  # bytes: the fonts say what they mean
    plain = contents.operations
    contents.operations = _reporting_each_move(plain)
    page[NameObject("/Contents")] = contents
    pen = _Pen()
    page.extract_text(visitor_operand_before=pen.note, visitor_text=pen.write)
    if _reads_leftwards(pen.found):  # pypdf turns these runs round, and can do so only with whole ones
        contents.operations = plain
        pen = _Pen()
        page.extract_text(visitor_operand_before=pen.note, visitor_text=pen.write)
    return pen.found


class _Pen:
    """Follows the pen over a page and keeps what it wrote, where and how wide.

    pypdf reports a text with the place where its line began; what the pen has written since the last move
    has to be added, with the spacing and kerning of each piece.
    """

    def __init__(self) -> None:
        self.found: list[tuple[int, Fragment]] = []
        self._drawn: set[tuple[str, int, int]] = set()
        self._fonts: dict[int, _Widths] = {}
        self._shown: list[Any] = []
        self._spacing = (0.0, 0.0)
        self._rise = 0.0
        self._kept: list[tuple[tuple[float, float], float]] = []
        self._advance = 0.0
        self._after_break = False

    def note(self, operator: bytes, operands: Any, _cm: Matrix, _tm: Matrix) -> None:
        """Before pypdf acts on an operator: remembers what it will write and how it is spaced."""
        if operator in _SHOWS and operands:
            self._shown += operands[-1] if operator == b"TJ" and isinstance(operands[0], list) else operands[-1:]
        elif operator in _SPACINGS and operands and isinstance(operands[0], (int, float)):
            value = float(operands[0])
            self._spacing = (value, self._spacing[1]) if operator == b"Tc" else (self._spacing[0], value)
        elif operator == _RISE and operands and isinstance(operands[0], (int, float)):
            self._rise = float(operands[0])
        elif operator == b"q":
            self._kept.append((self._spacing, self._rise))
        elif operator == b"Q" and self._kept:
            self._spacing, self._rise = self._kept.pop()
        if operator in _MOVES or operator == b"BT":
            self._advance = 0.0

    def write(self, text: str, cm: Matrix, tm: Matrix, font: DictionaryObject | None, size: float) -> None:
        """A run of text as pypdf reports it. Breaks and blanks it only infers are remembered, not believed."""
        if not self._shown and not text.strip():
            self._after_break = True  # a blank that no code of the file stands for
        elif text.strip("\n"):
            a, b, c, d, x, y = _product((1.0, 0.0, 0.0, 1.0, 0.0, self._rise), _product(tm, cm))
            before, width, blank = self._measured(font, abs(size))
            turn = round(math.atan2(b, a) / (math.pi / 2)) % 4
            x, y = turned(x, y, turn)
            along, across = math.hypot(a, b), round(abs(size) * math.hypot(c, d), 2)
            x += (self._advance + before) * along
            self._advance += before + width
            inferred = text.startswith(" ") and not blank
            shown = text.strip("\n")[1 if inferred else 0 :]
            unsure = self._after_break or inferred
            self._keep(turn, Fragment(shown, x, y, width * along, across, is_bold(_name(font)), unsure))
            self._after_break = False
        self._after_break |= "\n" in text

    def _keep(self, turn: int, fragment: Fragment) -> None:
        """Keeps it if a reader could see it, and once: drawing twice is a poor man's bold or shadow."""
        if not is_visible(fragment):
            return
        place = (fragment.text.strip(), round(fragment.x), round(fragment.y))
        if len(place[0]) < 3 or place not in self._drawn:
            self.found.append((turn, fragment))
            self._drawn.add(place)

    def _measured(self, font: DictionaryObject | None, size: float) -> tuple[float, float, bool]:
        """What the pen skipped before the first letter, how far it went from there, and whether that was a blank."""
        if id(font) not in self._fonts:
            self._fonts[id(font)] = _Widths(font)
        widths = self._fonts[id(font)]
        before, width, first = 0.0, 0.0, ""
        for piece in self._shown:
            if isinstance(piece, (int, float)):
                step = -float(piece) / 1000 * size
                before, width = (before, width + step) if first else (before + step, width)
            else:
                codes = widths.codes(piece)
                first = first or codes
                width += widths.of(codes, size, *self._spacing)
        self._shown = []
        return before, width, first[:1] in widths.blanks


class _Widths:
    """How far the pen goes for the codes of one font; a flat estimate where its tables cannot be read."""

    def __init__(self, font: DictionaryObject | None) -> None:
        self._font: Any = None
        self.blanks = {" "}
        try:
            from pypdf.generic._font import Font  # the one place where pypdf keeps widths; private, hence the estimate

            self._font = Font.from_font_resource(font) if font is not None else None
            self.blanks |= {code for code, mark in self._font.character_map.items() if mark.isspace()}
        except Exception:  # noqa: BLE001 - widths only help to tell gaps apart; the text is read without them
            self._font = None

    def codes(self, piece: Any) -> str:
        """A string operand as the codes of this font, one character for each."""
        raw = piece if isinstance(piece, bytes) else str(piece).encode("latin-1", "replace")
        encoding = getattr(self._font, "encoding", None)
        return raw.decode(encoding if isinstance(encoding, str) else "latin-1", "replace")

    def of(self, codes: str, size: float, character: float, word: float) -> float:
        """The advance for some codes, with `character` and `word` spacing."""
        ems = _NO_CHARACTER_WIDTH * len(codes) if self._font is None else self._font.get_text_width(codes) / 1000
        return float(ems) * size + len(codes) * character + codes.count(" ") * word


def _reporting_each_move(operations: Operations) -> Operations:
    """The same drawing, told so that pypdf reports the text before each move of the pen.

    pypdf hands its visitor whole lines and puts one blank for any gap, so the cells of a row would run
    together. Naming the current font once more changes nothing on the page and ends a report. What the
    file itself marks as running head, foot or watermark is not told.
    """
    told: Operations = []
    font: Any = None
    fonts: list[Any] = []
    marked: list[bool] = []
    for operands, operator in operations:
        if operator == b"Tf":
            font = operands
        elif operator == b"q":
            fonts.append(font)
        elif operator == b"Q":
            font = fonts.pop() if fonts else font
        elif operator in {b"BDC", b"BMC"}:
            marked.append(_is_pagination(operands))
        elif operator == b"EMC" and marked:
            marked.pop()
        if operator in _SHOWS and any(marked):
            continue
        if operator in _ENDS_A_REPORT and font is not None:
            told.append((font, b"Tf"))
        if operator == b"TJ" and font is not None:
            told += _cells(operands, font)
        else:
            told.append((operands, operator))
    return told


def _cells(operands: Any, font: Any) -> Operations:
    """One TJ cut where it jumps by more than an em, as typesetters do between the cells of a row."""
    pieces = operands[0] if operands and isinstance(operands[0], list) else []
    starts = [place for place, piece in enumerate(pieces) if isinstance(piece, (int, float)) and piece < _JUMP]
    if not starts:
        return [(operands, b"TJ")]
    told: Operations = []
    for start, end in pairwise([0, *starts, len(pieces)]):
        if start < end:
            told += [([ArrayObject(pieces[start:end])], b"TJ"), (font, b"Tf")]
    return told


def _is_pagination(operands: Any) -> bool:
    """A tagged file says itself what is a running head, foot or watermark."""
    properties = operands[1] if len(operands) > 1 else None
    return isinstance(properties, DictionaryObject) and properties.get("/Type") == "/Pagination"


def _product(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float, float, float, float]:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _reads_leftwards(found: list[tuple[int, Fragment]]) -> bool:
    text = "".join(fragment.text for _, fragment in found)
    return sum("\u0590" <= mark <= "\u08ff" or "\ufb1d" <= mark <= "\ufefc" for mark in text) > 0.3 * len(text)


def _name(font: DictionaryObject | None) -> str:
    return str(font.get("/BaseFont", "")) if font is not None else ""
