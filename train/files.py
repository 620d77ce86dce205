"""Files of the training stage appear whole, and a student's folder does too."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import CannotWrite, TryAgainLater


def sha256_of(paths: Iterable[Path]) -> str:
    """One hash over the names and bytes of files, whatever order they are given in."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Writes `text` aside, syncs it to disk and renames it into place."""
    with renamed_into_place(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def renamed_into_place(path: Path) -> Iterator[Path]:
    """A file to write aside; it is synced to disk and takes the name `path` when the block ends without a fault."""
    aside = path.with_name(f".{path.name}.unfinished")
    try:
        yield aside
        with aside.open("rb") as stream:
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError as fault:
        raise CannotWrite(f"{path} could not be written: {fault}.") from fault


@contextmanager
def appearing_whole(folder: Path) -> Iterator[Path]:
    """A folder to fill beside `folder`; it takes that name only when the block ends without a fault.

    A killed process leaves nothing under `folder`'s own name, and a lock that dies with its holder
    keeps two processes from filling it at once.
    """
    aside, old = (folder.with_name(f".{folder.name}.{state}") for state in ("unfinished", "replaced"))
    with _locked(folder):
        try:
            for leftover in (aside, old):
                shutil.rmtree(leftover, ignore_errors=True)
            aside.mkdir()
            yield aside
            if folder.exists():
                folder.rename(old)
            aside.rename(folder)
        except OSError as fault:
            raise CannotWrite(f"{folder} could not be written: {fault}.") from fault
        finally:
            for leftover in (aside, old):
                shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder.with_name(f".{folder.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w")
    except OSError as fault:
        raise CannotWrite(f"{path} could not be written: {fault}.") from fault
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainLater(
                f"{folder} is being trained by another process.",
                remedy="Wait for it to end, or stop it.",
                cause="locked",
            ) from None
        yield
