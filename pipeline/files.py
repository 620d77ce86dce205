"""Files appear whole: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import jsonlines
from pydantic import BaseModel

from pipeline.errors import CannotWrite


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
    aside = path.with_name(f".{path.name}.aside")
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_folder(path.parent)
    except OSError as fault:
        aside.unlink(missing_ok=True)
        raise CannotWrite(
            f"{path}: {fault.strerror}.", remedy="Free space or mend permissions there; nothing was lost."
        ) from fault
    return True


def write_folder(folder: Path, files: Mapping[str, bytes], last: str) -> bool:
    """Make a folder hold these files; the one named `last` is written last, for it vouches for the rest.

    Files of an earlier publication that are not among them are removed first. False if nothing changed.
    """
    changed = False
    if folder.is_dir():
        for stray in sorted(folder.iterdir()):
            if stray.is_file() and stray.name not in files:
                stray.unlink()
                changed = True
    for name in sorted(files, key=lambda name: (name == last, name)):
        changed |= write_whole(folder / name, files[name])
    return changed


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
