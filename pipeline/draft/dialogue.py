"""Dialogue: several turns about a passage, or with a persona; every answer is a record with the turns before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from pipeline.draft import Told
from pipeline.draft.descent import texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.errors import RecipeError
from pipeline.records import Draft, Rejection, content_id, lot, normalised
from pipeline.sources.personas import Persona
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

ABOUT_PASSAGE = "dialogue_turns"
WITH_PERSONA = "persona_turns"
SIDES = ("what it is good for", "what goes wrong with it")


class Settings(Section):
    """Dialogues about passages and with a persona, turn by turn."""

    of: tuple[Literal["passage", "persona"], ...] = Field(
        default=("passage", "persona"), min_length=1, description="what they are drawn from, of what the recipe has"
    )
    turns: int = Field(default=3, ge=2, le=12, description="questions and answers of one dialogue")
    share: float = Field(default=1, gt=0, le=1, description="of the passages; which of them is a stable hash")
    voice: str = Field(default="", description="how the answers about passages sound, in prose; empty: plainly")
    subjects: tuple[str, ...] = Field(
        default=(), description="what the persona is talked to about; empty: the topics in its file"
    )
    sides: tuple[str, ...] = Field(
        default=SIDES, min_length=1, description="of each of these subjects, each with a dialogue that begins there"
    )


class Wanted(NamedTuple):
    """One dialogue, and what its drafts have in common."""

    request: Request
    kind: str
    passage: str = ""
    persona: str = ""
    field: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """What the teacher gives of each turn."""
        return ("question", "answer", "quote") if self.passage else ("question", "answer")

    def fact(self, question: str) -> str:
        """What a dialogue that begins so is about. Begun with a persona it is what that question is about wherever else
        it is asked, so that the split holds the two together."""
        if self.persona:
            return content_id(self.persona, normalised(question))
        return content_id("dialogue", self.passage, question)


class DialogueDrafter:
    """Asks for one dialogue a request."""

    stages = 1 + CONTINUATIONS

    def __init__(self, asked: Iterable[Wanted], prompt: Prompt) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        self._asked = list(asked)

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a dialogue; then the rest of those whose reply lacks something."""
        first = (one.request for one in self._asked)
        return first if stage == 0 else continuations(told, first, "turns", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a turn, with those before it; what comes after a turn that cannot be read is rejected with it."""
        for one in self._asked:
            turns, fault = told_list(told, one.request, "turns")
            yield from _turns(one, turns)
            if fault is not None:
                yield fault.rejection(one.request, passage=one.passage, field=one.field)


def build(wanted: Settings, ground: Ground) -> list[DialogueDrafter]:
    """One drafter for all passages, and one for the persona. Raises RecipeError where there is neither."""
    drafters = []
    if "passage" in wanted.of and ground.passages:
        prompt = ground.prompt(ABOUT_PASSAGE)
        drafters.append(DialogueDrafter(_about_passages(wanted, ground, prompt), prompt))
    subjects = wanted.subjects or (ground.persona.topics if ground.persona else ())
    if "persona" in wanted.of and ground.persona and subjects:
        prompt = ground.prompt(WITH_PERSONA)
        drafters.append(DialogueDrafter(_with_persona(wanted, ground, ground.persona, subjects, prompt), prompt))
    if not drafters:
        raise RecipeError(
            f"drafters.dialogue: of: {', '.join(wanted.of)}: the recipe has none, or a persona without topics.",
            remedy="Add documents: or persona: to the recipe, or subjects: to the drafter.",
        )
    return drafters


def _about_passages(wanted: Settings, ground: Ground, prompt: Prompt) -> Iterator[Wanted]:
    schema = _schema(wanted, "question", "answer", "quote")
    for passage in ground.passages:
        if lot("dialogue", passage.id) < wanted.share:
            request = prompt.request(
                ABOUT_PASSAGE,
                passage.id,
                schema,
                ground.manner,
                heading=" > ".join(passage.heading),
                dialogue=passage.text,
                voice=wanted.voice,
                turns=wanted.turns,
            )
            yield Wanted(request, "dialogue", passage=passage.id)


def _with_persona(
    wanted: Settings, ground: Ground, persona: Persona, subjects: Sequence[str], prompt: Prompt
) -> Iterator[Wanted]:
    schema = _schema(wanted, "question", "answer")
    for subject in dict.fromkeys(subjects):
        for side in dict.fromkeys(wanted.sides):
            request = prompt.request(
                WITH_PERSONA,
                content_id(persona.name, subject, side),
                schema,
                ground.manner,
                persona=persona.card(),
                about=subject,
                side=side,
                turns=wanted.turns,
            )
            yield Wanted(request, "persona_dialogue", persona=persona.name, field=subject)


def _schema(wanted: Settings, *fields: str) -> dict[str, Any]:
    turn = object_schema(**dict.fromkeys(fields, STRING))
    return object_schema(turns=array_of(turn, at_least=2, at_most=wanted.turns))


def _turns(one: Wanted, turns: list[tuple[Any, Request]]) -> Iterator[Draft | Rejection]:
    earlier: tuple[str, ...] = ()
    # All turns are about one fact, so that whatever holds facts together holds the dialogue together.
    fact, broken = "", ""
    for number, (item, source) in enumerate(turns, 1):
        try:
            if broken:
                raise Unreadable("earlier_turn_rejected", broken)
            question, answer, *quote = texts_of(item, *one.fields)
        except Unreadable as fault:
            broken = broken or f"Turn {number}, which it stands on, was rejected: {fault.cause}."
            yield fault.rejection(source, passage=one.passage, field=one.field)
            continue
        question, answer = tidied(question), tidied(answer)
        fact = fact or one.fact(question)
        yield Draft(
            kind=one.kind,
            question=question,
            answer=answer,
            quote="".join(quote),
            passage=one.passage,
            persona=one.persona,
            field=one.field,
            fact=fact,
            earlier=earlier,
            request=source.key,
        )
        earlier = (*earlier, question, answer)
