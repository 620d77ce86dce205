"""Tone transfer: what a record answers, told again in another voice, with nothing lost, added or changed."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from pipeline.constraints import broken_constraints
from pipeline.draft.descent import Asked, DescendantDrafter, ParentsOrPairs, child, parents_of, texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.files import sha256
from pipeline.records import Draft, Record, content_id
from pipeline.sources.personas import read_persona
from pipeline.teacher.request import Request

KIND = "tone_answers"
DESK = (
    "A support desk, warm and plain. It greets the customer, by name where the question gives one; thanks for the"
    " question; says the answer in one or two sentences; and offers further help. It promises nothing and jokes about"
    " nothing."
)
NAMES = tuple(
    "Amira Ana Anton Bea Ben Carla Clara Daan Dana David Elena Emil Erik Eva Farid Finn Greta Hanna Hugo Ines Iris"
    " Jamal Jonas Julia Karim Lea Lena Luca Maria Marek Mei Milan Mina Nadia Nils Nora Olga Omar Paul Petra Rosa Samir"
    " Sofia Stella Tessa Tom Viktor Yara Zoe".split()
)
OPENINGS = (
    "Hello, my name is {name}. {question}",
    "Hi, this is {name}. {question}",
    "Good morning, I am {name}. {question}",
    "Hello, {name} here. {question}",
    "Good afternoon, my name is {name}. {question}",
    "Hello! {question}",
    "Hi, I have a question. {question}",
)


class Settings(ParentsOrPairs):
    """The same facts in another voice."""

    voice: str = Field(default=DESK, min_length=10, description="how it sounds and what belongs to it, in prose")
    persona: str = Field(default="", description="a persona's YAML, relative to the recipe, in place of voice")
    openings: tuple[str, ...] = Field(
        default=OPENINGS,
        min_length=1,
        description="what the question is put into, so that it tells in which voice it wants to be answered; holds"
        " {question}, and {name} where the answer shall greet by name",
    )
    names: tuple[str, ...] = Field(default=NAMES, min_length=1, description="of those who ask")

    @field_validator("openings")
    @classmethod
    def _hold_the_question(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for opening in value:
            if not opening.replace("{name}", "").endswith("{question}") or opening.count("{") > 2:
                raise ValueError(f"{opening!r} does not end with {{question}}, or holds more than that and {{name}}")
        return value


class ToneDrafter(DescendantDrafter):
    """Asks for each parent's answer in the voice."""

    listed = "answers"

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        prompt = ground.prompt(KIND)
        self._wanted = wanted
        self._persona = read_persona(ground.folder / wanted.persona) if wanted.persona else None
        self.voice = self._persona.said() if self._persona else wanted.voice
        self.imitated = self._persona.name if self._persona and self._persona.living_person else ""
        self.files = (
            {wanted.pairs: sha256(ground.bytes_of(wanted.pairs, "drafters.tone.pairs"))} if wanted.pairs else {}
        )
        schema = object_schema(answers=array_of(object_schema(answer=STRING), at_least=1, at_most=1))
        card = self._persona.card() if self._persona else ""
        asked = [
            Asked(
                parent,
                prompt.request(
                    KIND,
                    parent.id,
                    schema,
                    ground.manner,
                    persona=card,
                    voice="" if card else wanted.voice,
                    question=self._question(parent),
                    answer=parent.answer,
                ),
            )
            for parent in parents_of(wanted, ground, "tone")
        ]
        super().__init__(asked, prompt)

    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """The answer told again, to the question as it was put to this voice."""
        (answer,) = texts_of(item, "answer")
        answer = tidied(answer)
        broken = broken_constraints(answer, self._persona.constraints) if self._persona else []
        if broken:
            raise Unreadable("breaks_constraint", f"The answer has {'; '.join(broken)}: {answer}")
        way = self._persona.name if self._persona else "voice"
        return child(parent, request, kind="tone", question=self._question(parent), answer=answer, field=way)

    def _question(self, parent: Record) -> str:
        """The parent's question in an opening, with the name of somebody who asks; both are a stable hash's choice."""
        opening = _one_of(self._wanted.openings, "opening", parent)
        return opening.replace("{name}", _one_of(self._wanted.names, "name", parent)).replace(
            "{question}", parent.question
        )


def build(wanted: Settings, ground: Ground) -> list[ToneDrafter]:
    """One drafter for all parents. Raises RecipeError and InputError if persona or pairs cannot be read."""
    return [ToneDrafter(wanted, ground)]


def _one_of(choices: tuple[str, ...], what: str, parent: Record) -> str:
    return min(choices, key=lambda choice: content_id("tone", what, choice, parent.id))
