"""Text recognition: Tesseract reads the picture of a page, and its words become fragments like any other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from pipeline.sources.layout import Fragment, PageText

DPI = 300
"""What Tesseract's models were trained on."""
_WORD_LEVEL = "5"
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


class CannotRecognise(Exception):
    """Tesseract is not there, or does not do what is asked; the message says which."""


def recognised(picture: Picture, languages: str) -> PageText:
    """The words on a picture. `languages` is named as Tesseract names them, such as `deu+eng`.

    Raises CannotRecognise if Tesseract is not installed or fails.
    """
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
    return _page(done.stdout.decode("utf-8", "replace"), picture)


def _page(table: str, picture: Picture) -> PageText:
    """Tesseract's table of words, in its order, as fragments that share a baseline within a line."""
    lines: dict[tuple[str, ...], list[tuple[int, int, int, int, str]]] = defaultdict(list)
    for row in table.split("\n"):
        cells = row.split("\t")
        if len(cells) == 12 and cells[0] == _WORD_LEVEL and cells[11].strip():
            left, top, width, height = map(int, cells[6:10])
            lines[tuple(cells[1:5])].append((left, top, width, height, cells[11]))
    boxes = {
        name: (min(word[1] for word in words), max(word[1] + word[3] for word in words))
        for name, words in lines.items()
    }
    heights: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for name, (top, bottom) in boxes.items():
        heights[name[:2]].append(bottom - top)  # one size for a block: single lines differ by their letters
    fragments = [
        (
            0,
            Fragment(
                text=text,
                x=left / picture.scale,
                y=(picture.height - boxes[name][1]) / picture.scale,
                width=width / picture.scale,
                size=float(round(_HEIGHT_OF_LETTERS * median(heights[name[:2]]) / picture.scale)),
                bold=False,
                unsure=True,
            ),
        )
        for name, words in lines.items()
        for left, _, width, _, text in words
    ]
    return PageText(fragments, (0.0, 0.0, picture.width / picture.scale, picture.height / picture.scale))
