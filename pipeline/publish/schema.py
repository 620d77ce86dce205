"""The dataset folder: which files it holds and what one row says. `train/` reads this and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.constraints import Constraints, broken_constraints
from pipeline.errors import InputError
from pipeline.files import BadLine, read_json_lines

FORMAT_VERSION = 1
TRAIN = "train"
SLICES = ("rephrased", "unseen", "off_topic", "near_topic")
"""Questions held out of training. `rephrased`: trained facts in unseen wordings. `unseen`: facts whose
whole passage was held out. `off_topic`: fields held out whole. `near_topic`: sounds like the subject,
is not answered by it, or takes something for granted that is not so (kind `false_premise`)."""
PREFERENCE = "preference"
"""Pairs of a better and a worse answer, for training by preference (DPO); supervised training does not read them."""


class PromptFormat(NamedTuple):
    """How a question becomes a prompt, in the dataset, in training, in the examination and at chat time."""

    prompt: str
    """Holds {question}."""
    context: str = "{context}\n\n{prompt}"
    """Holds {context} and {prompt}."""

    def of(self, question: str, context: str = "", earlier: Sequence[str] = ()) -> str:
        """The prompt: first what is shown with the question, then the earlier turns as they were asked and answered."""
        turns = [
            f"{self.prompt.format(question=asked)} {answered}"
            for asked, answered in zip(earlier[::2], earlier[1::2], strict=True)
        ]
        prompt = "\n\n".join((*turns, self.prompt.format(question=question)))
        return self.context.format(context=context, prompt=prompt) if context else prompt


def asks(question: str, context: str, parent: str) -> str:
    """What two rows are compared by: the question, and for an instruction that is given with many texts its text too.

    What was made of a record asks what the record asks, whatever is shown with it.
    """
    return f"{context}\n{question}" if context and not parent else question


class Row(BaseModel):
    """One line of train.jsonl or of a slice: flat, the same keys in every row, never a null.

    TRL's SFTTrainer takes `prompt` and `completion` as they are; the other columns are for people
    and for the examination.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(description="the question in the dataset's prompt format, no blank at the end")
    completion: str = Field(description="a blank, then the answer; end-of-text is the trainer's to add")
    question: str
    answer: str
    kind: str = Field(description="which kind of data it is, as pipeline/kinds.py lists them")
    refusal: bool = Field(description="the right answer is the refusal sentence")
    id: str
    fact: str
    source: str
    page: int = Field(description="page of the quote, 0 where there is none")
    quote: str
    passage: str
    field: str
    model: str
    edited: bool
    twin: str = Field(default="", description="of a near-topic refusal: id of the trained question it sounds like")
    typo_of: str = Field(default="", description="id of the row whose question this is, with a typing slip")
    context: str = Field(default="", description="text shown with the question; it stands in the prompt")
    earlier: tuple[str, ...] = Field(
        default=(), description="turns before the question, question and answer in turn; they stand in the prompt"
    )
    parent: str = Field(default="", description="id of the record that it was made from")
    replaces: str = Field(default="", description="id of the record of which a person wanted another version, this one")
    rules: tuple[str, ...] = Field(default=(), description="a person's rules that changed its text, by name")
    difficulty: str = ""
    result: str = Field(default="", description="what a worked answer comes to, for whoever checks answers by program")
    place: str = Field(default="", description="of an imported row: the file and row of its set, which `source` names")


class MixedSet(BaseModel):
    """A set that others made, as it went into train.jsonl. Every row that was checked was taken or rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str = Field(description="SPDX id, or unknown")
    url: str = Field(default="", description="where it was got")
    hub: str = Field(default="", description="its name on the Hugging Face hub")
    revision: str = Field(default="", description="commit of it that was read")
    drawn: str = Field(
        default="", description="sha256 of the rows drawn of it, drawn/<sha256>.jsonl.zst in the outputs"
    )
    files: dict[str, str] = Field(default_factory=dict, description="file to sha256 of its bytes")
    layouts: dict[str, str] = Field(default_factory=dict, description="how the rows of each part are laid out")
    read: int = Field(description="rows that it has, those among them that are no question with an answer")
    checked: int = Field(description="rows that were drawn and held against the checks")
    taken: int
    lacking: int = Field(default=0, description="rows that were wanted and not to be had")
    rejected: dict[str, int] = Field(default_factory=dict, description="by cause")

    @property
    def parts(self) -> str:
        """Where its rows come from, for a person."""
        return self.hub or ", ".join(self.files)


class Pair(BaseModel):
    """One line of preference.jsonl: a question with a better and a worse answer.

    TRL's DPOTrainer takes `prompt`, `chosen` and `rejected` as they are; the other columns are for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(description="the question in the dataset's prompt format, no blank at the end")
    chosen: str = Field(description="a blank, then the better answer; end-of-text is the trainer's to add")
    rejected: str = Field(description="a blank, then the worse answer")
    question: str
    kind: str = Field(description="which kind of data it is, as pipeline/kinds.py lists them")
    id: str
    parent: str = Field(description="id of the record whose answer is the better one")
    fault: str = Field(description="in which way the worse answer is worse, as the recipe names it")
    fact: str
    source: str
    page: int = Field(description="page of the quote, 0 where there is none")
    quote: str
    passage: str
    model: str
    edited: bool
    context: str = Field(default="", description="text shown with the question; it stands in the prompt")
    earlier: tuple[str, ...] = Field(
        default=(), description="turns before the question, question and answer in turn; they stand in the prompt"
    )


class Manifest(BaseModel):
    """manifest.json: what the folder was made of, and the hash of each file in it."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT_VERSION
    name: str
    coursework: str = Field(description="version that wrote the folder")
    recipe_sha256: str
    recipe: dict[str, Any] = Field(description="the resolved recipe, without its student section")
    student: dict[str, Any] = Field(description="the recipe's student section; only train/ reads it")
    prompt_format: str = Field(description="how a question becomes a prompt; holds {question}")
    context_format: str = Field(
        default="{context}\n\n{prompt}", description="how what is shown with a question stands before its prompt"
    )
    refusals: list[str] = Field(description="sentences that count as a refusal, byte for byte")
    prompts: dict[str, str] = Field(description="template name to template text")
    models: list[str] = Field(description="teachers, as they named themselves in their replies")
    embedded_teacher: bool = Field(description="the rule-based stand-in wrote it, no language model did")
    sources: dict[str, str] = Field(description="document or persona to sha256 of its bytes")
    counts: dict[str, int] = Field(description="rows per file stem")
    files: dict[str, str] = Field(description="file name to sha256")
    living_persons: list[str] = Field(default_factory=list, description="personas that imitate a living person")
    remarks: list[str] = Field(default_factory=list, description="what the run said of the whole set: variety, voice")
    diversity: dict[str, Any] = Field(default_factory=dict, description="the same as numbers")
    licence: str = Field(default="", description="of the whole, where it follows from its parts; else somebody decides")
    own_licence: str = Field(default="", description="of what was drafted, as the recipe says")
    mix: dict[str, MixedSet] = Field(default_factory=dict, description="sets that others made, by name")
    drift: dict[str, Any] = Field(default_factory=dict, description="how texts are written without the mix and with it")

    constraints: dict[str, Constraints] = Field(
        default_factory=dict, description="what answers may measure, by the kind of their rows: a persona's"
    )

    def keeps_constraints(self, kind: str, answer: str) -> bool | None:
        """Whether an answer to a row of this kind measures what it may; None where nothing is said of the kind."""
        constraints = self.constraints.get(kind)
        return None if constraints is None else not broken_constraints(answer, constraints)

    @property
    def format_of_prompts(self) -> PromptFormat:
        """Both formats as one."""
        return PromptFormat(self.prompt_format, self.context_format)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a dataset folder. Raises InputError if it is absent or of another format."""
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{folder} is not a dataset folder: it has no manifest.json.",
            remedy="Name the dataset folder that `coursework run` published.",
        ) from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: {where}: {first['msg']}.", remedy="Publish the dataset again with this version."
        ) from None


def read_rows(folder: Path, stem: str) -> Iterator[Row]:
    """The rows of `train` or a slice, streamed; an empty slice has no file. Raises InputError at a bad row's line."""
    path = folder / f"{stem}.jsonl"
    if stem in SLICES and not path.exists():
        return
    try:
        yield from _read(path, Row)
    except FileNotFoundError:
        raise InputError(f"{path} is missing from the dataset folder.", remedy="Publish the dataset again.") from None


def read_pairs(folder: Path) -> Iterator[Pair]:
    """The pairs, streamed; a dataset without any has no file. Raises InputError at a bad line."""
    path = folder / f"{PREFERENCE}.jsonl"
    if path.exists():
        yield from _read(path, Pair)


Line = TypeVar("Line", bound=BaseModel)


def _read(path: Path, line: type[Line]) -> Iterator[Line]:
    for found in read_json_lines(path, line):
        if isinstance(found, BadLine):
            raise InputError(f"{path}:{found.number}: {found.fault}")
        yield found[1]


def features(line: type[BaseModel] = Row) -> dict[str, dict[str, Any]]:
    """Column types in the form `datasets.Features.from_dict` reads, so that no loader ever guesses."""
    text = {"dtype": "string", "_type": "Value"}
    types: dict[Any, dict[str, Any]] = {
        str: text,
        int: {"dtype": "int64", "_type": "Value"},
        bool: {"dtype": "bool", "_type": "Value"},
        tuple[str, ...]: {"feature": text, "_type": "List"},
    }
    return {name: types[field.annotation] for name, field in line.model_fields.items()}


def row_schema(line: type[BaseModel] = Row) -> str:
    """JSON Schema of one line, for editors and for whoever reads the folder without this package."""
    return json.dumps(line.model_json_schema(), ensure_ascii=False, indent=2) + "\n"
