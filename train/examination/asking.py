"""The answers of an examination: both models in turn say what they have to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipeline.publish.schema import Row
from train.examination.forgetting import Kept, read_by
from train.examination.record import Side, Wanted
from train.examination.slices import MOST_SAMPLED, by_lot
from train.fit import lessons_of
from train.generation import Answer, Generation, answers_to
from train.progress import Progress
from train.student_json import open_trained
from train.students import Student

Questions = Mapping[str, Sequence[Row]]
"""Slice to the rows that are asked."""


@dataclass(frozen=True)
class Heard:
    """What one model said."""

    answers: list[Answer]
    drawn: dict[str, list[list[Answer]]]
    """Slice to the several answers to each of its questions, where they were wanted."""
    kept: Kept | None


def ask_both(
    folder: Path, questions: Questions, wanted: Wanted, progress: Progress
) -> tuple[Generation, dict[Side, Heard]]:
    """Both models in turn, so that only one is in memory, by the same rules."""
    model = open_trained(folder)
    generation = Generation.for_longest(_longest_answer(chain.from_iterable(questions.values()), model))
    heard: dict[Side, Heard] = {"student": _hear(model, questions, generation, wanted, _of("the student", progress))}
    model = open_trained(folder, base=True)
    heard["base"] = _hear(model, questions, generation, wanted, _of("the base", progress))
    return generation, heard


def _of(whom: str, progress: Progress) -> Progress:
    return lambda what, done, total: progress(f"{what} {whom}", done, total)


def _hear(
    model: Student,
    questions: Questions,
    generation: Generation,
    wanted: Wanted,
    progress: Progress,
) -> Heard:
    every = [row for rows in questions.values() for row in rows]
    answers = answers_to(_prompts(every, model), model, generation, _named(progress, "examining"))
    drawn: dict[str, list[list[Answer]]] = {}
    if wanted.samples:
        for name, rows in questions.items():
            told = _named(progress, f"drawing answers to {name} from")
            chosen = _prompts(by_lot(rows, MOST_SAMPLED), model)
            said = answers_to(chosen, model, drawing(generation), told, wanted.samples)
            drawn[name] = [said[at : at + wanted.samples] for at in range(0, len(said), wanted.samples)]
    kept = read_by(model, _named(progress, "reading general sentences with")) if wanted.forgetting else None
    return Heard(answers, drawn, kept)


def _prompts(rows: Iterable[Row], model: Student) -> list[str]:
    return [model.prompt_of(row.question, row.context, row.earlier) for row in rows]


def drawing(generation: Generation) -> Generation:
    """The rules by which several answers are drawn."""
    return Generation(decoding="balanced", max_new_tokens=generation.max_new_tokens, batch=generation.batch)


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)


def _longest_answer(rows: Iterable[Row], student: Student) -> int:
    """In tokens, end-of-text included."""
    return max(lesson.trained for lesson in lessons_of(rows, student))
