"""Proves that an outputs folder is whole: ledger, review sheets, dataset, and nothing left half-written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.desk.laid import Laid
from pipeline.errors import CourseworkError, InputError
from pipeline.files import BadLine, read_json_lines, unfinished
from pipeline.kinds import IMPORTED, KINDS
from pipeline.mix.kept import FOLDER as DRAWN
from pipeline.publish.schema import (
    PREFERENCE,
    SLICES,
    TRAIN,
    Manifest,
    Pair,
    Row,
    asks,
    read_manifest,
    read_pairs,
    read_rows,
)
from pipeline.records import Rejection, normalised
from pipeline.review.verdicts import read_sheets
from pipeline.runlog.folder import Runs
from pipeline.teacher.audit import audit
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.lock import holder


@dataclass
class Found:
    """What a folder holds, counted on the way, and how many problems it has."""

    requests: int = 0
    replies: int = 0
    sheets: int = 0
    rows: int = 0
    problems: int = 0

    def __str__(self) -> str:
        held = f"{self.requests} requests, {self.replies} replies, {self.sheets} sheets, {self.rows} rows"
        return f"{held}: {self.problems or 'no'} problem{'' if self.problems == 1 else 's'}"


def verify(folder: Path, tell: Callable[[str], None]) -> Found:
    """Check all that coursework keeps in `outputs/NAME`; each problem is told as `file: what`. Writes nothing.

    Raises InputError if it is no such folder.
    """
    parts = {
        folder / "ledger.sqlite": _ledger,
        folder / "review": _sheets,
        folder / "rejected.jsonl": _rejections,
        folder / "imported_rejected.jsonl": _rejections,
        folder / "dataset": _dataset,
        folder / "runs": _runs,
    }
    if not any(path.exists() for path in (folder / "ledger.lock", *parts)):
        raise InputError(
            f"{folder} holds nothing of coursework.", remedy="Name a folder such as outputs/communication."
        )
    found = Found()
    for path, check in parts.items():
        for problem in _problems(path, check, found):
            found.problems += 1
            tell(problem)
    for inside in (folder, folder / "review", folder / "dataset"):
        for left in unfinished(inside):
            found.problems += 1
            tell(f"{left}: left half-written by a killed run; the next run removes it")
    if found.problems and (who := holder(folder)):
        tell(f"{folder}: {who} is at work here, so some of this may be on its way; verify again when it has ended")
    return found


Check = Callable[[Path, Found], Iterator[str]]


def _problems(path: Path, check: Check, found: Found) -> Iterator[str]:
    """The check's, and why it went no further if it did not."""
    if not path.exists():
        return
    try:
        yield from check(path, found)
    except CourseworkError as fault:
        said = fault.problem.removeprefix(f"{path} ")
        yield said if said.startswith(f"{path}:") else f"{path}: {said}"
    except OSError as fault:
        yield f"{fault.filename or path}: {fault.strerror}"


def _ledger(path: Path, found: Found) -> Iterator[str]:
    with Ledger.look(path.parent) as ledger:
        yield from (f"{path}: {problem}" for problem in audit(ledger))
        found.replies = ledger.replies()
        found.requests = next(ledger.rows("SELECT count(*) FROM requests"))[0]


def _sheets(folder: Path, found: Found) -> Iterator[str]:
    try:
        with Ledger.look(folder.parent) as ledger:
            laid = Laid(ledger).lines
    except CourseworkError:  # the check of the ledger says so; what a sheet says depends on it
        return
    verdicts = read_sheets(folder, laid)
    found.sheets = len(list(folder.glob("*.jsonl")))
    yield from verdicts.problems


def _rejections(path: Path, found: Found) -> Iterator[str]:
    for line in read_json_lines(path, Rejection):
        if isinstance(line, BadLine):
            yield f"{path}:{line.number}: {line.fault}"


def _runs(folder: Path, found: Found) -> Iterator[str]:
    yield from (f"{path}: no record of a run can be read there" for path in Runs(folder).strays())


def _dataset(folder: Path, found: Found) -> Iterator[str]:
    manifest = read_manifest(folder)
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{path}: named by the manifest and not there"
        elif _sha256(path) != digest:
            yield f"{path}: not the file that the manifest vouches for"
    for name, one in manifest.mix.items():
        kept = folder.parent / DRAWN / f"{one.drawn}.jsonl.zst"
        if one.drawn and not kept.is_file():
            yield f"{kept}: what was drawn of the set {name}, named by the manifest and not there"
        elif one.drawn and _sha256(kept) != one.drawn:
            yield f"{kept}: not what was drawn of the set {name}"
    named = {"manifest.json", *manifest.files, *(path.name for path in unfinished(folder))}
    for path in sorted(folder.iterdir()):
        if path.name not in named:
            yield f"{path}: not named by the manifest"
    trained = _Trained()
    # What is trained comes first, for the slices are held against it.
    for stem in (TRAIN, PREFERENCE, *SLICES):
        yield from _problems(folder / f"{stem}.jsonl", _Rows(stem, manifest, trained), found)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Trained:
    """What is trained and where that comes from, as hashes: the slices must have nothing of it."""

    questions: set[int] = field(default_factory=set)
    passages: set[str] = field(default_factory=set)
    facts: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    """Ids of the trained rows that are no typing slip of another."""
    slipped: set[str] = field(default_factory=set)
    """Ids of the rows of which a typing slip is trained."""
    whole: bool = False
    """All of train.jsonl could be read; else nobody can say what it lacks."""

    def add_pair(self, pair: Pair) -> None:
        """Note a line of preference.jsonl."""
        if not pair.earlier:
            self.questions.add(_short(pair.question))
        if pair.passage:
            self.passages.add(pair.passage)

    def add(self, row: Row) -> None:
        """Note a row of train.jsonl."""
        if not row.earlier:  # what comes after other turns asks by itself nothing that could be known
            self.questions.add(_short(asks(row.question, row.context, row.parent)))
        if row.kind == IMPORTED:  # nothing rests on it, and there may be a million
            return
        self.facts.add(row.fact)
        (self.slipped if row.typo_of else self.own).add(row.typo_of or row.id)
        if row.passage:
            self.passages.add(row.passage)
        if _by_field(row):
            self.fields.add((row.kind, row.field))

    def leak(self, stem: str, row: Row) -> str | None:
        """Why a row of a slice proves nothing, if it does not."""
        if not row.earlier and _short(asks(row.question, row.context, row.parent)) in self.questions:
            return "its question is trained"
        if (row.typo_of or row.id) in self.slipped or row.typo_of in self.own:
            return "the same but for a typing slip is trained"
        if _by_field(row):
            return f"its field {row.field!r} is trained" if (row.kind, row.field) in self.fields else None
        if stem == "unseen" and (row.passage in self.passages or row.fact in self.facts):
            return f"its {'passage' if row.passage in self.passages else 'fact'} is trained"
        if stem == "rephrased" and self.whole and row.fact not in self.facts:
            return "its fact is not trained"
        return None


def _by_field(row: Row) -> bool:
    """Whether a field is held out whole, and no passage."""
    return row.kind in KINDS and KINDS[row.kind].split == "field"


def _short(question: str) -> int:
    digest = hashlib.blake2b(normalised(question).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest())


@dataclass
class _Rows:
    """The check of one file of rows or pairs."""

    stem: str
    manifest: Manifest
    trained: _Trained

    def __call__(self, path: Path, found: Found) -> Iterator[str]:
        count = 0
        pairs: Iterator[Row | Pair] = iter(read_pairs(path.parent))
        rows = pairs if self.stem == PREFERENCE else read_rows(path.parent, self.stem)
        for count, row in enumerate(rows, 1):
            faults = self._faults_of_pair(row) if isinstance(row, Pair) else self._faults(row)
            yield from (f"{path}:{count}: {problem}" for problem in (*self._of_both(row), *faults))
        found.rows += count
        self.trained.whole |= self.stem == TRAIN
        if count != self.manifest.counts.get(self.stem, 0):
            yield f"{path}: {count} rows, and the manifest says {self.manifest.counts.get(self.stem)}"

    def _of_both(self, row: Row | Pair) -> Iterator[str]:
        if row.prompt != self.manifest.format_of_prompts.of(row.question, row.context, row.earlier):
            yield "the prompt is not the question in the prompt format"
        name = _short(row.id)
        if name in self.trained.ids:
            yield f"the id {row.id} stands twice"
        self.trained.ids.add(name)

    def _faults_of_pair(self, pair: Pair) -> Iterator[str]:
        self.trained.add_pair(pair)
        if pair.chosen == pair.rejected:
            yield "the two answers are one"

    def _faults(self, row: Row) -> Iterator[str]:
        if row.completion != f" {row.answer}":
            yield "the completion is not the answer after a blank"
        if row.refusal and row.answer not in self.manifest.refusals:
            yield "its answer is no refusal that the manifest names"
        if row.kind == IMPORTED:
            yield from self._faults_of_imported(row)
        if self.stem == TRAIN:
            self.trained.add(row)
        elif leak := self.trained.leak(self.stem, row):
            yield leak

    def _faults_of_imported(self, row: Row) -> Iterator[str]:
        if self.stem != TRAIN:
            yield "an imported row is trained, never held out"
        one = self.manifest.mix.get(row.source)
        if one is None:
            yield f"its set {row.source!r} is not named by the manifest"
        elif row.place.rpartition(":")[0] not in one.layouts:
            yield f"it comes from {row.place!r}, which is no part of its set"
