"""Plain text files: bytes to characters, and paragraphs parted by blank lines."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.sources.blocks import Block, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import joined, repaired, vocabulary
from pipeline.sources.quality import is_gibberish
from pipeline.sources.runs import ITEM, NUMBERED, TERMINAL

_UNWRAPPED = 120
"""A line longer than this was not broken to fit: it is a paragraph of its own."""
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_JUDGED = 100_000


def read_text(path: Path, limits: ReadLimits) -> Reading:
    """A text file as blocks; a form feed begins a new page, as in text printed from a PDF."""
    text, warnings = decoded(path, limits)
    pages = enumerate(_pages(text.split("\f")), 1)
    return Reading([page for page in pages if page[1]], warnings)


def typescript(text: str) -> list[Block]:
    """A text whose lines and blank lines are all the shape it has, as blocks."""
    (blocks,) = _pages([text])
    return blocks


def paragraphs(text: str) -> list[Block]:
    """A text of a few lines, such as an answer: no line of it is a heading."""
    return [replace(block, kind="prose", level=0) if block.kind == "heading" else block for block in typescript(text)]


def decoded(path: Path, limits: ReadLimits, declared: str = "") -> tuple[str, list[str]]:
    """The characters of a text file up to the limit, and what had to be guessed or left out.

    `declared` is the encoding that the file itself names. A byte order mark and UTF-8 that holds outrank it.
    Raises Unreadable if the file is empty, is no text, or holds nothing a person could read.
    """
    text, warnings = characters(path, limits, declared)
    if "\x00" in text:
        raise Unreadable("unsupported", "it is not text: it holds zero bytes")
    if is_gibberish(text[:_JUDGED]):
        raise Unreadable("gibberish", "its characters make no words in any language")
    return text, warnings


def characters(path: Path, limits: ReadLimits, declared: str = "") -> tuple[str, list[str]]:
    """The same, whatever the characters are."""
    with path.open("rb") as file:
        data = file.read(4 * limits.characters + 4)
        more = bool(file.read(1))
    if not data.strip():
        raise Unreadable("empty", "the file has no characters in it")
    text, warnings = as_text(data, more, declared)
    if len(text) > limits.characters or more:
        text = text[: limits.characters]
        warnings.append(f"only the first {limits.characters} characters were read: the rest is over the limit")
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def as_text(data: bytes, cut: bool, declared: str) -> tuple[str, list[str]]:
    """Bytes as characters, and what had to be guessed; `cut` where the last character may be torn."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(data, final=not cut), []
    except UnicodeDecodeError as fault:
        with contextlib.suppress(LookupError, UnicodeError):
            return codecs.lookup(declared).decode(data, "replace")[0], []
        warning = f"it is not {encoding.upper()} (byte {fault.start}): it was read as Windows-1252"
        return data.decode("cp1252", "replace"), [warning]


def _pages(texts: Sequence[str]) -> list[list[Block]]:
    parts = [_groups(text) for text in texts]
    wrapped = any(len(group) > 1 for groups in parts for group in groups)
    words = vocabulary(line for groups in parts for group in groups for line in group) if wrapped else frozenset()
    return [_blocks(groups, words) for groups in parts]


def _groups(text: str) -> list[list[str]]:
    """Lines between blank lines, each line mended but keeping its tabs and indent for what follows."""
    groups: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _blocks(groups: Sequence[Sequence[str]], words: frozenset[str]) -> list[Block]:
    blocks: list[Block] = []
    for group in groups:
        heading = _heading(group)
        blocks += [heading] if heading else _body(group, words)
    return [block for block in blocks if block.text]


def _heading(group: Sequence[str]) -> Block | None:
    """A heading in plain text is a line alone that is underlined, numbered or in capitals."""
    first = repaired(group[0])
    if len(group) == 2 and re.fullmatch(r"\s*(?:={3,}|-{3,}|~{3,})\s*", group[1]) and len(first) <= 100:
        return Block("heading", first, 1 if "=" in group[1] else 2)
    if len(group) > 1 or len(first) > 80 or TERMINAL.search(first) or len(first.split()) > 12:
        return None
    number = NUMBERED.match(first)
    if number and (first[0].isdigit() or first.casefold().startswith(("chapter", "section", "part", "appendix"))):
        return Block("heading", first, 1 + number.group(1).count("."))
    letters = sum(mark.isalpha() for mark in first)
    return Block("heading", first, 1) if first.isupper() and letters >= 4 else None


def _body(group: Sequence[str], words: frozenset[str]) -> list[Block]:
    if len(group) > 1 and all("\t" in line.strip() for line in group):
        return [Block("row", " | ".join(repaired(cell) for cell in line.strip().split("\t"))) for line in group]
    measure = max(len(line) for line in group)
    runs: list[list[str]] = []
    for line in group:
        shown = repaired(line)
        if runs and measure <= _UNWRAPPED and not ITEM.match(shown) and not _ended(runs[-1][-1], measure):
            runs[-1].append(shown)
        else:
            runs.append([shown])
    return [Block("item" if ITEM.match(run[0]) else "prose", joined(run, words)) for run in runs]


def _ended(line: str, measure: int) -> bool:
    """A sentence that ends well before the edge ends its paragraph."""
    return bool(TERMINAL.search(line)) and len(line) < 0.6 * measure
