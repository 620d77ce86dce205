"""Rows in the student's tokens: what is read, and what of it is in the loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.publish.schema import Row
from train.students import Student


@dataclass(frozen=True)
class Lesson:
    """A row in the student's tokens; all that follows the prompt is trained, the last of it ends the answer."""

    row: Row
    tokens: tuple[int, ...]
    prompt: tuple[int, ...]

    @property
    def trained(self) -> int:
        """How many of its tokens are in the loss."""
        return len(self.tokens) - len(self.prompt)

    @property
    def answer(self) -> tuple[int, ...]:
        """The tokens in the loss."""
        return self.tokens[len(self.prompt) :]


def lessons_of(rows: Iterable[Row], student: Student) -> list[Lesson]:
    """Rows in the student's tokens: the prompt, the answer, and the token on which generation stops."""
    return [_lesson(row, student) for row in rows]


def _lesson(row: Row, student: Student) -> Lesson:
    prompt = tuple(student.encode(student.prompt_of(row.question, row.context, row.earlier)))
    tokens = tuple(student.encode(student.asked.lesson_of(student.tokenizer, row)))
    return Lesson(row, _as_far_as_the_end(tokens, len(prompt), student), prompt)


def _as_far_as_the_end(tokens: tuple[int, ...], start: int, student: Student) -> tuple[int, ...]:
    """A template may write more after the end of a turn. No answer ever comes that far, so it is not taught."""
    if student.asked.form == "plain":
        return tokens
    ends = (place for place in range(start, len(tokens)) if tokens[place] in student.stops_on)
    return tokens[: next(ends, len(tokens)) + 1]
