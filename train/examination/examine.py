"""The examination: the base and the student answer the same questions, side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import InputError, UsageError
from train.dataset import DatasetFolder, read_dataset
from train.examination.asking import ask_both
from train.examination.beside import Others, beside, others_of
from train.examination.findings import example, findings, forgotten, judge, sampled
from train.examination.html import html
from train.examination.intervals import FEWEST_SAMPLES
from train.examination.measures import Asked
from train.examination.page import page
from train.examination.record import ANSWERS, FILE, FORMAT_VERSION, Examination, Wanted
from train.examination.slices import questions_of
from train.files import write_whole
from train.progress import Progress, Say, no_progress
from train.student_json import StudentFile, read_student
from train.students import need_training_stack

PAGE = "examination.html"
NOTHING_MORE = Wanted()


def examine_student(
    student: Path, again: bool, say: Say, progress: Progress = no_progress, wanted: Wanted = NOTHING_MORE
) -> Examination:
    """Examines a trained student and its base on the dataset it was trained from.

    Writes examination.json, its two pages and examination_answers.jsonl into the student's folder,
    or returns the examination that is there if it is of this student and holds what is wanted, unless `again`.
    Raises InputError if the dataset has changed since the training: its slices might have been trained on.
    """
    _enough_samples(wanted.samples)
    need_training_stack()
    described = read_student(student)
    data = _its_dataset(student, described)
    if not again and (there := _done_before(student, described, wanted)):
        say(f"{described.name}: already examined ({student / FILE}).")
        return there
    questions = questions_of(data, wanted)
    generation, heard = ask_both(student, questions, wanted, progress)
    asked = judge(data, questions, heard)
    others = others_of(student, described)
    more = {
        "sampled": sampled(questions, heard, generation, data.manifest.refusals),
        "forgetting": forgotten(heard),
        "beside": beside(others, described.name, asked),
    }
    examination = findings(described, data, wanted, generation, asked).model_copy(update=more)
    _write(student, examination, asked, others)
    return examination


def _enough_samples(samples: int) -> None:
    if samples and samples < FEWEST_SAMPLES:
        raise UsageError(
            f"{samples} samples of a question say too little: one right answer in five tries has a 95 % interval from "
            "4 to 62 %.",
            remedy=f"Draw {FEWEST_SAMPLES} or more.",
        )


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


def _done_before(student: Path, described: StudentFile, wanted: Wanted) -> Examination | None:
    try:
        there = Examination.model_validate_json((student / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    same = (there.dataset_sha256, there.weights_sha256) == (described.dataset_sha256, described.weights_sha256)
    return there if same and there.format == FORMAT_VERSION and there.wanted.holds(wanted) else None


def _write(folder: Path, examination: Examination, asked: Sequence[Asked], others: Others) -> None:
    """examination.json comes last: with it the examination counts as done."""
    examples = [example(one) for one in asked]
    write_whole(folder / ANSWERS, "".join(one.model_dump_json() + "\n" for one in examples))
    write_whole(folder / "examination.md", page(examination))
    write_whole(folder / PAGE, html(examination, examples, others))
    write_whole(folder / FILE, examination.model_dump_json(indent=2) + "\n")
