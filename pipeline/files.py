"""Files appear whole: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import jsonlines
from pydantic import BaseModel

from pipeline.crash import passing
from pipeline.errors import CannotWrite

_ASIDE = ".{}.aside"


def sha256(content: bytes) -> str:
    """Hex digest of a file's content."""
    return hashlib.sha256(content).hexdigest()


def json_lines(items: Iterable[BaseModel]) -> bytes:
    """One model a line, as UTF-8 without escapes, so that every language is readable in an editor."""
    text = io.StringIO()
    with jsonlines.Writer(text, dumps=partial(json.dumps, ensure_ascii=False)) as lines:
        lines.write_all(item.model_dump(mode="json") for item in items)
    return text.getvalue().encode("utf-8")


def write_whole(path: Path, content: bytes) -> bool:
    """Put `content` at `path`; a reader sees the old file or the new one, never a part. False if it was there already.

    Raises CannotWrite; the old file is then untouched.
    """
    aside = aside_of(path)
    with blaming(path):
        try:
            if path.exists() and path.read_bytes() == content:
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                file.write(content)
                passing("file-half-written")
                file.flush()
                os.fsync(file.fileno())
            passing("file-written-aside")
            aside.replace(path)
            passing("file-renamed")
            sync_folder(path.parent)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
    return True


def write_folder(folder: Path, files: Mapping[str, bytes], last: str) -> bool:
    """Make a folder hold these files; the one named `last` is written last, for it vouches for the rest.

    Files of an earlier publication that are not among them are removed first. False if nothing changed.
    """
    changed = False
    with blaming(folder):
        for stray in sorted(folder.iterdir()) if folder.is_dir() else ():
            if stray.is_file() and stray.name not in files:
                stray.unlink()
                passing("stray-file-removed")
                changed = True
    for name in sorted(files, key=lambda name: (name == last, name)):
        if name == last:
            passing("all-but-the-last-file-written")
        changed |= write_whole(folder / name, files[name])
    return changed


def aside_of(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    return path.with_name(_ASIDE.format(path.name))


def unfinished(folder: Path, name: str = "*") -> Iterator[Path]:
    """What a killed process left half-written in a folder, of the file called `name` or of any."""
    return folder.glob(_ASIDE.format(name) + "*")  # SQLite appends to the name for files of its own


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written. Only for whoever holds the folder's lock. Raises CannotWrite."""
    with blaming(folder):
        for left in unfinished(folder):
            left.unlink(missing_ok=True)


@contextmanager
def blaming(path: Path, remedy: str = "Free space or mend permissions there; nothing was lost.") -> Iterator[None]:
    """Says of whatever the system refuses within that `path` cannot be written. Raises CannotWrite."""
    try:
        yield
    except FileExistsError as fault:
        raise CannotWrite(
            f"{fault.filename or path}: a file stands where a folder should be.", remedy=remedy
        ) from fault
    except OSError as fault:
        raise CannotWrite(f"{path}: {fault.strerror}.", remedy=remedy) from fault


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk: a rename is there only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
