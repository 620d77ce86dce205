"""examination.json: what an examination found, every number with its sample size and interval."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.publish.schema import SLICES
from train.examination.intervals import Measure, Paired
from train.generation import Generation

FORMAT_VERSION = 2
FILE = "examination.json"
ANSWERS = "examination_answers.jsonl"
TRAINED = "trained"
HELD_OUT = SLICES
TYPOS = "typos"
WITH_CONTEXT = "with_context"
EXAMINED = (TRAINED, *HELD_OUT, TYPOS)
"""`trained` asks the rows of train.jsonl again: what was learned at all. The others were held out; `typos` looks at
those of them whose question has a typing slip once more. `with_context` is asked on demand."""

Side = Literal["base", "student"]
SIDES: tuple[Side, ...] = ("base", "student")
Measures = dict[str, Measure]
Stopped = Literal["end", "limit"]


class Wanted(BaseModel):
    """What is asked beyond the slices; each costs time, so that none is asked unasked."""

    model_config = ConfigDict(frozen=True)

    samples: int = Field(default=0, description="answers drawn to every question, 0 or at least 20")
    forgetting: bool = Field(default=False, description="the general set, before and after training")
    with_context: bool = Field(default=False, description="held-out questions once more, beside their quote")
    most: int = Field(default=1000, ge=1, description="questions of a slice, chosen by lot")

    def holds(self, other: Wanted) -> bool:
        """Whether an examination of this kind answers what the other one asks."""
        return (
            self.samples >= other.samples
            and self.forgetting >= other.forgetting
            and self.with_context >= other.with_context
            and self.most == other.most
        )


class Example(BaseModel):
    """One question with what the base and the student said to it."""

    model_config = ConfigDict(frozen=True)

    slice: str
    id: str
    question: str
    expected: str
    base: str
    base_stopped_by: Stopped
    base_right: bool
    base_tags: tuple[str, ...] = Field(default=(), description="what is wrong with it, see error_tags.py")
    student: str
    student_stopped_by: Stopped
    student_right: bool
    student_tags: tuple[str, ...] = ()
    context: str = Field(default="", description="what was shown with the question")
    typo_of: str = Field(default="", description="id of the question without the typing slip")


class Compared(BaseModel):
    """Two that answered the same questions of a slice, by how often they were right."""

    model_config = ConfigDict(frozen=True)

    slice: str
    first: str
    second: str
    found: Paired


class Sampled(BaseModel):
    """Answers drawn several times: whether one of k tries is right, and how the drawn ones stop and repeat."""

    model_config = ConfigDict(frozen=True)

    samples: int
    generation: Generation
    slices: dict[str, dict[Side, Measures]]


class Forgetting(BaseModel):
    """The general set, which has nothing to do with the dataset, before training and after it."""

    model_config = ConfigDict(frozen=True)

    measures: dict[Side, Measures]
    right: Paired = Field(description="general questions that only the base, or only the student, completes rightly")


class Earlier(BaseModel):
    """Another student of the same dataset, examined before."""

    model_config = ConfigDict(frozen=True)

    student: str
    right: Measures = Field(description="by slice")
    compared: list[Compared] = Field(description="with this student, on the questions that both answered")


class Examination(BaseModel):
    """examination.json. Every measure has its sample size and 95 % interval: Wilson's for shares, rows taken as
    independent; a bootstrap by the groups that `groups` names for means."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    student: str
    dataset_name: str
    dataset_sha256: str
    weights_sha256: str
    wanted: Wanted
    generation: Generation
    groups: dict[str, str] = Field(description="slice to what its rows are grouped by where a mean's interval is drawn")
    slices: dict[str, dict[Side, Measures]] = Field(description="slice, then base or student, then measure")
    expected: dict[str, Measures] = Field(description="the expected answers themselves, where they can be measured")
    overall: dict[Side, Measures] = Field(description="refusals over all held-out slices, the trained rows left out")
    compared: list[Compared]
    errors: dict[str, dict[Side, dict[str, int]]] = Field(description="slice, base or student, error tag, answers")
    error_examples: dict[str, list[Example]] = Field(description="error tag to answers of the student that have it")
    sampled: Sampled | None = None
    forgetting: Forgetting | None = None
    beside: list[Earlier] = Field(default=[], description="other students of this dataset")
    notes: list[str] = Field(default=[], description="what was left out, and why")
    examples: list[Example]
