"""Whether a dataset fits a student: what it will be taught, token by token, checked before training."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from train.fit_points import POINTS, Case, Fault, begins
from train.lessons import Lesson, lessons_of
from train.rendering import Rendering
from train.settings import StudentSettings
from train.students import Student

__all__ = ["Fit", "Lesson", "check_fit", "faults_of", "fit_of", "lessons_of"]


class Fit(BaseModel):
    """What the check found, kept in student.json."""

    model_config = ConfigDict(frozen=True)

    rendering: Rendering = Field(description="in what form the student is taught and asked, here and ever after")
    pairs_sha256: str = Field(default="", description="of preference.jsonl, if it was that which taught")
    rows: int = Field(description="or pairs")
    longest: int = Field(description="tokens of the longest row; nothing is cut there or below")
    mean: float = Field(description="tokens of a row")
    longest_answer: int = Field(description="trained tokens of the longest answer, end-of-text included")
    trained_tokens: int = Field(description="tokens in the loss, over all rows")
    context: int = Field(description="tokens the student can hold")
    end_of_text: str = Field(description="the last token taught, on which every answer ends")
    begin_of_text: bool = Field(description="whether a token stands before the prompt")


def check_fit(lessons: Sequence[Lesson], student: Student, settings: StudentSettings, pairs: str = "") -> Fit:
    """What the student will be taught. Raises InputError that names every point that fails, and what to change."""
    case = Case(lessons, student, settings)
    faults = [fault for found in faults_of(case).values() for fault in found]
    if faults:
        raise refusal(faults)
    return fit_of(case, pairs)


def faults_of(case: Case) -> dict[str, list[Fault]]:
    """Every point with what is wrong there; an empty list is a point that holds."""
    return {name: list(point(case)) for name, point in POINTS.items()}


def refusal(faults: Sequence[Fault]) -> InputError:
    """All that is wrong as one error: one sentence for one fault, a list for several."""
    if len(faults) == 1:
        return InputError(f"The dataset does not fit the student: {faults[0].problem}.", remedy=faults[0].remedy)
    lines = [f"  {number}. {fault.problem}. {fault.remedy}" for number, fault in enumerate(faults, start=1)]
    return InputError(
        "\n".join((f"The dataset does not fit the student, for {len(faults)} reasons:", *lines)),
        remedy="\nNothing was trained.",
    )


def fit_of(case: Case, pairs: str = "") -> Fit:
    """The figures of what is taught, whether it fits or not; `pairs` is the hash of those that it was made of."""
    lessons, ends = case.lessons, {one.tokens[-1] for one in case.lessons if one.tokens}
    return Fit(
        rendering=case.student.asked,
        pairs_sha256=pairs,
        rows=len(lessons) // (2 if pairs else 1),
        longest=max(case.lengths),
        mean=round(fmean(case.lengths), 1),
        longest_answer=max(lesson.trained for lesson in lessons),
        trained_tokens=sum(lesson.trained for lesson in lessons),
        context=case.student.context,
        end_of_text=case.named(ends) if len(ends) == 1 else "",
        begin_of_text=begins(case),
    )
