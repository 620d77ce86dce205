"""What `coursework check` finds wrong with review sheets: each problem with the place where it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.desk.beside import Beside
from pipeline.desk.decisions import in_conflict
from pipeline.desk.edits import faults_of_edit
from pipeline.desk.laid import Laid
from pipeline.errors import InputError
from pipeline.kinds import KINDS
from pipeline.records import Record
from pipeline.review.reading import BOM, Fault, Judged, Said, column_of, read_lines
from pipeline.review.sheets import (
    YOURS,
    asked_as_laid,
    asks_hash,
    is_as_laid,
    is_rest_as_laid,
    shown_of,
    untouched_lines,
)
from pipeline.review.sheets import Laid as LaidLines
from pipeline.review.verdicts import UNKNOWN, edited, read_verdict, sheets_in, strange_id
from pipeline.teacher.ledger import Ledger


class Problem(NamedTuple):
    """One thing that is wrong with a sheet."""

    path: Path
    fault: Fault

    def __str__(self) -> str:
        return self.fault.at(self.path)


@dataclass
class Checked:
    """What was looked at, counted on the way."""

    sheets: int = 0
    lines: int = 0
    problems: int = 0
    blind: list[str] = field(default_factory=list)
    """What could not be checked, and why."""

    def __str__(self) -> str:
        sheets, problems = ("" if count == 1 else "s" for count in (self.sheets, self.problems))
        return f"{self.lines:,} lines on {self.sheets} sheet{sheets}: {self.problems or 'no'} problem{problems}"


def find_sheets(named: Sequence[Path], none: bool = False) -> list[Path]:
    """The sheets that are meant: files as they are named, and those of an outputs folder, or of several.

    Raises InputError if something named is not there or, unless there may be `none`, no sheet is.
    """
    found: list[Path] = []
    for path in named:
        if not path.exists():
            raise InputError(
                f"{path}: no such file or folder.", remedy="Name sheets, or a folder such as outputs/mine."
            )
        found += _sheets_of(path) if path.is_dir() else [path]
    if not found and not none:
        raise InputError(f"{', '.join(map(str, named))}: no sheet is there yet.", remedy="`coursework run` lays them.")
    return list(dict.fromkeys(found))


def _sheets_of(folder: Path) -> list[Path]:
    places = [folder] if folder.name == "review" else [folder / "review"]
    if not places[0].is_dir():
        places = [place for place in sorted(folder.glob("*/review")) if place.is_dir()]
    return [sheet for place in places for sheet in sorted(place.glob("*.jsonl"))]


def check(sheets: Iterable[Path], counts: Checked) -> Iterator[Problem]:
    """What is wrong with sheets, in the order of their lines. Writes nothing.

    Of a sheet that lies in no outputs folder, or whose ledger cannot be read, ids are not known: then only its form
    is checked. Raises InputError if a ledger is damaged.
    """
    by_folder: dict[Path, list[Path]] = {}
    for sheet in sheets:
        by_folder.setdefault(sheet.resolve().parent, []).append(sheet)
    for folder, some in by_folder.items():
        for problem in _Folder(folder, some, counts).problems():
            counts.problems += 1
            yield problem


class _Edit(NamedTuple):
    """A line that the person edited."""

    path: Path
    said: Said
    laid: Record | None
    """As it was laid; None where an older version laid it."""


class _Folder:
    """The sheets of one folder. All are read, for one may repeat another; told is of those that were named."""

    def __init__(self, folder: Path, named: Sequence[Path], counts: Checked) -> None:
        self._outputs = folder.parent
        self._named = {sheet.resolve(): sheet for sheet in named}
        self._counts = counts
        self._faults: defaultdict[Path, list[Fault]] = defaultdict(list)
        self._beside = Beside(self._outputs)
        self._met: dict[str, tuple[Path, int]] = {}
        self._touched: dict[str, tuple[Path, Said]] = {}
        """Lines with something changed on them besides the verdict."""
        self._fixes: list[tuple[Path, Said | Judged]] = []
        self._dropped: set[str] = set()
        self._untouched: dict[int, str] = {}

    def problems(self) -> Iterator[Problem]:
        """In the order of the sheets and of their lines."""
        with Ledger.look(self._outputs) as ledger:
            laid = Laid(ledger)
            if not laid.lines:
                self._counts.blind.append(f"{self._outputs}: no ledger is here, so only the form of lines was checked")
            self._untouched = untouched_lines(laid.lines)
            for sheet in self._sheets(laid):
                self._read(sheet, laid.lines)
            records = laid.records(self._touched)
        edits = [_Edit(path, said, records.get(name)) for name, (path, said) in self._touched.items()]
        for edit in edits:
            self._look_at(edit, laid.lines[edit.said.id][1])
        reworded = [edit for edit in edits if not edit.laid or edit.said.question != edit.laid.question]
        self._look_for_repeated(reworded, laid.lines)
        self._look_for_failed_fixes()
        if edits and not self._beside.recipe:
            self._counts.blind.append(f"{self._outputs}: no run has left the passages yet, so edits were not grounded")
        for sheet in self._named.values():
            yield from (Problem(sheet, fault) for fault in _located(sheet, self._faults[sheet]))

    def _sheets(self, laid: Laid) -> list[Path]:
        """All of the folder, if it is where a run lays them; then those of other names that are meant."""
        there = sheets_in(self._outputs / "review", laid.lines) if laid.lines else []
        return there + [sheet for sheet in self._named if sheet not in {path.resolve() for path in there}]

    def _tell(self, path: Path, number: int, problem: str) -> None:
        """Of a sheet that was named; the column is looked up in the end."""
        if named := self._named.get(path.resolve()):
            self._faults[named].append(Fault(number, 0, problem))

    def _read(self, path: Path, laid: LaidLines) -> None:
        named = self._named.get(path.resolve())
        self._counts.sheets += named is not None
        for said in read_lines(path, self._untouched):
            self._counts.lines += named is not None
            if isinstance(said, Fault):
                if named:
                    self._faults[named].append(said)
                continue
            if said.review:
                self._look_at_verdict(path, said)
            if laid:
                self._look_at_id(path, said, laid)

    def _look_at_verdict(self, path: Path, said: Said | Judged) -> None:
        verdict = read_verdict(said.review)
        if verdict is None:
            self._tell(path, said.number, f"review: {said.review!r} {UNKNOWN}")
        elif verdict.word == "fix":
            self._fixes.append((path, said))
        elif verdict.word == "drop":
            self._dropped.add(said.id)

    def _look_at_id(self, path: Path, said: Said | Judged, laid: LaidLines) -> None:
        if said.id in self._met:
            there, number = self._met[said.id]
            self._tell(path, said.number, f"id: {said.id!r} stands twice, first in {there.name}:{number}; that counts.")
        elif said.id not in laid:
            self._tell(path, said.number, strange_id(said, laid).problem)
        else:
            self._met[said.id] = path, said.number
            if isinstance(said, Said) and not is_line_as_laid(said, laid[said.id][1]):
                self._touched[said.id] = path, said

    def _look_at(self, edit: _Edit, as_laid: str) -> None:
        for problem in self._of_edit(edit, as_laid):
            self._tell(edit.path, edit.said.number, problem)

    def _of_edit(self, edit: _Edit, as_laid: str) -> Iterator[str]:
        said, laid = edit.said, edit.laid
        if not is_rest_as_laid(said.values, as_laid):
            yield _changed_rest(said, laid)
        if is_as_laid(said.stripped().text, as_laid):
            return
        if laid and laid.quote and not said.quote.strip():
            yield "quote: was emptied; the record keeps the one it had."
        machine = self._beside.machines.get(said.id)
        if machine and said.review.strip().casefold() != "keep":
            yield from in_conflict(said, machine)
        if laid and said.id not in self._dropped and self._beside.recipe:
            yield from faults_of_edit(edited(laid, said), laid, self._beside.recipe, self._beside.passages)

    def _look_for_repeated(self, edits: Sequence[_Edit], laid: LaidLines) -> None:
        """Whether what a person made of a question is what another line asks."""
        language = self._beside.recipe.language if self._beside.recipe else "en"
        asked: dict[str, _Edit] = {}
        for edit in edits:
            if edit.said.id in self._dropped or not _is_compared(edit.said):
                continue
            first = asked.setdefault(asks_hash(edit.said.question, language), edit)
            if first is not edit:
                self._tell_repeated(edit.path, edit.said.number, first.path, first.said.number)
        changed = {edit.said.id for edit in edits}
        for name, (path, number) in self._met.items() if asked else ():
            mine = asked.get(asked_as_laid(laid[name][1]))
            if mine and name not in changed and name not in self._dropped:
                self._tell_repeated(mine.path, mine.said.number, path, number)

    def _tell_repeated(self, path: Path, number: int, other: Path, there: int) -> None:
        self._tell(path, number, f"question: {other.name}:{there} asks the same.")

    def _look_for_failed_fixes(self) -> None:
        for path, said in self._fixes:
            if why := self._beside.failed.get(said.id):
                self._tell(
                    path,
                    said.number,
                    f"review: the new version was rejected ({why.cause}): {why.detail} This line stands.",
                )


def is_line_as_laid(said: Said, as_laid: str) -> bool:
    """Whether nothing was changed on a line but its verdict."""
    return is_as_laid(said.text, as_laid) and is_rest_as_laid(said.values, as_laid)


def _changed_rest(said: Said, laid: Record | None) -> str:
    shown = shown_of(laid) if laid else {}
    names = [name for name in (*shown, *said.values) if name not in YOURS]
    changed = [name for name in names if _plain(shown.get(name)) != said.values.get(name)] if laid else []
    return f"{changed[0] if changed else 'id'}: is not a person's to change; nothing reads what stands here now."


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _is_compared(said: Said) -> bool:
    kind = KINDS.get(str(said.values.get("kind")))
    return kind is None or kind.compared


def _located(path: Path, faults: list[Fault]) -> list[Fault]:
    """The faults in the order of lines, each with the column of the field that it begins with."""
    wanted = {fault.number for fault in faults if fault.column == 0}
    texts: dict[int, str] = {}
    if wanted:
        with path.open("rb") as lines:
            texts = {
                number: raw.removeprefix(BOM).decode("utf-8", "replace")
                for number, raw in enumerate(lines, 1)
                if number in wanted
            }
    placed = [
        fault if fault.column else fault._replace(column=column_of(texts[fault.number], fault.problem.split(":")[0]))
        for fault in faults
    ]
    return sorted(placed, key=lambda fault: (fault.number, fault.column))
