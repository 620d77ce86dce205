"""One process at a time in a dataset's folder, under a lock that dies with the process."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pipeline.errors import CannotWrite, TryAgainLater


def take_lock(folder: Path) -> IO[str]:
    """The open lock file; closing it lets go. Raises TryAgainLater naming the holder, CannotWrite if it cannot be."""
    path = folder / "ledger.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as fault:
        raise CannotWrite(
            f"{folder}: {fault.strerror}.", remedy="Mend permissions there, or name another folder with --out."
        ) from fault
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise TryAgainLater(f"{folder} is in use by {holder}.", remedy="It ends by itself; run again later.") from None
    except OSError as fault:
        lock.close()
        if fault.errno not in (errno.EOPNOTSUPP, errno.ENOLCK):
            raise
        raise CannotWrite(
            f"{folder}: its file system has no locks, so two runs could pay for the same.",
            remedy="Name a folder on a local disk with --out.",
        ) from fault
    lock.truncate(0)
    lock.write(f"process {os.getpid()} since {datetime.now(UTC).isoformat(timespec='seconds')}")
    lock.flush()
    return lock
