"""A persona: whose voice, how it sounds, what it is asked, and what an answer may measure."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, model_validator

from pipeline.constraints import Constraints, broken_constraints
from pipeline.yamlfile import read_yaml

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Example(_Part):
    """One question with an answer as the persona might give it."""

    question: Line
    answer: Line = Field(description="imitates the voice; never a quotation of a real person")


class QuestionPrompt(_Part):
    """What the teacher is told in order to list questions for the persona."""

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="names the prompt in records, as the field of a question"
    )
    prompt: Line = Field(description="the instruction, in the words put to the teacher")
    count: int = Field(ge=1, le=500, description="questions wanted")


class Persona(_Part):
    """One persona file. The teacher sees its `card`; the question prompts are put to it one by one."""

    name: Line
    living_person: bool = Field(description="a living person is imitated; the dataset's card has to say so")
    voice: Line = Field(description="how the persona speaks, in prose")
    do: tuple[Line, ...] = Field(default=(), description="what every answer should do")
    dont: tuple[Line, ...] = Field(default=(), description="what no answer may do")
    phrases: tuple[Line, ...] = Field(
        default=(), description="characteristic turns, whole sentences; one that ends with a colon leads an answer in"
    )
    topics: tuple[Line, ...] = Field(
        default=(), description="what the persona likes to talk about, as noun phrases without an article"
    )
    examples: tuple[Example, ...] = ()
    questions: tuple[QuestionPrompt, ...] = Field(min_length=1, description="the question prompts")
    constraints: Constraints = Field(default=Constraints(), description="what an answer may measure")

    _sha256: str = PrivateAttr(default="")

    @property
    def sha256(self) -> str:
        """Of the file's bytes; empty for a persona that no file was read for."""
        return self._sha256

    @model_validator(mode="after")
    def _question_prompts_are_told_apart(self) -> Persona:
        names = [prompt.id for prompt in self.questions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"questions: the id {twice[0]} stands twice, so that records could not name their prompt")
        return self

    @model_validator(mode="after")
    def _examples_keep_the_constraints(self) -> Persona:
        # The teacher follows an example sooner than a rule, so one that breaks the rule costs paid answers.
        for number, example in enumerate(self.examples, 1):
            faults = broken_constraints(example.answer, self.constraints)
            if faults:
                raise ValueError(f"examples: answer {number} breaks the constraints: {'; '.join(faults)}")
        return self

    def said(self) -> str:
        """Everything that the file says, in one text: what the facts in an answer can be looked up in."""
        return "\n".join((self.card(), *(wanted.prompt for wanted in self.questions)))

    def card(self) -> str:
        """What the teacher is shown of the persona, as YAML: all but the question prompts."""
        shown = self.model_dump(mode="json", exclude={"questions", "living_person"})
        return yaml.safe_dump(shown, allow_unicode=True, sort_keys=False, width=100).strip()


def read_persona(path: Path) -> Persona:
    """The persona in a YAML file. Raises RecipeError naming every fault as `file:line: field: what`."""
    persona = read_yaml(path, Persona)
    persona._sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return persona
