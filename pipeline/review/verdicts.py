"""What a person decided: the verdicts, edits and deleted lines of all sheets."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pipeline.records import Record
from pipeline.review.reading import Fault, Judged, Said, read_lines
from pipeline.review.sheets import RARE, Laid, is_as_laid, text_hash, untouched_lines

UNKNOWN = "is no verdict; say keep, drop or fix: what is wrong."
_QUIET_SECONDS = 0.5
_PATIENCE_SECONDS = 5.0


class Place(NamedTuple):
    """Where a line stands."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}:{self.number}:1"


class Verdict(NamedTuple):
    """What stands under `review`, read."""

    word: str
    """keep, drop, fix, or nothing."""
    words: str = ""
    """What is wrong, in the person's words."""


@dataclass
class Verdicts:
    """What the sheets say, by record id."""

    edited: dict[str, Said] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """In so many words: an empty verdict keeps a record too, and says nothing about it."""
    fixes: dict[str, str] = field(default_factory=dict)
    """What is wrong, in the person's words."""
    deleted: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    """Of the lines that were edited or are to be fixed."""
    problems: list[str] = field(default_factory=list)
    """What nobody can follow, each as file:line:column: what."""

    @property
    def gone(self) -> frozenset[str]:
        """The records that the person does not want."""
        return frozenset(self.dropped | self.deleted)


@lru_cache(maxsize=1024)
def read_verdict(review: str) -> Verdict | None:
    """The verdict that a person wrote; None if nobody knows it."""
    word, colon, words = review.strip().partition(":")
    name = word.strip().casefold()
    if name == "fix":
        return Verdict("fix", words.strip()) if words.strip() else None
    return Verdict(name) if name in ("", "keep", "drop") and not colon else None


def sheets_in(folder: Path, laid: Laid) -> list[Path]:
    """The sheets of a folder: those that were laid, then files of other names, such as copies that a person made."""
    names = {sheet for sheet, _ in laid.values()}
    return sorted(folder.glob("*.jsonl"), key=lambda path: (path.name not in names, path.name))


def read_sheets(folder: Path, laid: Laid) -> Verdicts:
    """The person's decisions. A line that cannot be read is a problem named by its place, and decides nothing.

    A record that was laid and whose line is gone was deleted. But nothing counts as deleted where the missing record
    may be a line that cannot be read, or where the sheet is empty, is gone, or is being saved just now.
    """
    verdicts = Verdicts()
    met: set[str] = set()
    whole: set[str] = set()
    untouched = untouched_lines(laid)
    sizes = Counter(sheet for sheet, _ in laid.values())
    for path in sheets_in(folder, laid):
        _wait_until_saved(path, sizes[path.name])
        before, readable, count = _stamp(path), True, 0
        for said in read_lines(path, untouched):
            if isinstance(said, Fault):
                readable = False
                verdicts.problems.append(said.at(path))
            elif said.id in met or said.id not in laid:
                verdicts.problems.append(strange_id(said, laid).at(path))
            else:
                met.add(said.id)
                count += 1
                if said.review:
                    _note_verdict(said, path, verdicts)
                if isinstance(said, Judged):
                    continue
                as_laid = laid[said.id][1]
                # Most lines are settled by the first look, which knows of no rarer texts.
                if not as_laid.startswith(text_hash(said[2:5])) and not is_as_laid(said.text, as_laid):
                    _note_edit(said, path, as_laid, verdicts)
        if readable and count and before == _stamp(path):
            whole.add(path.name)
    verdicts.deleted.update(record for record, (sheet, _) in laid.items() if record not in met and sheet in whole)
    return verdicts


def _stamp(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _wait_until_saved(path: Path, laid: int) -> None:
    """An editor that saves in place empties the file first: where lines are lacking, see that it is done."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        quiet = time.time() - path.stat().st_mtime
        if not 0 <= quiet < _QUIET_SECONDS or _lines_in(path) >= laid:
            return
        time.sleep(_QUIET_SECONDS / 10)


def _lines_in(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def strange_id(said: Said | Judged, laid: Laid) -> Fault:
    """What is wrong with the id of a line that cannot be followed for it."""
    if said.id in laid:
        return Fault(said.number, 1, f"id: {said.id!r} stands twice; the first line counts.")
    return Fault(said.number, 1, f"id: {said.id!r} was never laid before anyone; an id must stay as it was.")


def _note_edit(said: Said, path: Path, laid_hash: str, verdicts: Verdicts) -> None:
    if not is_as_laid(said.stripped().text, laid_hash):
        verdicts.edited[said.id] = said
        verdicts.places[said.id] = Place(path, said.number)


def _note_verdict(said: Said | Judged, path: Path, verdicts: Verdicts) -> None:
    verdict = read_verdict(said.review)
    if verdict is None:
        fault = Fault(said.number, 1, f"review: {said.review!r} {UNKNOWN} The record stays as it is.")
        verdicts.problems.append(fault.at(path))
    elif verdict.word == "fix":
        verdicts.fixes[said.id] = verdict.words
        verdicts.places[said.id] = Place(path, said.number)
    elif verdict.word:
        (verdicts.kept if verdict.word == "keep" else verdicts.dropped).add(said.id)


def edited(record: Record, said: Said) -> Record:
    """The record with a person's texts. One that was emptied stays as it was."""
    said = said.stripped()
    texts = {"question": said.question, "answer": said.answer, "quote": said.quote or record.quote}
    rare = ((name, said.values[name]) for name in RARE if said.values.get(name))
    more = {name: tuple(value) if isinstance(value, list) else value for name, value in rare}
    return record.model_copy(update={**texts, **more, "edited": True})
