"""What `coursework fit` found: each point, the lengths, and rows with what of them is taught."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from train.dataset import DatasetFolder, read_dataset
from train.fit import Fit, faults_of, fit_of, refusal
from train.fit_points import Case, Fault
from train.lessons import Lesson, lessons_of
from train.preference import choices_of, lessons_in
from train.settings import LOCAL, StudentSettings, settings_of
from train.students import Student, make_student, need_training_stack, open_base, taught_as

ROWS = 10
BINS = 12
BAR = 40


class Point(BaseModel):
    """One question of the check, with all that is wrong there."""

    model_config = ConfigDict(frozen=True)

    name: str
    holds: bool
    faults: list[dict[str, str]] = Field(description="problem and remedy of each")


class ShownRow(BaseModel):
    """A row as the student reads it: what it is given, and what it is taught to say."""

    model_config = ConfigDict(frozen=True)

    id: str
    tokens: int
    taught: int
    given: str
    said: str


class FitReport(BaseModel):
    """The whole of `coursework fit --json`."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    student: str
    base: str
    form: str
    why: str = Field(description="of the form")
    fits: bool
    points: list[Point]
    fit: Fit
    limit: int = Field(description="tokens that a row may have")
    lengths: list[tuple[int, int, int]] = Field(description="from, to, and how many rows have so many tokens")
    cut: list[str] = Field(description="ids of the rows that are longer")
    rows: list[ShownRow]

    def failed(self) -> InputError | None:
        """All that is wrong as one error, or None."""
        faults = [Fault(fault["problem"], fault["remedy"]) for point in self.points for fault in point.faults]
        return refusal(faults) if faults else None


def report_on(dataset: Path, settings: StudentSettings | None) -> FitReport:
    """How a dataset fits a student, by default the one that its manifest asks for; nothing is trained or written."""
    need_training_stack()
    data = read_dataset(dataset)
    wanted = settings or settings_of(data.manifest.student, data.folder / "manifest.json")
    student = _opened(wanted, data)
    by_preference = wanted.method == "dpo"
    lessons = lessons_in(choices_of(data.pairs(), student)) if by_preference else lessons_of(data.train, student)
    case = Case(lessons, student, wanted)
    found = faults_of(case)
    return FitReport(
        dataset=data.manifest.name,
        student=str(wanted.name),
        base=wanted.base,
        form=student.asked.form,
        why=_why(student, wanted),
        fits=not any(found.values()),
        points=_points(found),
        fit=fit_of(case, data.pairs_sha256 if by_preference else ""),
        limit=case.limit,
        lengths=_histogram(case.lengths),
        cut=[one.row.id for one in lessons if len(one.tokens) > case.limit],
        rows=[_shown(lesson, student) for lesson in lessons[:: _stride(len(lessons))][:ROWS]],
    )


def _opened(wanted: StudentSettings, data: DatasetFolder) -> Student:
    prompts = data.manifest.format_of_prompts
    if wanted.base != LOCAL:
        # What fits beside weights of four bits fits beside the whole ones, and those need no GPU.
        return open_base(wanted.model_copy(update={"method": "lora"}) if wanted.method == "qlora" else wanted, prompts)
    with tempfile.TemporaryDirectory() as folder:
        made = make_student(wanted, [row.prompt + row.completion for row in data.train], Path(folder))
    return taught_as(made, wanted, prompts)


def _why(student: Student, wanted: StudentSettings) -> str:
    if wanted.form != "auto":
        return "student.form says so"
    if student.asked.form == "chat":
        return "the tokenizer has a chat template"
    return "the tokenizer has no chat template, so the dataset's prompt_format is used"


def _points(found: Mapping[str, Sequence[Fault]]) -> list[Point]:
    return [
        Point(name=name, holds=not faults, faults=[fault._asdict() for fault in faults])
        for name, faults in found.items()
    ]


def _stride(lessons: int) -> int:
    """An odd step through so many, so that of pairs better and worse answers are shown in turn."""
    return (max(1, lessons // ROWS) - 1) | 1


def _shown(lesson: Lesson, student: Student) -> ShownRow:
    written: Any = student.tokenizer.decode
    return ShownRow(
        id=lesson.row.id,
        tokens=len(lesson.tokens),
        taught=lesson.trained,
        given=written(lesson.tokens[: len(lesson.prompt)]),
        said=written(lesson.answer),
    )


def _histogram(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Lengths counted in a dozen steps of equal width."""
    low, high = min(lengths), max(lengths)
    width = max(1, -(-(high - low + 1) // BINS))
    starts = range(low, high + 1, width)
    return [(start, start + width - 1, sum(start <= one < start + width for one in lengths)) for start in starts]


def page(report: FitReport) -> str:
    """The report for a terminal."""
    fit, lines = report.fit, [f"{report.dataset} for {report.student} ({report.base})", ""]
    lines += [f"form: {report.form}, for {report.why}"]
    if fit.rendering.system:
        lines.append(f"system prompt: {_one_line(fit.rendering.system)}")
    begin = "one begin-of-text first" if fit.begin_of_text else "no begin-of-text"
    lines += [f"each row ends on {fit.end_of_text or 'different tokens'}; {begin}", ""]
    what = "both answers of" if fit.pairs_sha256 else "all"
    lines += [f"tokens of {what} {fit.rows} (mean {fit.mean}, {fit.trained_tokens} taught; {report.limit} have room)"]
    most = max(count for _, _, count in report.lengths)
    lines += [f"  {low:>5} to {high:<5} {'█' * -(-BAR * count // most)} {count}" for low, high, count in report.lengths]
    lines += [f"  cut: {len(report.cut)} rows ({', '.join(report.cut[:3])})" if report.cut else "  nothing is cut", ""]
    lines += ["what is given and what is taught:"]
    for row in report.rows:
        lines += [f"  {row.id}  {row.tokens} tokens, {row.taught} taught"]
        lines += [f"    given   {_one_line(row.given)}", f"    taught  {_one_line(row.said)}"]
    lines += ["", *(f"{'ok  ' if point.holds else 'FAIL'}  {point.name}" for point in report.points)]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """Line breaks as \\n, and nothing that a terminal would take for a command."""
    shown = text.replace("\n", "\\n")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in shown)
