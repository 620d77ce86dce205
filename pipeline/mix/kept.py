"""What was drawn of a set of the hub, kept in the outputs: a night without the hub works from it.

drawn/chats.json              which file it is, for the set that the recipe calls chats
drawn/<sha256>.jsonl.zst      the account of the draw on the first line, then a row a line, lowest lot first
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson
import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.files import aside_of, blaming, json_line, sync_folder, write_whole
from pipeline.mix.draw import PILES
from pipeline.mix.layouts import Layout
from pipeline.mix.rows import Faulty, Ticket
from pipeline.mix.settings import ImportedSet
from pipeline.records import content_id

FOLDER = "drawn"
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Account(BaseModel):
    """Of one draw: what was asked for, what was read, and how far it goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hub: str
    asked: str
    """The revision that the recipe names; empty: the newest."""
    revision: str
    """The commit that was read; empty of a folder on this machine."""
    way: str
    """Hash of all else that decides which rows are drawn, and how each is read."""
    layout: Layout
    covers: int
    """All rows of so many of the piles of lots are here; PILES: all there are."""
    rows: int
    read: int
    faulty: dict[str, int]
    """Rows that are no question with an answer, by cause."""
    examples: tuple[Faulty, ...]


class _Pointer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str


def way_of(wanted: ImportedSet, salt: str) -> str:
    """Names what a set's rows are drawn by beside its revision."""
    said = (wanted.config, wanted.split, wanted.format, wanted.system, wanted.model_dump_json(include={"fields"}))
    return content_id(salt, *said)


@dataclass(frozen=True)
class Kept:
    """A draw on the disk."""

    path: Path
    sha256: str
    account: Account

    def tickets(self) -> Iterator[Ticket]:
        """Its rows, lowest lot first."""
        for line in islice(_lines(self.path), 1, None):
            lot, place, question, answer, context, earlier = orjson.loads(line)
            yield Ticket(lot, place, question, answer, context, tuple(earlier))

    @property
    def whole(self) -> bool:
        """It holds every row of its set."""
        return self.account.covers == PILES

    @property
    def pinned(self) -> bool:
        """The recipe names the very commit, so that nothing newer can be meant."""
        return bool(_COMMIT.fullmatch(self.account.asked)) and self.account.asked == self.account.revision


class Shelf:
    """The draws of one dataset's sets, each by the set's name."""

    def __init__(self, outputs: Path, say: Callable[[str], None] = lambda line: None) -> None:
        self._folder = outputs / FOLDER
        self._say = say

    def find(self, name: str, wanted: ImportedSet, salt: str) -> Kept | None:
        """What was drawn of this set, by this recipe's salt and of the revision that it names; None if nothing was.

        What is damaged is said, and not used.
        """
        kept = self._read(name)
        if kept is None:
            return None
        account = kept.account
        same = (account.hub, account.asked, account.way) == (wanted.hub, wanted.revision, way_of(wanted, salt))
        return kept if same else None

    def _read(self, name: str) -> Kept | None:
        pointer = self._folder / f"{name}.json"
        if not pointer.exists():
            return None
        try:
            digest = _Pointer.model_validate_json(pointer.read_bytes()).sha256
            path = self._folder / f"{digest}.jsonl.zst"
            if _sha256(path) != digest:
                raise ValueError("its content is not what its name says")
            return Kept(path, digest, Account.model_validate_json(next(_lines(path))))
        except (OSError, ValueError, StopIteration, ValidationError, zstandard.ZstdError) as fault:
            said = str(fault).splitlines()[0] if str(fault) else "it is empty"
            self._say(f"mix: {name}: what was drawn of it cannot be used: {said}.")
            return None

    def keep(self, name: str, account: Account, tickets: Iterable[Ticket]) -> Kept:
        """Put a draw there in place of the last one of this set. Raises CannotWrite."""
        with blaming(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            aside = aside_of(self._folder / name)
            with aside.open("wb") as file:
                with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as packed:
                    packed.write(json_line(account))
                    for ticket in tickets:
                        packed.write(orjson.dumps(tuple(ticket)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            digest = _sha256(aside)
            path = aside.replace(self._folder / f"{digest}.jsonl.zst")
            sync_folder(self._folder)
        write_whole(self._folder / f"{name}.json", _Pointer(sha256=digest).model_dump_json().encode() + b"\n")
        self._clear()
        return Kept(path, digest, account)

    def _clear(self) -> None:
        """Away with what no set points to. A pointer that cannot be read keeps everything."""
        with blaming(self._folder):
            try:
                pointed = {_Pointer.model_validate_json(one.read_bytes()).sha256 for one in self._folder.glob("*.json")}
            except ValidationError:
                return
            for path in self._folder.glob("*.jsonl.zst"):
                if path.name.partition(".")[0] not in pointed:
                    path.unlink()


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as packed:
        held = b""
        while chunk := packed.read(1 << 20):
            *whole, held = (held + chunk).split(b"\n")
            yield from whole


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
