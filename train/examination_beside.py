"""Other students of the same dataset beside the one examined: what they got right, on the same questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from train.examination_json import ANSWERS, FILE, FORMAT_VERSION, Compared, Earlier, Examination, Example
from train.examination_measures import Asked
from train.intervals import paired, rate
from train.student_json import StudentFile

Known = Mapping[tuple[str, str], bool]
"""Slice and id of a question to whether it was answered rightly."""


def beside(student: Path, described: StudentFile, asked: Sequence[Asked]) -> list[Earlier]:
    """The students in the folders beside this one that were examined on the very same dataset, by name.

    Their answers are read, not asked for again. Of another dataset, or of an older form of it, a question held out
    here may be one that was taught there: such students are left out.
    """
    own = {(one.slice, one.row.id): one.right["student"] for one in asked}
    found = [
        Earlier(
            student=examination.student,
            right={name: rate([right for (of, _), right in known.items() if of == name]) for name in _slices(known)},
            compared=list(_compared(examination.student, described.name, known, own)),
        )
        for folder, examination in _examined_beside(student, described)
        if (known := _known(folder))
    ]
    return sorted(found, key=lambda one: one.student)


def _examined_beside(student: Path, described: StudentFile) -> Iterator[tuple[Path, Examination]]:
    for path in sorted(student.resolve().parent.glob(f"*/{FILE}")):
        try:
            examination = Examination.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue  # of another version: it cannot be compared, and examining it again is the remedy
        same = (examination.format, examination.dataset_sha256) == (FORMAT_VERSION, described.dataset_sha256)
        if same and path.parent != student.resolve():
            yield path.parent, examination


def _known(folder: Path) -> Known:
    try:
        with (folder / ANSWERS).open(encoding="utf-8", newline="\n") as lines:
            examples = [Example.model_validate_json(line) for line in lines]
    except (OSError, ValidationError):
        return {}
    return {(one.slice, one.id): one.student_right for one in examples}


def _slices(known: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for name, _ in known))


def _compared(other: str, name: str, known: Known, own: Known) -> Iterator[Compared]:
    for of in _slices(own):
        both = [key for key in own if key[0] == of and key in known]
        if both:
            found = paired([known[key] for key in both], [own[key] for key in both])
            yield Compared(slice=of, first=other, second=name, found=found)
