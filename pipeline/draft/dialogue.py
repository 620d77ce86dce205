"""Dialogue: several turns about a passage, each answer grounded; every answer is a record with the turns before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from pipeline.draft import Told
from pipeline.draft.descent import texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.records import Draft, Passage, Rejection, content_id, lot
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

KIND = "dialogue_turns"


class Settings(Section):
    """Dialogues about passages, turn by turn."""

    share: float = Field(default=1, gt=0, le=1, description="of the passages; which of them is a stable hash")
    turns: int = Field(default=3, ge=2, le=12, description="questions and answers of one dialogue")
    voice: str = Field(default="", description="how the answers sound, in prose; empty: plainly")


class DialogueDrafter:
    """Asks for one dialogue a passage."""

    stages = 1 + CONTINUATIONS

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        prompt = ground.prompt(KIND)
        self.prompts = {prompt.path.name: prompt.text}
        turn = object_schema(question=STRING, answer=STRING, quote=STRING)
        schema = object_schema(turns=array_of(turn, at_least=2, at_most=wanted.turns))
        self._asked = [
            (
                passage,
                prompt.request(
                    KIND,
                    passage.id,
                    schema,
                    ground.manner,
                    heading=" > ".join(passage.heading),
                    dialogue=passage.text,
                    voice=wanted.voice,
                    turns=wanted.turns,
                ),
            )
            for passage in ground.passages
            if lot("dialogue", passage.id) < wanted.share
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a passage; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "turns", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a turn, with those before it; what comes after a turn that cannot be read is rejected with it."""
        for passage, request in self._asked:
            turns, fault = told_list(told, request, "turns")
            yield from _turns(passage, turns)
            if fault is not None:
                yield fault.rejection(request, passage=passage.id)


def build(wanted: Settings, ground: Ground) -> list[DialogueDrafter]:
    """One drafter for all passages."""
    return [DialogueDrafter(wanted, ground)]


def _turns(passage: Passage, turns: list[tuple[Any, Request]]) -> Iterator[Draft | Rejection]:
    earlier: tuple[str, ...] = ()
    # All turns are about one fact, so that whatever holds facts together holds the dialogue together.
    fact, broken = "", ""
    for number, (item, source) in enumerate(turns, 1):
        try:
            if broken:
                raise Unreadable("earlier_turn_rejected", broken)
            question, answer, quote = texts_of(item, "question", "answer", "quote")
        except Unreadable as fault:
            broken = broken or f"Turn {number}, which it stands on, was rejected: {fault.cause}."
            yield fault.rejection(source, passage=passage.id)
            continue
        question, answer = tidied(question), tidied(answer)
        fact = fact or content_id("dialogue", passage.id, question)
        yield Draft(
            kind="dialogue",
            question=question,
            answer=answer,
            quote=quote,
            passage=passage.id,
            fact=fact,
            earlier=earlier,
            request=source.key,
        )
        earlier = (*earlier, question, answer)
