"""Other students of the same dataset beside the one examined: what they got right, on the same questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from train.examination.intervals import paired, rate
from train.examination.measures import Asked
from train.examination.record import ANSWERS, FILE, FORMAT_VERSION, Compared, Earlier, Examination, Example
from train.student_json import StudentFile

Key = tuple[str, str]
"""Slice and id of a question."""
Others = Mapping[str, Mapping[Key, Example]]
"""Another student's name to its answers."""


def others_of(student: Path, described: StudentFile) -> Others:
    """The answers of the students in the folders beside this one that were examined on the very same dataset, by name.

    They are read, not asked for again. Of another dataset, or of an older form of it, a question held out
    here may be one that was taught there: such students are left out.
    """
    found = {name: _answers(folder) for folder, name in _examined_beside(student, described)}
    return {name: answers for name, answers in sorted(found.items()) if answers}


def beside(others: Others, name: str, asked: Sequence[Asked]) -> list[Earlier]:
    """What the others got right, and how they compare with the student of that name where both answered."""
    own = {(one.slice, one.row.id): one.right["student"] for one in asked}
    found = []
    for other, answers in others.items():
        right = {key: answer.student_right for key, answer in answers.items()}
        by_slice = {of: rate([hit for key, hit in right.items() if key[0] == of]) for of in _slices(right)}
        found.append(Earlier(student=other, right=by_slice, compared=list(_compared(other, name, right, own))))
    return found


def _examined_beside(student: Path, described: StudentFile) -> Iterator[tuple[Path, str]]:
    for path in sorted(student.resolve().parent.glob(f"*/{FILE}")):
        try:
            examination = Examination.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue  # of another version: it cannot be compared, and examining it again is the remedy
        same = (examination.format, examination.dataset_sha256) == (FORMAT_VERSION, described.dataset_sha256)
        if same and path.parent != student.resolve():
            yield path.parent, examination.student


def _answers(folder: Path) -> dict[Key, Example]:
    try:
        with (folder / ANSWERS).open(encoding="utf-8", newline="\n") as lines:
            examples = [Example.model_validate_json(line) for line in lines]
    except (OSError, ValidationError):
        return {}
    return {(one.slice, one.id): one for one in examples}


def _slices(keys: Iterable[Key]) -> list[str]:
    return list(dict.fromkeys(name for name, _ in keys))


def _compared(other: str, name: str, known: Mapping[Key, bool], own: Mapping[Key, bool]) -> Iterator[Compared]:
    for of in _slices(own):
        both = [key for key in own if key[0] == of and key in known]
        if both:
            found = paired([known[key] for key in both], [own[key] for key in both])
            yield Compared(slice=of, first=other, second=name, found=found)
