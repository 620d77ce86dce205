"""The lines of the sheets as the page shows and changes them. A sheet may be open in an editor at the same time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import xxhash

from pipeline.files import Writing
from pipeline.review.sheets import encoded

TEXTS = ("question", "answer", "quote")
"""What the page lets a person edit, beside the verdict."""
_QUIET_SECONDS = 0.15
"""A sheet that was written to so recently may be only half there: an editor that writes in place is at work."""
_TRIES = 100
_AFTER_SECONDS = 0.02


class Seen(NamedTuple):
    """A line as it stands in its sheet."""

    sheet: str
    number: int
    """From 1."""
    line: dict[str, Any]
    mark: str
    """Names its bytes: a change is made to the line that was seen, or not at all."""


class Changed(NamedTuple):
    """What came of a change that was asked for."""

    done: bool
    seen: Seen | None
    """The line as it stands now; None if it is gone."""


@dataclass
class Sheets:
    """The sheets of a folder. Each is read anew before it is changed, and written whole."""

    folder: Path
    wait: Callable[[float], None] = time.sleep
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def lines(self) -> Iterator[Seen | str]:
        """Every line in the order of the sheets; of one that cannot be read, where it stands."""
        for path in sorted(self.folder.glob("*.jsonl")):
            for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
                if not raw.strip():
                    continue
                line = _parsed(raw)
                yield Seen(path.name, number, line, _mark(raw)) if line else f"{path}:{number}: not a line of a sheet"

    def change(self, sheet: str, name: str, mark: str, changes: Mapping[str, str]) -> Changed:
        """Change the line of a record as it was seen with `mark`; if it stands otherwise by now, nothing is changed.

        The other lines stay byte for byte as they are in the file at that moment. Raises CannotWrite.
        """
        path = self.folder / sheet
        with self._turn:
            base: bytes | None = None
            for _ in range(_TRIES):
                outcome = self._attempt(path, name, mark, changes, base)
                if isinstance(outcome, Changed):
                    return outcome
                base = outcome
            return Changed(False, self._find(path, name))

    def _attempt(
        self, path: Path, name: str, mark: str, changes: Mapping[str, str], base: bytes | None
    ) -> Changed | bytes | None:
        """One try. None: the sheet is being written to, try again. Bytes: what somebody wrote meanwhile."""
        try:
            held = path.open("rb")
        except FileNotFoundError:
            return Changed(False, None)
        with held:
            before = os.fstat(held.fileno())
            if base is None and 0 <= time.time() - before.st_mtime < _QUIET_SECONDS:
                self.wait(_QUIET_SECONDS / 3)
                return None
            content = held.read() if base is None else base
            place = _place(content, name)
            if place is None:
                return Changed(False, None)
            number, raw = place
            if _mark(raw) != mark:
                return Changed(False, Seen(path.name, number + 1, _parsed(raw) or {}, _mark(raw)))
            new = _changed(raw, changes)
            lines = content.split(b"\n")
            lines[number] = new
            with Writing(path) as file:
                file.write(b"\n".join(lines))
                file.flush()
                # The last moment: what an editor saved since the sheet was read must not be written over.
                if not _is_same(path, before):
                    return None
                file.finish()
            return self._afterwards(held, content) or Changed(
                True, Seen(path.name, number + 1, _parsed(new) or {}, _mark(new))
            )

    def _afterwards(self, held: Any, content: bytes) -> bytes | None:
        """What an editor that had the old file open wrote into it after it was read; None if nothing."""
        self.wait(_AFTER_SECONDS)
        held.seek(0)
        now: bytes = held.read()
        return now if now != content and now else None

    def _find(self, path: Path, name: str) -> Seen | None:
        place = _place(path.read_bytes(), name) if path.exists() else None
        return Seen(path.name, place[0] + 1, _parsed(place[1]) or {}, _mark(place[1])) if place else None


def _is_same(path: Path, before: os.stat_result) -> bool:
    """The file at this path is still the one that was read, and nobody has written to it."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def _place(content: bytes, name: str) -> tuple[int, bytes] | None:
    """Number, from 0, and bytes of the first line with this id."""
    quick = name.encode()
    for number, raw in enumerate(content.split(b"\n")):
        if quick in raw and (line := _parsed(raw)) is not None and line.get("id") == name:
            return number, raw
    return None


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r"))
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("id"), str) else None


def _mark(raw: bytes) -> str:
    return xxhash.xxh3_64_hexdigest(raw.rstrip(b"\r"))


def _changed(raw: bytes, changes: Mapping[str, str]) -> bytes:
    """The line with the changes made; how it ended, and a byte order mark before it, stay."""
    line = _parsed(raw) or {}
    head = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    tail = b"\r" if raw.endswith(b"\r") else b""
    return head + encoded(line | dict(changes)) + tail
