"""One process at a time in a dataset's folder, under a lock that dies with the process."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import IO

from pipeline.crash import passing
from pipeline.errors import CannotWrite, TryAgainLater
from pipeline.files import blaming

_LOOKS, _PAUSE = 10, 0.2
"""How often, and seconds apart, the holder's name is looked for until it stands still."""
_ELSEWHERE = "Mend that there, or name another folder with --out."


def take_lock(folder: Path) -> IO[str]:
    """The open lock file; closing it lets go. Raises TryAgainLater naming the holder, CannotWrite if it cannot be."""
    path = folder / "ledger.lock"
    with blaming(folder, _ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    try:
        _lock(lock, folder)
        passing("lock-taken")
        with blaming(folder, _ELSEWHERE):
            # Past the buffer of the file: what cannot be written now would be tried again at its closing.
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}".encode())
    except BaseException:
        lock.close()
        raise
    return lock


def holder(folder: Path) -> str | None:
    """Who holds a folder's lock now, in words; None if nobody does. Creates nothing."""
    try:
        with (folder / "ledger.lock").open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(folder)
    except OSError:
        return None
    return None


def _lock(lock: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TryAgainLater(
            f"{folder} is in use by {_named(folder)}.", remedy="It ends by itself; run again later.", cause="locked"
        ) from None
    except OSError as fault:
        raise CannotWrite(
            f"{folder}: its file system has no locks, so two runs could pay for the same ({fault.strerror}).",
            remedy="Name a folder on a local disk with --out.",
        ) from fault


def _named(folder: Path) -> str:
    """Whoever took the lock this very moment has not signed yet, and an earlier holder's name may still stand there."""
    path, said = folder / "ledger.lock", ""
    for _ in range(_LOOKS):
        before, said = said, path.read_text(encoding="utf-8").strip()
        if said and said == before:
            break
        sleep(_PAUSE)
    return said or "another process"
