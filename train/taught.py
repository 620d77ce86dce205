"""What a dataset tells of the questions that its student knows how to answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.publish.schema import Row
from train.chat.retrieval import Document, documents_of
from train.dataset import read_dataset

EXAMPLES = 3


class Taught(BaseModel):
    """In which ways a student was asked in training, and the documents that its answers come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialogues: bool = Field(default=False, description="some rows had earlier turns before the question")
    contexts: bool = Field(default=False, description="some rows showed a text with the question")
    documents: tuple[Document, ...] = ()
    examples: tuple[str, ...] = Field(default=(), description="questions that it was trained on")
    imitates: tuple[str, ...] = Field(default=(), description="living persons whose voice it imitates")
    unknown: str = Field(default="", description="why the dataset could not be asked")


def taught_by(student: Path, dataset: str) -> Taught:
    """What the dataset of a student's folder tells; where it is gone or has changed, nothing, and why."""
    try:
        data = read_dataset(Path(os.path.normpath(student.resolve() / dataset)))
    except InputError as fault:
        return Taught(unknown=fault.problem)
    return Taught(
        dialogues=any(row.earlier for row in data.train),
        contexts=any(row.context for row in data.train),
        documents=tuple(documents_of(chain.from_iterable(data.rows.values()))),
        examples=_examples(data.train),
        imitates=tuple(data.manifest.living_persons),
    )


def _examples(rows: Sequence[Row]) -> tuple[str, ...]:
    """Questions of different facts that stand alone."""
    alone = {row.fact: row.question for row in rows if not (row.refusal or row.context or row.earlier)}
    return tuple(alone.values())[:EXAMPLES]
