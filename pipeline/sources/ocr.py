"""Text recognition: Tesseract reads the picture of a page, and its words become fragments like any other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from pipeline.sources.clean import is_unspaced
from pipeline.sources.layout import Fragment, PageText

DPI = 300
"""What Tesseract's models were trained on."""
_WORD_LEVEL = "5"
_SURE = 0.75
"""Tesseract gives clean type 0.95, and the same upside down 0.25 to 0.3."""
_NOISE = 0.5
"""A block it is less sure of than this is a photograph or a stain, not writing."""
_WIDEST_GAP = 2.5
"""Ems between two words of a justified line, at most."""
_TELLING = 3
"""Letters of a word from which its box shows which way it runs."""
_HEIGHT_OF_LETTERS = 0.75
"""Of a line's box, which reaches from the highest ascender to the lowest descender."""
_LANGUAGES = re.compile(r"[A-Za-z_]{3,20}(?:\+[A-Za-z_]{3,20}){0,9}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in shades of grey, one byte a pixel, row by row from the top."""

    width: int
    height: int
    pixels: bytes
    scale: float
    """Pixels to a point."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of a picture, and how sure Tesseract is of it, from 0 to 1."""

    page: PageText
    confidence: float


@dataclass(frozen=True, slots=True)
class _Word:
    """One word and its box, in pixels from the upper left."""

    text: str
    confidence: float
    block: str
    line: tuple[str, ...]
    left: int
    top: int
    width: int
    height: int


class CannotRecognise(Exception):
    """Tesseract is not there, or does not do what is asked; the message says which."""


def recognised(picture: Picture, languages: str) -> Recognised:
    """The words on a picture, whichever way up it lies. `languages` are named as Tesseract names them: `deu+eng`.

    Tesseract by itself reads pages that lie on one side, and of text upside down it is not sure: then the picture is
    turned over, and what it is surer of is kept. Raises CannotRecognise if Tesseract is not installed or fails.
    """
    words = _words(picture, languages)
    if words and _confidence(words) < _SURE:
        words = max(words, _words(_turned_over(picture), languages), key=_confidence)
    confidence = _confidence(words)
    if _lie_sideways(words):
        words, picture = _set_upright(words, picture)
    return Recognised(_page(_without_noise(words), picture), confidence)


def _words(picture: Picture, languages: str) -> list[_Word]:
    """What Tesseract sees, in its order."""
    program = shutil.which("tesseract")
    if program is None:
        raise CannotRecognise("text recognition is asked for, and Tesseract is not installed")
    if not _LANGUAGES.fullmatch(languages):
        raise CannotRecognise(f"Tesseract has no language named {languages!r}")
    command = [program, "stdin", "stdout", "-l", languages, "--dpi", str(DPI), "tsv"]
    image = b"P5 %d %d 255\n" % (picture.width, picture.height) + picture.pixels
    alone = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # its threads wait for one another more than they work
    done = subprocess.run(command, input=image, capture_output=True, env=alone, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise CannotRecognise(f"Tesseract said: {said[:200] or f'exit status {done.returncode}'}")
    rows = (row.split("\t") for row in done.stdout.decode("utf-8", "replace").split("\n"))
    return [
        _Word(row[11], float(row[10]) / 100, row[2], tuple(row[1:5]), *map(int, row[6:10]))
        for row in rows
        if len(row) == 12 and row[0] == _WORD_LEVEL and row[11].strip()
    ]


def _confidence(words: Iterable[_Word]) -> float:
    """Of all words together, the longer counting more."""
    weighed = [(len(word.text), word.confidence) for word in words]
    return sum(letters * sure for letters, sure in weighed) / max(1, sum(letters for letters, _ in weighed))


def _turned_over(picture: Picture) -> Picture:
    return replace(picture, pixels=picture.pixels[::-1])


def _lie_sideways(words: Sequence[_Word]) -> bool:
    """Whether the lines run up or down the picture."""
    telling = [word for word in words if len(word.text) >= _TELLING]
    return sum(word.height > word.width for word in telling) > 0.5 * len(telling)


def _set_upright(words: Sequence[_Word], picture: Picture) -> tuple[list[_Word], Picture]:
    """Boxes and edges once the picture is turned back by a quarter: its lines run down, the first of them rightmost."""
    upright = [
        replace(
            word,
            left=word.top,
            top=picture.width - word.left - word.width,
            width=word.height,
            height=word.width,
        )
        for word in words
    ]
    return upright, replace(picture, width=picture.height, height=picture.width, pixels=b"")


def _without_noise(words: Sequence[_Word]) -> list[_Word]:
    """The words of those blocks that Tesseract is sure enough of; all of them where it is sure of none."""
    blocks: dict[str, list[_Word]] = defaultdict(list)
    for word in words:
        blocks[word.block].append(word)
    sound = {name for name, of in blocks.items() if _confidence(of) >= _NOISE}
    return [word for word in words if word.block in sound or not sound]


def _page(words: Sequence[_Word], picture: Picture) -> PageText:
    """The words as fragments that share a baseline within a line."""
    lines: dict[tuple[str, ...], list[_Word]] = defaultdict(list)
    for word in words:
        lines[word.line].append(word)
    feet = {name: max(word.top + word.height for word in of) for name, of in lines.items()}
    heights: dict[str, list[int]] = defaultdict(list)
    for name, of in lines.items():
        heights[of[0].block].append(feet[name] - min(word.top for word in of))
    sizes = {block: _HEIGHT_OF_LETTERS * median(of) for block, of in heights.items()}  # lines differ by their letters
    fragments = [
        (
            0,
            Fragment(
                text=_said(run),
                x=run[0].left / picture.scale,
                y=(picture.height - feet[name]) / picture.scale,
                width=(run[-1].left + run[-1].width - run[0].left) / picture.scale,
                size=float(round(sizes[run[0].block] / picture.scale)),
                bold=False,
                unsure=True,
            ),
        )
        for name, of in lines.items()
        for run in ([of] if _is_set_evenly(of, sizes[of[0].block]) else [[word] for word in of])
    ]
    return PageText(fragments, (0.0, 0.0, picture.width / picture.scale, picture.height / picture.scale))


def _said(words: Sequence[_Word]) -> str:
    """With a blank after each word, however near the next one stands, but not in scripts that have none."""
    return "".join(word.text if is_unspaced(word.text[-1]) else f"{word.text} " for word in words)


def _is_set_evenly(line: Sequence[_Word], size: float) -> bool:
    """A line spread out to fill its measure: its gaps are wide and equal, those between cells are not equal."""
    gaps = [after.left - before.left - before.width for before, after in pairwise(line)]
    if len(gaps) < 3 or max(gaps) > _WIDEST_GAP * size:
        return False
    usual = median(gaps)
    return 0.6 * usual <= min(gaps) and max(gaps) <= 1.7 * usual
