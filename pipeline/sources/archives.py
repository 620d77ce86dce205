"""Zip files that documents come in (DOCX, EPUB), opened only where they cannot unpack without end."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pipeline.sources.blocks import ReadLimits, Unreadable

_MOST_PARTS = 10_000
_LARGEST_RATIO = 200
"""Text packs to a tenth and markup at best to a fiftieth."""
_HARMLESS = 16 * 1024 * 1024
"""So many unpacked bytes are let pass at any ratio."""


def opened(path: Path, limits: ReadLimits) -> zipfile.ZipFile:
    """The archive. Raises Unreadable if it is none, is locked, or would unpack to more than it may.

    The sizes it declares are believed: Python's reader gives no more bytes of a part than are declared.
    """
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            cut = file.read(4) == b"PK\x03\x04"
        if cut:
            raise Unreadable("truncated", "it begins as a zip file does and has no end: it may be cut short")
        raise Unreadable("damaged", "it is no zip file, as a document of this format has to be")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
        raise Unreadable("damaged", f"its zip file cannot be read: {fault}") from None
    parts = archive.infolist()
    size, packed = sum(part.file_size for part in parts), max(1, path.stat().st_size)
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("encrypted", "its zip file opens only with a password")
    if len(parts) > _MOST_PARTS or size > limits.file_mib * 1024 * 1024:
        raise Unreadable("unsupported", f"it would unpack to {len(parts)} parts of {size} bytes: more than it may")
    if size > _HARMLESS and size > _LARGEST_RATIO * packed:
        raise Unreadable("unsupported", f"it would unpack to {size // packed} times its size, as a zip bomb does")
    return archive


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part. Raises Unreadable if it is absent or does not unpack to what it should."""
    try:
        return archive.read(name)
    except KeyError:
        raise Unreadable("damaged", f"its part {name} is missing") from None
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - zlib, lzma and bz2 each have an error of their own
        raise Unreadable("damaged", f"its part {name} cannot be unpacked: {fault}") from None
