"""Students held against each other, pair by pair: by a judge, by people, or by both, in one table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError, UsageError
from pipeline.publish.schema import SLICES, Row
from train.comparison.blind import read_verdicts, write_sheet
from train.comparison.judge import Judge, Judged, Pair
from train.comparison.preferences import Table, Verdict, standings
from train.dataset import DatasetFolder, read_dataset
from train.endpoint import Endpoint
from train.files import write_whole
from train.generation import Generation, answers_to
from train.progress import Progress, Say, no_progress
from train.student_json import StudentFile, open_trained, read_student
from train.students import Student, need_training_stack

FILE, PAGE, ANSWERS, REPLIES = "compare.json", "compare.md", "answers.json", "judge.jsonl"
BASE, REFERENCE = "base", "reference"


@dataclass(frozen=True)
class Wanted:
    """Who takes part beside the students, how many questions, and who decides."""

    base: bool = False
    reference: bool = False
    questions: int = 50
    judge: str = ""
    url: str | None = None
    sheet: Path | None = None
    verdicts: Sequence[Path] = ()
    out: Path | None = None


class Counts(BaseModel):
    """What became of every pair: none vanishes between the questions and the table."""

    model_config = ConfigDict(frozen=True)

    questions: int
    pairs: int
    same_answer: int = Field(description="both said the same, a tie that nobody was asked about")
    judged: int = Field(description="pairs that the judge was shown, each in both orders")
    flipped: int = Field(description="of these, decided by the order of the answers; they do not count")
    unreadable: int = Field(description="of these, a reply held no verdict; they do not count")
    by_people: int
    agreeing: int = Field(description="pairs that people and the judge decided alike")
    both: int = Field(description="pairs that people and the judge decided")
    undecided: int = Field(description="nobody has decided them; they do not count")


class _Answers(BaseModel):
    """answers.json: what each contestant said, so that it is asked once."""

    by_contestant: dict[str, dict[str, str]] = Field(description="a contestant's weights, then the question's id")


def compare_students(students: Sequence[Path], wanted: Wanted, say: Say, progress: Progress = no_progress) -> Path:
    """Asks all contestants the same held-out questions, has their answers judged, and returns the page.

    Without a judge and without verdicts nothing but identical answers is decided; a sheet can be written all the same.
    Raises UsageError for fewer than two contestants, InputError for students of different datasets.
    """
    read = [read_student(folder) for folder in students]
    _comparable(read, wanted)
    described = dict(zip(students, read, strict=True))
    need_training_stack()
    first = students[0]
    home = wanted.out or first / "compare"
    home.mkdir(parents=True, exist_ok=True)
    data = _dataset(first, described[first])
    rows = _drawn(data, wanted.questions)
    answers = _answers(home, described, rows, wanted, progress)
    pairs = [pair for row in rows for pair in _pairs(row, answers)]
    open_pairs = [pair for pair in pairs if pair.answer_of_one != pair.answer_of_other]
    if wanted.sheet:
        write_sheet(wanted.sheet, open_pairs, home)
        say(f"{len(open_pairs)} pairs to decide: {wanted.sheet}")
    judged = _judged(home, open_pairs, wanted, say, progress)
    people = [read_verdicts(path, home) for path in wanted.verdicts]
    counts, verdicts = _decided(len(rows), pairs, judged, people)
    _tell(home, standings(list(answers), verdicts), counts, wanted)
    return home / PAGE


def _comparable(described: Sequence[StudentFile], wanted: Wanted) -> None:
    names = [one.name for one in described] + [BASE] * wanted.base + [REFERENCE] * wanted.reference
    if len(names) < 2:
        raise UsageError("One student alone cannot be compared.", remedy="Name another, or say --base or --reference.")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise UsageError(f"Two contestants are called {', '.join(doubled)}.", remedy="Train one under another name.")
    datasets = {one.dataset_sha256 for one in described}
    if len(datasets) > 1:
        raise InputError(
            "The students were trained on different datasets: a question held out from one may have been taught to "
            "another.",
            remedy="Train them on the same dataset, then compare them.",
        )


def _dataset(folder: Path, student: StudentFile) -> DatasetFolder:
    data = read_dataset(Path(os.path.normpath(folder.resolve() / student.dataset)))
    if data.sha256 != student.dataset_sha256:
        raise InputError(
            f"{data.folder} has changed since {student.name} was trained on it, so a held-out question of today may be "
            "one that it was taught.",
            remedy="Train the students again, then compare them.",
        )
    return data


def _drawn(data: DatasetFolder, questions: int) -> list[Row]:
    """Questions drawn by the lot of their ids from all that was held out, whatever anybody answers."""
    held_out = [row for stem in SLICES for row in data.rows[stem]]
    return sorted(held_out, key=lambda row: hashlib.sha256(row.id.encode()).hexdigest())[:questions]


def _answers(
    home: Path, described: Mapping[Path, StudentFile], rows: Sequence[Row], wanted: Wanted, progress: Progress
) -> dict[str, dict[str, str]]:
    """What each contestant says to each question, greedily, by name and id; asked only what is not kept."""
    path = home / ANSWERS
    kept = _Answers.model_validate_json(path.read_bytes()).by_contestant if path.exists() else {}
    found = {}
    contestants = [(one.name, folder, one, False) for folder, one in described.items()]
    if wanted.base:
        contestants.append((BASE, *next(iter(described.items())), True))
    for name, folder, one, of_base in contestants:
        known = kept.setdefault(f"{'base of ' if of_base else ''}{one.weights_sha256}", {})
        lacking = [row for row in rows if row.id not in known]
        if lacking:
            student = open_trained(folder, base=of_base)
            known.update(zip([row.id for row in lacking], _asked(student, one, lacking, name, progress), strict=True))
            write_whole(path, _Answers(by_contestant=kept).model_dump_json(indent=1) + "\n")
        found[name] = {row.id: known[row.id] for row in rows}
    if wanted.reference:
        found[REFERENCE] = {row.id: row.answer for row in rows}
    return found


def _asked(student: Student, one: StudentFile, rows: Sequence[Row], name: str, progress: Progress) -> list[str]:
    prompts = [student.prompt_of(row.question, row.context, row.earlier) for row in rows]
    rules = Generation.for_longest(one.fit.longest_answer)
    found = answers_to(prompts, student, rules, lambda done, total: progress(f"asking {name}", done, total))
    return [answer.text for answer in found]


def _pairs(row: Row, answers: Mapping[str, Mapping[str, str]]) -> list[Pair]:
    return [
        Pair(row.question, row.answer, row.fact or row.id, one, other, answers[one][row.id], answers[other][row.id])
        for one, other in combinations(sorted(answers), 2)
    ]


def _judged(home: Path, pairs: Sequence[Pair], wanted: Wanted, say: Say, progress: Progress) -> list[Judged]:
    if not wanted.judge:
        return []
    judge = Judge(Endpoint(wanted.url, wanted.judge), home / REPLIES)
    found = judge.judge(pairs, progress)
    say(f"{wanted.judge}: {2 * len(pairs)} verdicts, {judge.asked} of them asked for now.")
    return found


def _decided(
    questions: int, pairs: Sequence[Pair], judged: Sequence[Judged], people: Sequence[Mapping[str, Verdict]]
) -> tuple[Counts, list[Verdict]]:
    """Every verdict that counts. A pair that several decided counts once for each of them."""
    same = [Verdict(pair.one, pair.other, None, pair.group) for pair in pairs if _is_same(pair)]
    sound = {_name(one.pair): one for one in judged if one.readable and not one.flipped}
    by_judge = [Verdict(one.pair.one, one.pair.other, one.named[0], one.pair.group) for one in sound.values()]
    open_pairs = {_name(pair) for pair in pairs if not _is_same(pair)}
    by_people = [(name, verdict) for sheet in people for name, verdict in sheet.items() if name in open_pairs]
    both = [(verdict.better, sound[name].named[0]) for name, verdict in by_people if name in sound]
    counts = Counts(
        questions=questions,
        pairs=len(pairs),
        same_answer=len(same),
        judged=len(judged),
        flipped=sum(one.flipped for one in judged),
        unreadable=sum(not one.readable for one in judged),
        by_people=len(by_people),
        agreeing=sum(one == other for one, other in both),
        both=len(both),
        undecided=len(open_pairs - sound.keys() - {name for name, _ in by_people}),
    )
    return counts, [*same, *by_judge, *(verdict for _, verdict in by_people)]


def _is_same(pair: Pair) -> bool:
    return pair.answer_of_one == pair.answer_of_other


def _name(pair: Pair) -> str:
    """The pair's name on a sheet and at the judge: two pairs of contestants may give the same two answers."""
    return f"{pair.key} {pair.one} {pair.other}"


def _tell(home: Path, table: Table, counts: Counts, wanted: Wanted) -> None:
    said: dict[str, Any] = {"judge": wanted.judge, "sheets": len(wanted.verdicts), "damped": table.damped}
    said |= {"groups": table.groups, "counts": counts.model_dump(), "table": [asdict(one) for one in table.standings]}
    write_whole(home / FILE, _Comparison.model_validate(said).model_dump_json(indent=2) + "\n")
    write_whole(home / PAGE, "\n".join(_page(table, counts, wanted)) + "\n")


class _Comparison(BaseModel):
    """compare.json: the table and what it rests on."""

    judge: str
    sheets: int
    damped: bool
    groups: int
    counts: Counts
    table: list[dict[str, Any]]


def _page(table: Table, counts: Counts, wanted: Wanted) -> list[str]:
    lines = ["| contestant | Elo | 95 % interval | won | tied | lost |", "|---|---|---|---|---|---|"]
    for one in table.standings:
        interval = f"{one.low:.0f} to {one.high:.0f}"
        lines.append(f"| {one.name} | {one.elo:.0f} | {interval} | {one.won} | {one.tied} | {one.lost} |")
    lines += [
        "",
        f"{counts.questions} questions, {counts.pairs} pairs; {counts.same_answer} with the same answer (ties).",
    ]
    if wanted.judge:
        rate = f"{counts.flipped / counts.judged:.1%}" if counts.judged else "none"
        lines.append(
            f"Judge {wanted.judge}: {counts.judged} pairs in both orders, {counts.flipped} decided by the order (flip "
            f"rate {rate}), {counts.unreadable} unreadable; neither counts."
        )
    if wanted.verdicts:
        lines.append(f"People: {counts.by_people} verdicts; of {counts.both} decided by both, {counts.agreeing} alike.")
    if counts.undecided:
        lines.append(f"{counts.undecided} pairs are undecided and do not count.")
    if table.damped:
        lines.append(
            "Somebody won or lost everything: half a win each way was added, else the difference had no bound."
        )
    lines.append(
        "Elo is Bradley-Terry by maximum likelihood around 1000, a tie being half a win; intervals from 1000 draws of "
        f"{table.groups} facts."
    )
    return lines
