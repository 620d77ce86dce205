"""What was laid before a person, kept in the ledger: which record on which sheet, and how it was then."""

from __future__ import annotations

import sqlite3
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from pipeline.crash import passing
from pipeline.records import Record
from pipeline.review.sheets import Laying, is_as_laid, text_of_record
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.packing import packed, unpacked

_TOGETHER = 500
"""Records packed as one: they have much in common."""


class Fix(NamedTuple):
    """What a person wants the teacher to mend."""

    record: Record
    """As it stood on the sheet then, edits of the person's included."""
    words: str
    """What is wrong with it, in the person's words."""


class Laid:
    """The ledger's account of the sheets. A line that is gone was deleted, and one that differs was edited, by this."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @cached_property
    def lines(self) -> dict[str, tuple[str, str]]:
        """Record id to (sheet, hash of its text as laid) of everything ever laid before a person, up to now."""
        with self._ledger.reading() as db:
            # Many records share a sheet, and one copy of its name is enough.
            return {row[0]: (sys.intern(row[1]), row[2]) for row in db.execute("SELECT id, sheet, line_hash FROM laid")}

    def note(self, sheet: str, lines: Iterable[Laying]) -> None:
        """Remember which records a sheet is laid down with, before it is."""
        coming = iter(lines)
        with self._ledger.transaction() as db:
            while some := list(islice(coming, _TOGETHER)):
                db.executemany(
                    "INSERT OR REPLACE INTO laid VALUES (?, ?, ?)", [(one.record.id, sheet, one.hash) for one in some]
                )
                _keep(db, sheet, (one.record for one in some))
        passing("sheet-noted")

    def records(self, ids: Collection[str]) -> dict[str, Record]:
        """Those of these records that were laid, as they were then; none of what an older version laid."""
        wanted = {name for name in ids if name in self.lines}
        found: dict[str, Record] = {}
        for sheet in sorted({self.lines[name][0] for name in wanted}):
            for name, text in self._texts(sheet):
                if name in wanted and (record := _read(text)):
                    found[name] = record
        return found

    def complete(self, records: Iterable[Record]) -> None:
        """Keep those that an older version laid without keeping them, as far as they are still as they were."""
        with self._ledger.reading() as db:
            kept = {sheet for (sheet,) in db.execute("SELECT DISTINCT sheet FROM laid_records")}
        lacking = {sheet for sheet, _ in self.lines.values()} - kept
        if not lacking:
            return
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for record in records:
            sheet, laid = self.lines.get(record.id, ("", ""))
            if sheet in lacking and is_as_laid(text_of_record(record), laid):
                found[sheet].append(record)
        with self._ledger.transaction() as db:
            for sheet in sorted(lacking):  # also where nothing is known any more: it is not looked for again
                _keep(db, sheet, found[sheet])

    def note_fixes(self, fixes: Iterable[tuple[Record, str]]) -> None:
        """Remember which records the teacher is asked to mend and with what words, before it is asked.

        What was asked before stays as it was.
        """
        rows = [(one.id, words, one.question, one.answer, one.quote) for one, words in fixes]
        if rows:
            with self._ledger.transaction() as db:
                db.executemany(
                    "INSERT INTO fixes (record, words, question, answer, quote) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (record, words) DO NOTHING",
                    rows,
                )
        passing("fixes-noted")

    def fixes(self) -> list[Fix]:
        """All that the teacher was ever asked to mend, in the order of asking."""
        with self._ledger.reading() as db:
            if not _has_table(db, "fixes"):
                return []
            rows = db.execute("SELECT record, words, question, answer, quote FROM fixes ORDER BY place").fetchall()
        records = self.records({row[0] for row in rows})
        return [
            Fix(records[name].model_copy(update={"question": question, "answer": answer, "quote": quote}), words)
            for name, words, question, answer, quote in rows
            if name in records
        ]

    def _texts(self, sheet: str) -> Iterator[tuple[str, str]]:
        """Id and JSON of each record of a sheet."""
        with self._ledger.reading() as db:
            if not _has_table(db, "laid_records"):
                return
            parts = db.execute("SELECT records FROM laid_records WHERE sheet = ? ORDER BY id", (sheet,)).fetchall()
        for (part,) in parts:
            for text in filter(None, unpacked(part).split("\n")):
                yield text[len(_HEAD) : text.index('"', len(_HEAD))], text


_HEAD = '{"id":"'


def _keep(db: sqlite3.Connection, sheet: str, records: Iterable[Record]) -> None:
    text = "\n".join(record.model_dump_json(exclude_defaults=True) for record in records)
    db.execute("INSERT INTO laid_records (sheet, records) VALUES (?, ?)", (sheet, packed(text)))


def _read(text: str) -> Record | None:
    """The record, as far as today's version knows its fields; None if it no longer is one."""
    try:
        values = orjson.loads(text)
        return Record.model_validate({name: value for name, value in values.items() if name in Record.model_fields})
    except (ValueError, ValidationError):
        return None


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    """A ledger of an older version that is only looked at has not all of them."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
