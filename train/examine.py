"""The examination: the base and the student answer the same questions, side by side."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import InputError
from pipeline.publish.schema import TRAIN, Row
from train import metrics
from train.dataset import DatasetFolder, read_dataset
from train.examination_json import EXAMINED, FILE, FORMAT_VERSION, SIDES, TRAINED, Examination, Example, Measures, Side
from train.examination_page import page
from train.files import write_whole
from train.fit import lessons_of
from train.generation import Answer, Generation, answers_to
from train.progress import Progress, Say, no_progress
from train.student_json import StudentFile, open_trained, read_student
from train.students import Student, need_training_stack

EXAMPLES = 12


@dataclass(frozen=True)
class Asked:
    """A row of a slice with both answers."""

    slice: str
    row: Row
    answers: Mapping[Side, Answer]


def examine_student(student: Path, again: bool, say: Say, progress: Progress = no_progress) -> Examination:
    """Examines a trained student and its base on the dataset it was trained from.

    Writes examination.json, examination.md and examination_answers.jsonl into the student's folder,
    or returns the examination that is there if it is of this student, unless `again`. Raises
    InputError if the dataset has changed since the training: its slices might have been trained on.
    """
    need_training_stack()
    described = read_student(student)
    data = _its_dataset(student, described)
    if not again and (there := _done_before(student, described)):
        say(f"{described.name}: already examined ({student / FILE}).")
        return there
    rows = {name: data.rows[TRAIN if name == TRAINED else name] for name in EXAMINED}
    generation, asked = _ask(student, rows, progress)
    examination = Examination(
        student=described.name,
        dataset_name=described.dataset_name,
        dataset_sha256=described.dataset_sha256,
        weights_sha256=described.weights_sha256,
        generation=generation,
        slices={name: _measures([one for one in asked if one.slice == name], data) for name in EXAMINED},
        overall=_overall([one for one in asked if one.slice != TRAINED], data),
        examples=_examples(asked),
    )
    _write(student, examination, asked)
    return examination


def _its_dataset(student: Path, described: StudentFile) -> DatasetFolder:
    folder = Path(os.path.normpath(student.resolve() / described.dataset))
    data = read_dataset(folder)
    if data.sha256 != described.dataset_sha256:
        raise InputError(
            f"{folder} has changed since {described.name} was trained on it, so a held-out question of today may be "
            "one that it was taught.",
            remedy="Train the student again, then examine it.",
        )
    return data


def _done_before(student: Path, described: StudentFile) -> Examination | None:
    try:
        there = Examination.model_validate_json((student / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    same = (there.dataset_sha256, there.weights_sha256) == (described.dataset_sha256, described.weights_sha256)
    return there if same and there.format == FORMAT_VERSION else None


def _ask(folder: Path, rows: Mapping[str, Sequence[Row]], progress: Progress) -> tuple[Generation, list[Asked]]:
    """Both models in turn, so that only one is in memory, by the same rules."""
    every = [(name, row) for name, group in rows.items() for row in group]
    model = open_trained(folder)
    prompts = [model.prompt_of(row.question, row.context, row.earlier) for _, row in every]
    generation = Generation.for_longest(_longest_answer((row for _, row in every), model))
    by_student = answers_to(prompts, model, generation, _named(progress, "examining the student"))
    model = open_trained(folder, base=True)
    by_base = answers_to(prompts, model, generation, _named(progress, "examining the base"))
    return generation, [
        Asked(name, row, {"base": base, "student": student})
        for (name, row), base, student in zip(every, by_base, by_student, strict=True)
    ]


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)


def _longest_answer(rows: Iterable[Row], student: Student) -> int:
    """In tokens, end-of-text included."""
    return max(lesson.trained for lesson in lessons_of(rows, student))


def _measures(asked: Sequence[Asked], data: DatasetFolder) -> dict[Side, Measures]:
    return {side: _measures_of(side, asked, data.manifest.refusals) for side in SIDES}


def _measures_of(side: Side, asked: Sequence[Asked], refusals: Sequence[str]) -> Measures:
    pairs = [(one.answers[side].text, one.row) for one in asked]
    refusing = [(metrics.refusing(text, refusals), row) for text, row in pairs]
    return {
        "exact": metrics.rate([metrics.is_exact(text, row.answer) for text, row in pairs]),
        "f1": metrics.mean([metrics.token_f1(text, row.answer) for text, row in pairs]),
        "refusal_recall": metrics.rate([how == "full" for how, row in refusing if row.refusal]),
        "false_refusal": metrics.rate([how == "full" for how, row in refusing if not row.refusal]),
        "partial_refusal": metrics.rate([how == "partial" for how, _ in refusing]),
        "stopped": metrics.rate([one.answers[side].stopped_by == "end" for one in asked]),
        "repetition": metrics.mean([metrics.repetition(text) for text, _ in pairs]),
    }


def _overall(asked: Sequence[Asked], data: DatasetFolder) -> dict[Side, Measures]:
    found: dict[Side, Measures] = {}
    for side, measures in _measures(asked, data).items():
        refused = [
            one.row.refusal
            for one in asked
            if metrics.refusing(one.answers[side].text, data.manifest.refusals) == "full"
        ]
        found[side] = {
            "refusal_precision": metrics.rate(refused),
            "refusal_recall": measures["refusal_recall"],
            "false_refusal": measures["false_refusal"],
        }
    return found


def _examples(asked: Sequence[Asked]) -> list[Example]:
    """A dozen, dealt round the slices; which rows of a slice is decided by their ids, not by how they came out."""
    decks = {
        name: sorted((one for one in asked if one.slice == name), key=lambda one: _lot(one.row.id)) for name in EXAMINED
    }
    dealt = [(turn, name) for turn in range(EXAMPLES) for name in EXAMINED if turn < len(decks[name])]
    chosen = sorted(dealt[:EXAMPLES], key=lambda one: (EXAMINED.index(one[1]), one[0]))
    return [_example(decks[name][turn]) for turn, name in chosen]


def _lot(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _example(one: Asked) -> Example:
    base, student = one.answers["base"], one.answers["student"]
    return Example(
        slice=one.slice,
        id=one.row.id,
        question=one.row.question,
        expected=one.row.answer,
        base=base.text,
        base_stopped_by=base.stopped_by,
        student=student.text,
        student_stopped_by=student.stopped_by,
    )


def _write(folder: Path, examination: Examination, asked: Sequence[Asked]) -> None:
    """examination.json comes last: with it the examination counts as done."""
    lines = (_example(one).model_dump_json() + "\n" for one in asked)
    write_whole(folder / "examination_answers.jsonl", "".join(lines))
    write_whole(folder / "examination.md", page(examination))
    write_whole(folder / FILE, examination.model_dump_json(indent=2) + "\n")
