"""What a recipe says under `mix:`."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.mix.licences import non_commercial, spdx
from pipeline.yamlfile import Section

LAYOUTS = ("messages", "sharegpt", "alpaca", "prompt_completion", "question_answer")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Fields(Section):
    """Columns of a set, where it calls them by names of its own; `a.0.b` looks inside; a number counts CSV columns."""

    question: str = ""
    answer: str = ""
    context: str = Field(default="", description="text that is shown with the question: alpaca's input")
    system: str = ""
    messages: str = Field(default="", description="the list of turns, in place of question and answer")

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_names(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _says_where_both_stand(self) -> Fields:
        if bool(self.messages) == bool(self.question and self.answer) or bool(self.question) != bool(self.answer):
            raise ValueError("expected question: and answer:, or messages:")
        return self


class ImportedSet(Section):
    """A set that others made: its files or its name on the hub, how its rows are laid out, and how many are taken."""

    files: tuple[str, ...] = Field(
        default=(), description="JSON Lines, JSON, CSV or Parquet, packed or not; folders and globs; beside the recipe"
    )
    hub: str = Field(default="", description="in place of files: a name on the Hugging Face hub, or a folder like it")
    config: str = Field(default="", description="of a hub dataset that has several")
    split: str = Field(default="train", description="of a hub dataset")
    revision: str = Field(default="", description="commit or tag of a hub dataset; empty means its newest, looked up")
    format: Literal["auto", *LAYOUTS] = Field(default="auto", description="auto: told by the names of the columns")  # type: ignore[valid-type]
    fields: Fields | None = Field(default=None, description="in place of format: which column is what")
    system: Literal["context", "drop", "reject"] = Field(
        default="context",
        description="a system prompt becomes context of the question, is left out, or its row is rejected; one that"
        " says no more than that an assistant helps is always left out",
    )
    licence: str = Field(description="SPDX id (CC-BY-4.0, MIT, ...), LicenseRef-NAME, or unknown")
    url: str = Field(default="", description="where it was got, for the card")
    language: str = Field(
        default="", pattern=r"^([a-z]{2,3}|any)?$", description="of its rows; empty means the recipe's; any: not asked"
    )
    weight: float | None = Field(
        default=None, gt=0, description="beside the other sets, within mix.share; 1 if left out"
    )
    cap: int | None = Field(default=None, ge=1, description="rows at most")
    question_words: tuple[int, int] = Field(
        default=(1, 400), description="fewest and most words of all that stands before the answer"
    )
    answer_words: tuple[int, int] = Field(default=(1, 600), description="fewest and most words of an answer")

    @field_validator("files", mode="before")
    @classmethod
    def _one_file_is_a_list_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("licence")
    @classmethod
    def _has_its_spdx_name(cls, value: str) -> str:
        return spdx(value)

    @field_validator("question_words", "answer_words")
    @classmethod
    def _ascending(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 < value[0] <= value[1]:
            raise ValueError("expected [smallest, largest], both above 0")
        return value

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> ImportedSet:
        if bool(self.files) == bool(self.hub):
            raise ValueError("expected files: or hub:, where its rows come from")
        if self.files and (self.config or self.revision or self.split != "train"):
            raise ValueError("config:, split: and revision: belong to hub:, and files: were named")
        if self.fields and self.format != "auto":
            raise ValueError("expected format: or fields:, not both")
        return self


class Mix(Section):
    """Sets that others made, trained beside what is drafted."""

    sets: dict[str, ImportedSet] = Field(min_length=1, description="each by the name that its rows carry")
    share: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="of train.jsonl, all sets together, by weight; left out, all that pass are taken, or cap",
    )
    non_commercial: bool = Field(
        default=False, description="the dataset earns nobody anything, so sets whose licence forbids it may be used"
    )
    sample: int = Field(default=20, ge=0, description="rows of each set that are laid on a review sheet")

    @field_validator("sets")
    @classmethod
    def _names_are_plain(cls, value: dict[str, ImportedSet]) -> dict[str, ImportedSet]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r}: expected a name of small letters, digits, - and _")
        return value

    @model_validator(mode="after")
    def _may_be_mixed(self) -> Mix:
        barred = [f"{name} ({one.licence})" for name, one in self.sets.items() if non_commercial(one.licence)]
        if barred and not self.non_commercial:
            raise ValueError(
                f"{', '.join(barred)}: for non-commercial use only; say non_commercial: true under mix: if the dataset"
                " and the student are never to earn anything, or leave it out"
            )
        weighed = [name for name, one in self.sets.items() if one.weight is not None]
        if weighed and self.share is None:
            raise ValueError(f"{', '.join(weighed)}: weight: parts mix.share among the sets, and there is no share:")
        return self
