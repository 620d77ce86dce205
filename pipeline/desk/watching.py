"""Files that are looked at again and again, until somebody saves them: in place or under another inode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_EVERY_SECONDS = 0.3
Stamp = tuple[int, int, int]


def changes(files: Callable[[], Sequence[Path]], every: float = _EVERY_SECONDS) -> Iterator[Sequence[Path]]:
    """The files as they are now, and again whenever one was saved, came or went; never ends.

    A file that is being saved is waited for until it has not changed from one look to the next.
    """
    told: dict[Path, Stamp] | None = None
    before: dict[Path, Stamp] | None = None
    while True:
        now = {path: stamp for path in files() if (stamp := _stamp(path))}
        if now != told and (now == before or told is None):
            told = now
            yield list(now)
        before = now
        time.sleep(every)


def _stamp(path: Path) -> Stamp | None:
    """What a save changes, by whichever way the editor saves; None while it replaces the file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
