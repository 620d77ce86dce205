"""What a student is and how it is trained: the recipe's `student` section, checked whole."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.errors import RecipeError
from pipeline.yamlfile import read_yaml, validated

LOCAL = "local"
Method = Literal["full", "last-layers", "lora", "qlora", "dpo"]
Kind = Literal["local", "pretrained"]
ADAPTERS: tuple[Method, ...] = ("lora", "qlora")


class Course(NamedTuple):
    """How the rate of learning runs, unless the recipe says so itself."""

    rate: float
    warmup: float = 0.05
    """Share of the steps: in the first ones AdamW has no measure of the gradients yet, and would throw weights far."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Falling to nothing lets the last rows settle; a cosine stays longer than a line at a rate that teaches."""
    epochs: int = 6
    """How often each row is read."""


COURSES: dict[tuple[Kind, Method], Course] = {
    # Random weights have nothing to lose; below 1e-3 a student of this size does not finish in a minute.
    ("local", "full"): Course(2e-3),
    # Only with head and embedding trained whole, and from random weights like the first.
    ("local", "lora"): Course(5e-3),
    # Above 5e-5 a language model of 70 M to 1 B parameters forgets its language before it learns the facts.
    ("pretrained", "full"): Course(4e-5),
    # What lies below holds still, so that the little that moves may move further than when all does.
    ("pretrained", "last-layers"): Course(1e-4),
    # An adapter starts at zero beside frozen weights and stands about ten times the full rate.
    ("pretrained", "lora"): Course(2e-4),
    # Beside four-bit weights too; the rate of the QLoRA paper for models of up to 13 B.
    ("pretrained", "qlora"): Course(2e-4),
    # Preference moves a model that answers already: at a rate that teaches facts it unlearns to speak, and after three
    # readings it only grows surer. A longer warm-up, for the first pairs have no margin yet (both as in the DPO paper).
    ("pretrained", "dpo"): Course(1e-6, warmup=0.1, schedule="linear", epochs=3),
}
DPO_WITH_ADAPTER = 1e-5
"""Ten times the rate of a whole model, like in supervised training."""
LAST_LAYERS = 2
BETA = 0.1
FEWEST_STEPS: dict[Kind, int] = {
    # From random weights the language itself is to be learned: 54 steps on 132 rows left a third unlearned.
    "local": 200,
    "pretrained": 1,
}
SHAPE = ("hidden", "layers", "heads", "vocabulary")
HEADS_OF_A_MODEL = ("lm_head", "embed_out", "embed_tokens", "embed_in")

OF_ONE_METHOD: dict[str, tuple[Method, ...]] = {
    "lora": (*ADAPTERS, "dpo"),
    "last_layers": ("last-layers",),
    "beta": ("dpo",),
}
"""Fields that only some methods read."""
ENDS_OF_A_LOCAL_MODEL = {"lm_head", "embed_tokens"}
LORA_ON_RANDOM_WEIGHTS = (
    "method lora beside frozen random weights learns the refusal and no fact (docs/lab-log.md): use method full, name "
    "a base that has learned something, or train lm_head and embed_tokens whole with lora.also_train"
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoraSettings(_Section):
    """The adapter: which linear layers get one, and how large it is."""

    rank: int = Field(default=16, ge=1, le=1024, description="inner width of each adapter")
    alpha: int = Field(default=32, ge=1, description="the adapter's output is scaled by alpha / rank")
    dropout: float = Field(default=0.05, ge=0, lt=1, description="share of an adapter's input dropped in training")
    targets: Literal["all-linear"] | list[str] = Field(
        default="all-linear", description="layers that get an adapter, by the last part of their name"
    )
    also_train: list[str] = Field(
        default_factory=list, description="layers trained whole beside the adapters, such as lm_head or embed_tokens"
    )

    rslora: bool = Field(default=False, description="scale by alpha / sqrt(rank), which holds a high rank in check")
    dora: bool = Field(default=False, description="learn length and direction of each weight apart")
    untie_head: bool = Field(
        default=False,
        description="give a head that is the embedding's own weights of its own, train them whole and save them",
    )

    @field_validator("targets")
    @classmethod
    def _no_adapter_on_the_head(cls, value: str | list[str]) -> str | list[str]:
        for name in value if isinstance(value, list) else ():
            if name in HEADS_OF_A_MODEL:
                raise ValueError(
                    f"{name} cannot carry an adapter (the trainer reads its weights directly, and a head tied to the "
                    "embedding would merge into a wrong model); name it under also_train to train it whole, with "
                    "untie_head: true if it is tied and shall part from the embedding"
                )
        return value


class StudentSettings(_Section):
    """One student: its base, the method of training, and how long."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = Field(
        default=None, description="folder under students/; by default made of base and method"
    )
    base: str = Field(
        default=LOCAL,
        min_length=1,
        description="`local` makes a small one from random weights on the spot; else a folder or a name on the hub",
    )
    revision: str | None = Field(default=None, description="commit or tag of a base from the hub")
    method: Method = Field(
        default="full",
        description="full trains every weight; last-layers the last ones and the head; lora an adapter beside frozen "
        "weights; qlora the same beside weights of four bits, on a GPU; dpo by preference, on the dataset's pairs",
    )
    last_layers: int | None = Field(
        default=None, ge=0, description="layers trained beside the head with method last-layers; by default 2"
    )
    beta: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="with method dpo: how close to its base the student stays; by default 0.1",
    )
    form: Literal["auto", "plain", "chat"] = Field(
        default="auto",
        description="plain asks in the dataset's prompt_format, chat by the tokenizer's chat template; auto takes chat "
        "where there is one",
    )
    system: str = Field(default="", description="system prompt of a chat, the same in training and ever after")
    end_of_text: str | None = Field(
        default=None,
        min_length=1,
        description="token on which answers end, if not the tokenizer's own; one that the base knows how to say",
    )
    hidden: int = Field(default=192, ge=16, le=4096, description="width of a local student")
    layers: int = Field(default=4, ge=1, le=64, description="depth of a local student")
    heads: int = Field(default=4, ge=1, le=64, description="attention heads of a local student")
    vocabulary: int = Field(default=1024, ge=300, le=65536, description="tokens of a local student's own tokenizer")
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="times each row is seen; by default 6, with dpo 3, more if base is local and rows few",
    )
    steps: int | None = Field(default=None, ge=1, description="optimiser steps, instead of epochs")
    batch: int = Field(default=16, ge=1, description="rows per optimiser step")
    learning_rate: float | None = Field(
        default=None, gt=0, lt=1, description="peak rate; by default chosen by base and method"
    )
    schedule: Literal["cosine", "linear", "constant"] | None = Field(
        default=None, description="course of the rate; by default cosine, with dpo linear"
    )
    warmup: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="share of the steps in which the rate rises; by default 0.05, with dpo 0.1",
    )
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="pull of the weights towards zero")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="of the arithmetic; auto takes bfloat16 on a GPU that has it, and for students from 3 M weights on "
        "on a processor with units for it; else float32",
    )
    checkpointing: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="compute activations twice instead of keeping them: a quarter slower; auto does it on a GPU whose "
        "memory the weights half fill",
    )
    lora: LoraSettings | None = Field(
        default=None, description="the adapter, with method lora or qlora, and with dpo if that is to train one"
    )
    max_length: int | None = Field(
        default=None, ge=8, description="tokens a row may have; by default the longest row decides, nothing is ever cut"
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="of weights, order and dropout")
    checkpoint_minutes: float = Field(
        default=5,
        gt=0,
        exclude=True,  # it shapes no weight, and is no reason to train again
        description="between two checkpoints, from which a killed training goes on",
    )

    @property
    def kind(self) -> Kind:
        """Whether the base is made on the spot or has learned a language before."""
        return "local" if self.base == LOCAL else "pretrained"

    @property
    def is_adapter(self) -> bool:
        """Whether an adapter is trained, and the base stays as it is."""
        return self.method in ADAPTERS or (self.method == "dpo" and self.lora is not None)

    @property
    def place(self) -> str:
        """The folder in the student's own in which the trained weights lie."""
        return "adapter" if self.is_adapter else "model"

    @model_validator(mode="after")
    def _nothing_is_said_in_vain(self) -> StudentSettings:
        (self._check_local if self.kind == "local" else self._check_pretrained)()
        for field, methods in OF_ONE_METHOD.items():
            if getattr(self, field) is not None and self.method not in methods:
                raise ValueError(f"{field} is read only with method: {' or '.join(methods)}")
        if self.form == "plain" and self.system:
            raise ValueError("system has a place only in a chat; with form: plain write it into prompt_format")
        if self.epochs is not None and self.steps is not None:
            raise ValueError("epochs and steps say the same thing twice; keep one")
        return self

    def _check_local(self) -> None:
        if (self.kind, self.method) not in COURSES:
            raise ValueError(
                f"method {self.method} goes on from what a base has learned, and a local student starts from random "
                "weights: name a base, or another student's folder"
            )
        if self.method == "lora" and not set(self.lora.also_train if self.lora else ()) >= ENDS_OF_A_LOCAL_MODEL:
            raise ValueError(LORA_ON_RANDOM_WEIGHTS)
        if self.form == "chat" or self.end_of_text:
            raise ValueError("form: chat and end_of_text belong to a base that exists; a local student has its own")
        if self.revision:
            raise ValueError("revision belongs to a base from the hub, a local student has none")
        if self.hidden % (2 * self.heads):
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of twice heads ({self.heads})")

    def _check_pretrained(self) -> None:
        shape = [field for field in SHAPE if field in self.model_fields_set]
        if shape:
            raise ValueError(f"{', '.join(shape)}: only shapes a local student, {self.base} has its own shape")

    def resolved(self) -> StudentSettings:
        """The same with every default that depends on another field written out."""
        course = self._course
        changes: dict[str, object] = {
            "name": self.name or f"{_short(self.base)}-{self.method}",
            "learning_rate": self.learning_rate or course.rate,
            "warmup": course.warmup if self.warmup is None else self.warmup,
            "schedule": self.schedule or course.schedule,
        }
        if self.method in ADAPTERS:
            changes["lora"] = self.lora or LoraSettings()
        if self.method == "last-layers":
            changes["last_layers"] = LAST_LAYERS if self.last_layers is None else self.last_layers
        if self.method == "dpo":
            changes["beta"] = self.beta or BETA
        return self.model_copy(update=changes)

    @property
    def _course(self) -> Course:
        course = COURSES[self.kind, self.method]
        return course._replace(rate=DPO_WITH_ADAPTER) if self.method == "dpo" and self.lora else course

    def steps_for(self, rows: int) -> int:
        """Optimiser steps on so many rows: as said, else as many epochs as the method wants, no fewer than the base."""
        if self.steps is not None:
            return self.steps
        epochs = self.epochs or self._course.epochs
        steps = math.ceil(epochs * math.ceil(rows / self.batch))
        return steps if self.epochs else max(steps, FEWEST_STEPS[self.kind])

    def spoken(self) -> dict[str, Any]:
        """The settings that have a say in this student, for student.json: no shape of a local one elsewhere."""
        unread = SHAPE if self.kind == "pretrained" else ()
        return self.model_dump(mode="json", exclude_none=True, exclude=set(unread))


class _StudentSection(BaseModel):
    """A recipe as far as training reads it: the rest is the pipeline's."""

    name: str = ""
    student: StudentSettings = StudentSettings()


def settings_of(section: Mapping[str, Any], path: Path) -> StudentSettings:
    """A `student` section found in `path`, checked. Raises RecipeError naming every fault."""
    return validated({"student": dict(section)}, _StudentSection, path).student.resolved()


def settings_in(recipe: Path) -> tuple[str, StudentSettings]:
    """The dataset's name and the student section of a recipe file; a fault is named with its line.

    A base that is a relative path is taken from the recipe's folder, like every path in a recipe.
    """
    read = read_yaml(recipe, _StudentSection)
    if not read.name:
        raise RecipeError(f"{recipe}: name: is missing, and with it the place of the dataset.")
    settings = read.student
    if settings.base.startswith("."):
        settings = settings.model_copy(update={"base": str((recipe.parent / settings.base).resolve())})
    return read.name, settings.resolved()


def _short(base: str) -> str:
    """A folder name made of the last part of a path or hub name."""
    last = Path(base).name or "base"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._") or "base"
