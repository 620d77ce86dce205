"""examination.json: what an examination found, every number with its sample size and interval."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.publish.schema import SLICES
from train.generation import Generation
from train.metrics import Measure

FORMAT_VERSION = 1
FILE = "examination.json"
TRAINED = "trained"
EXAMINED = (TRAINED, *SLICES)
"""`trained` asks the rows of train.jsonl again: what was learned at all. The others were held out."""

Side = Literal["base", "student"]
SIDES: tuple[Side, ...] = ("base", "student")
Measures = dict[str, Measure]


class Example(BaseModel):
    """One question with what the base and the student said to it."""

    model_config = ConfigDict(frozen=True)

    slice: str
    id: str
    question: str
    expected: str
    base: str
    base_stopped_by: Literal["end", "limit"]
    student: str
    student_stopped_by: Literal["end", "limit"]


class Examination(BaseModel):
    """examination.json. Every measure has its sample size and 95 % interval, rows taken as independent."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    student: str
    dataset_name: str
    dataset_sha256: str
    weights_sha256: str
    generation: Generation
    slices: dict[str, dict[Side, Measures]] = Field(description="slice, then base or student, then measure")
    overall: dict[Side, Measures] = Field(description="refusals over all held-out slices, the trained rows left out")
    examples: list[Example]
