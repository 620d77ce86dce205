"""Documents: which files a recipe's patterns name, and each file as pages of cleaned text."""

from __future__ import annotations

import glob
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pipeline.errors import InputError
from pipeline.sources.apart import Format, read_apart
from pipeline.sources.blocks import (
    PAIRED,
    READ,
    RECOGNISED,
    Block,
    Fate,
    PdfReaderName,
    Reading,
    ReadLimits,
    ReadOptions,
    Stopped,
    Unit,
    Unreadable,
)

__all__ = ["Document", "Page", "Unread", "find_documents", "read_document"]

_BY_DEFAULT = ReadOptions()

FORMATS: dict[str, Format] = {
    ".pdf": "pdf",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".epub": "epub",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
"""Format by suffix, in small letters; a folder or glob gives only files with one of these."""

_SELDOM_PAIRS = ".json"
"""Nearly always the settings of some program, so a folder gives none: one has to be named, or meant by a glob."""

_TRIES: tuple[tuple[PdfReaderName, float], ...] = (("auto", 0.55), ("pypdfium2", 0.35), ("pypdf", 0.1))
"""Readers of a PDF in the order they are tried, and the share of the time each may take."""

_TRIES_WITH_OCR: tuple[tuple[PdfReaderName, float], ...] = (("auto", 0.8), ("pypdfium2", 0.2))
"""Where pages are recognised most of the time goes into that, and each try begins it anew."""

_NAMES = f"PDF, Markdown, text, HTML, Word and EPUB files, CSV and JSON of question-answer pairs ({', '.join(FORMATS)})"


@dataclass(frozen=True)
class Page:
    """One page of a document: its number from 1 in the file, and its text, block by block."""

    number: int
    blocks: tuple[Block, ...]

    @cached_property
    def text(self) -> str:
        """The blocks of the page, one a line."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True)
class Document:
    """A file that was read. Pages without text are not among its pages; warnings say why where it matters."""

    name: str
    sha256: str
    pages: tuple[Page, ...]
    warnings: tuple[str, ...] = field(default=())
    reader: str = ""
    """What read it, in words."""
    page_count: int = 0
    """How many pages the file has, those without text among them."""
    unit: Unit = "page"
    """What its pages are."""

    @property
    def is_paired(self) -> bool:
        """Each of its pages is a question with its answer."""
        return self.unit in PAIRED

    @property
    def between(self) -> str:
        """What parts two pages: pairs stand apart, while a sentence may run from one sheet of paper to the next."""
        return "\n\n" if self.is_paired else "\n"

    @cached_property
    def text(self) -> str:
        """The cleaned text that passages and spans count in."""
        return self.between.join(page.text for page in self.pages)


@dataclass(frozen=True)
class Unread:
    """A file of which nothing could be used, and a sentence for whoever supplied it."""

    name: str
    fate: Fate
    cause: str
    page_count: int = 0
    """How many pages it has, as far as that is known."""


def find_documents(patterns: Sequence[str], base: Path) -> list[Path]:
    """The files that `patterns` name, each once, in an order that depends on their names alone.

    A pattern is a file, a folder (with all below it) or a glob, relative to `base`. A file named outright is
    always taken; folders and globs give readable formats only, skip hidden names, and do not follow a link
    that leads out of the folder named. Raises InputError if a pattern gives nothing.
    """
    found: dict[Path, Path] = {}
    for pattern in patterns:
        try:
            paths = list(_matches(pattern, base))
        except (OSError, ValueError) as fault:
            raise InputError(f"{pattern!r} cannot be looked up: {fault}.") from None
        if not paths:
            raise InputError(
                f"{pattern!r} names no document in {base}: {_NAMES} can be read.",
                remedy="Check the spelling and the folder the path starts from.",
            )
        for path in paths:
            found.setdefault(path.resolve(), path)
    return sorted(found.values(), key=lambda path: path.as_posix())


def _matches(pattern: str, base: Path) -> Iterator[Path]:
    path = base / pattern
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from _below(path)
    elif glob.has_magic(pattern):
        fixed = _without_magic(pattern)
        folder, rest = base / fixed, Path(pattern).relative_to(fixed)
        for match in folder.glob(rest.as_posix()):
            if match.is_file() and _is_wanted(match, folder):
                yield match


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(place, name)
            if path.is_file() and _is_wanted(path, folder) and path.suffix.lower() != _SELDOM_PAIRS:
                yield path


def _is_wanted(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in FORMATS and not hidden and path.resolve().is_relative_to(folder.resolve())


def _without_magic(pattern: str) -> Path:
    """The leading folders of a glob that are spelt out."""
    parts = Path(pattern).parts
    magic = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:magic])


def read_document(
    path: Path, name: str, limits: ReadLimits, password: str | None = None, options: ReadOptions = _BY_DEFAULT
) -> Document | Unread:
    """The file as a Document called `name`, or why it is none. Never raises for what is in the file.

    Each file is read in a process of its own within `limits`; an empty result counts as unread, whatever the
    reader says. `password` is tried where a file does not open without one.
    """
    try:
        digest, reading = _read(path, limits, options, password)
    except Unreadable as fault:
        return Unread(name, fault.fate, fault.cause, fault.page_count)
    except (OSError, ValueError) as fault:
        return Unread(name, "damaged", f"it cannot be opened: {getattr(fault, 'strerror', None) or fault}")
    pages = tuple(Page(number, tuple(blocks)) for number, blocks in reading.pages if blocks)
    if not any(mark.isalnum() for page in pages for mark in page.text):
        return Unread(name, "empty", "it holds no letter and no digit", reading.page_count)
    return Document(name, digest, pages, tuple(reading.warnings), reading.reader, reading.page_count, reading.unit)


def _read(path: Path, limits: ReadLimits, options: ReadOptions, password: str | None) -> tuple[str, Reading]:
    form = FORMATS.get(path.suffix.lower())
    size = path.stat().st_size
    if not path.is_file():
        raise Unreadable("unsupported", "it is no file but a folder, a pipe or a device")
    if form is None:
        raise Unreadable("unsupported", f"{path.suffix or 'it'} is none of the formats that can be read: {_NAMES}")
    if size > limits.file_mib * 1024 * 1024:
        raise Unreadable("unsupported", f"it is larger than {limits.file_mib} MiB")
    if size == 0:
        raise Unreadable("empty", "the file has no bytes in it")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, _read_safely(path.resolve(), form, limits, options, password)


def _read_safely(path: Path, form: Format, limits: ReadLimits, options: ReadOptions, password: str | None) -> Reading:
    """What a child makes of the file. Where both readers of PDFs together stop it, each is tried alone.

    A stop is a crash, or want of time or memory; all tries together take no longer than the limit, or than a file of
    its size could earn by its pages.
    """
    if form != "pdf" or options.reader != "auto":
        return read_apart(path, form, limits, options, password)
    stopped: Stopped | None = None
    progress = (RECOGNISED if options.ocr else READ) * limits.pages
    until = time.monotonic() + limits.allowed(progress, path.stat().st_size)
    for reader, share in _TRIES_WITH_OCR if options.ocr else _TRIES:
        try:
            within = replace(limits, share=share, most=max(0.0, until - time.monotonic()))
            reading = read_apart(path, form, within, replace(options, reader=reader), password)
        except Stopped as fault:
            stopped = stopped or fault
            continue
        if stopped:
            reading.warnings.append(f"read by {reader} alone, for with both readers {stopped.cause}")
        return reading
    if stopped and stopped.fate == "too-slow":
        raise Unreadable("too-slow", f"reading it took longer than {limits.seconds:g} s")
    raise stopped or AssertionError(_TRIES)
