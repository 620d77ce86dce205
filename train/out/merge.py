"""Merges an adapter into its base, and proves on the dataset's own rows that the merged model is the student."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputError, UsageError
from pipeline.publish.schema import Row
from train.dataset import DatasetFolder, read_dataset
from train.files import appearing_whole, write_whole
from train.progress import Progress, Say, no_progress
from train.student_json import StudentFile, open_trained, read_student, versions, weights_of
from train.students import Student, need_training_stack, open_student, save_student

FILE = "merged.json"
FORMAT_VERSION = 1
FOLDER = "merged"
TOLERANCE = 1e-4
"""A sound merge differs by rounding alone, 3e-8 to 9e-5; an adapter on a tied head was seen to differ by 5."""
ROWS, LAST_TOKENS = 16, 24
"""Rows that are compared, over all slices, and how many tokens of each: enough for prompt's end, answer and
end-of-text, and little enough for the logits of a vocabulary of 150,000."""


class MergedFile(BaseModel):
    """merged.json: what the merged model is made of, and how near it is to adapter and base."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    student: str
    dataset_sha256: str
    base: str
    base_sha256: str = Field(description="of the base's weights, empty where they are the hub's")
    base_revision: str
    adapter_sha256: str
    weights_sha256: str = Field(description="of the merged weights")
    largest_difference: float = Field(description="of any logit, after the model was saved and opened again")
    tolerance: float = TOLERANCE
    rows: list[str] = Field(description="ids of the dataset's rows that both were given")
    positions: int = Field(description="tokens whose logits were compared")
    versions: dict[str, str]


def merge_student(student: Path, out: Path | None, say: Say, progress: Progress = no_progress) -> Path:
    """Writes the merged model to `out`, or `merged` in the student's folder, and returns that folder.

    What is there of the same adapter stays. Raises UsageError for a student that is no adapter, InputError
    if the merged model, saved and opened again, is another one; then nothing is left of it.
    """
    described = read_student(student)
    if not described.read_settings().is_adapter:
        raise UsageError(
            f"{student} is a whole model: there is nothing to merge.", remedy=f"Its model is {student / 'model'}."
        )
    need_training_stack()
    home = out or student / FOLDER
    if _is_merged(home, student, described):
        say(f"{described.name}: already merged ({home}).")
        return home
    data = read_dataset((student / described.dataset).resolve())
    with appearing_whole(home) as folder:
        merged = _merge_into(folder, student, described, data, progress)
        write_whole(folder / FILE, merged.model_dump_json(indent=2) + "\n")
    say(
        f"{described.name}: merged; over {merged.positions} tokens no logit differs by more than "
        f"{merged.largest_difference:.1e}."
    )
    return home


def _is_merged(home: Path, student: Path, described: StudentFile) -> bool:
    """Whether the same adapter was merged there. Raises UsageError where something else lies in the way."""
    if not home.exists():
        return False
    try:
        there = MergedFile.model_validate_json((home / FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        raise UsageError(
            f"{home} exists and is not a merged student: it would be replaced.",
            remedy="Name another folder with --out.",
        ) from None
    parts = (there.format, there.adapter_sha256, there.base_sha256, there.weights_sha256)
    return parts == (FORMAT_VERSION, weights_of(student / "adapter"), described.base_sha256, weights_of(home))


def _merge_into(
    folder: Path, student: Path, described: StudentFile, data: DatasetFolder, progress: Progress
) -> MergedFile:
    trained = open_trained(student)
    rows = data.some(ROWS)
    tokens = [_tokens_of(row, trained) for row in rows]
    progress("asking adapter and base", 0, 3)
    wanted = _logits(trained, tokens)
    progress("merging", 1, 3)
    model = trained.model.merge_and_unload(safe_merge=True)
    save_student(Student(model, trained.tokenizer), folder)
    progress("asking the merged model", 2, 3)
    difference = _largest_difference(wanted, _logits(open_student(str(folder)), tokens))
    progress("merging", 3, 3)
    if not difference <= TOLERANCE:  # so that a logit that is no number fails too
        raise InputError(
            f"{student}: merged into its base, saved and opened again it is another model: a logit differs by "
            f"{difference:.2g}, more than {TOLERANCE:g}. Nothing was kept of it.",
            remedy="Use the adapter beside its base, or train it again without an adapter on head or embedding "
            "(name them under student.lora.also_train to train them whole).",
        )
    return MergedFile(
        student=described.name,
        dataset_sha256=described.dataset_sha256,
        base=described.read_settings().base,
        base_sha256=described.base_sha256,
        base_revision=described.base_revision,
        adapter_sha256=weights_of(student / "adapter"),
        weights_sha256=weights_of(folder),
        largest_difference=difference,
        rows=[row.id for row in rows],
        positions=sum(map(len, wanted)),
        versions=versions(),
    )


def _tokens_of(row: Row, student: Student) -> list[int]:
    return student.encode(student.asked.lesson_of(student.tokenizer, row))[-student.context :]


def _logits(student: Student, rows: Sequence[Sequence[int]]) -> list[Any]:
    import torch

    model = student.model.eval()
    with torch.inference_mode():
        return [model(torch.tensor([tokens])).logits[0, -LAST_TOKENS:].float() for tokens in rows]


def _largest_difference(one: Sequence[Any], other: Sequence[Any]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
