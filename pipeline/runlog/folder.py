"""The files under `runs/`: one a run, whole at any moment, and one of a killed run says that it began.

While a run lives it holds a lock on its file. Nobody else ever asks for more than a glance at it, so looking at
runs keeps none of them from anything, and a file without an end that nobody holds is that of a run that died.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Self

from pydantic import ValidationError

from pipeline.crash import passing
from pipeline.files import aside_of, blaming, sync_folder, unfinished, write_whole
from pipeline.runlog.facts import Facts, died

_OPEN = b'\n  "end": null,'
"""What stands in the file of a run without an end, and in no other."""


class RunFile:
    """The file of a run that is under way in this process."""

    def __init__(self, path: Path, held: IO[bytes]) -> None:
        self._path = path
        self._held = held

    @classmethod
    def begin(cls, folder: Path, facts: Facts) -> Self:
        """Write down that a run has begun, under the moment of its beginning; `facts` learns its name.

        Raises CannotWrite.
        """
        with blaming(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            name = f"{facts.began:%Y%m%dT%H%M%SZ}" + (f"-{number}" if number > 1 else "")
            path = folder / f"{name}.json"
            with blaming(path):
                held = _laid(path, facts.model_copy(update={"run": name}))
            if held is not None:
                facts.run = name
                passing("run-begun")
                return cls(path, held)
        raise AssertionError("unreachable")

    def end(self, facts: Facts) -> None:
        """Write down how it ended. Raises CannotWrite; then the file still says that it began."""
        write_whole(self._path, page(facts))
        self._held.close()
        passing("run-ended")


def _laid(path: Path, facts: Facts) -> IO[bytes] | None:
    """The file, held; None if another run of the same second has that name, or is about to take it.

    None, too, if it was taken for a dead run's in the moment before it was held, and swept away.
    """
    aside = aside_of(path)
    try:
        held = aside.open("xb")
    except FileExistsError:
        return None
    try:
        with suppress(OSError):  # a file system without locks: the ledger will say so
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():
            aside.unlink()
            held.close()
            return None
        held.write(page(facts))
        held.flush()
        os.fsync(held.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except FileNotFoundError:
        held.close()
        return None
    except BaseException:
        aside.unlink(missing_ok=True)
        held.close()
        raise
    return held


def page(facts: Facts) -> bytes:
    """What stands in a run's file."""
    return f"{facts.model_dump_json(indent=2)}\n".encode()


class Runs:
    """What stands in a folder of runs; reading it changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest_first(self) -> Iterator[Facts]:
        """Every run whose file can be read."""
        for path in sorted(self._folder.glob("*.json"), key=lambda path: path.stem, reverse=True):
            facts = _read(path)
            if facts is not None:
                yield facts

    def read(self, run: str) -> Facts | None:
        """One run, if there is such a one."""
        return _read(self._folder / f"{run}.json") if run else None

    def last_counted(self) -> Facts | None:
        """The last run that ended and got as far as counting."""
        return next((one for one in self.newest_first() if one.end and one.funnel), None)

    def last_done(self) -> Facts | None:
        """The last run that ended well."""
        return next((one for one in self.newest_first() if one.done), None)

    def lives(self, run: str) -> bool:
        """Whether somebody is at work on a run."""
        return _held(self._folder / f"{run}.json")

    def strays(self) -> Iterator[Path]:
        """Files of this folder that are no run's."""
        return (path for path in sorted(self._folder.glob("*")) if path.suffix != ".json" or _read(path) is None)

    def bury(self, own: str) -> list[Facts]:
        """Give runs that began and died an end that says so; returns them, the oldest first.

        Only for whoever holds the ledger. Raises CannotWrite.
        """
        for left in unfinished(self._folder):
            if not _held(left):
                left.unlink(missing_ok=True)
        found = []
        for path in sorted(self._folder.glob("*.json"), key=lambda path: path.stem):
            with suppress(OSError):
                if path.stem == own or _OPEN not in path.read_bytes() or self.lives(path.stem):
                    continue
            facts = _read(path)
            if facts is not None and facts.end is None:
                facts.end = died(own)
                write_whole(path, page(facts))
                found.append(facts)
        return found


def _held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _read(path: Path) -> Facts | None:
    """None of a file that somebody else put there, or damaged."""
    try:
        return Facts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
