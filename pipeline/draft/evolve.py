"""Evolution: a record's question made harder, more concrete or constrained, with an answer of its own from the passage.

The ways follow Evol-Instruct (Xu et al., WizardLM, 2023), less the one that only makes a prompt longer.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from pipeline.draft.descent import Asked, DescendantDrafter, Parents, child, parents_of, texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import STRING, array_of, choice_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.records import Draft, Record, content_id
from pipeline.teacher.request import Request

KIND = "evolved_questions"
WAYS = {
    "harder": "needs more thought: it joins two things that are said, or asks for what follows from them or lies behind"
    " them",
    "concrete": "puts the matter to a case: a person, a thing or a situation that somebody might meet, in place of the"
    " general word",
    "constrained": "asks under a constraint on the answer that can be measured: a number of words or sentences, or a"
    " word that it must or must not hold",
}


class Settings(Parents):
    """Harder, more concrete or constrained questions, each made from a record."""

    ways: dict[str, str] = Field(
        default=WAYS, min_length=1, description="in which a question may evolve, each by its name with what it means"
    )
    children: int = Field(default=1, ge=1, le=6, description="of each record, each in another way, by a stable hash")

    @field_validator("ways")
    @classmethod
    def _have_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name, said in value.items():
            if not name.replace("_", "").isalnum() or not said.strip() or "\n" in said:
                raise ValueError(f"{name!r}: expected a name of letters and digits, and what it means on one line")
        return value


class EvolveDrafter(DescendantDrafter):
    """Asks for the children of each parent in one request."""

    listed = "questions"

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        prompt = ground.prompt(KIND)
        passages = {passage.id: passage for passage in ground.passages}
        parents = parents_of(wanted, ground, "evolve")
        self._ways = {record.id: _chosen(wanted, record) for record in parents}

        def request(parent: Record) -> Request:
            ways, passage = self._ways[parent.id], passages.get(parent.passage)
            return prompt.request(
                KIND,
                parent.id,
                _schema(ways),
                ground.manner,
                passage=passage.text if passage else "",
                heading=" > ".join(passage.heading) if passage else "",
                question=parent.question,
                answer=parent.answer,
                quote=parent.quote,
                ways="\n".join(f"{way}: {wanted.ways[way]}" for way in ways),
            )

        super().__init__([Asked(parent, request(parent)) for parent in parents], prompt)

    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """A child: its own question and answer, resting on words of the parent's passage."""
        way, question, answer = texts_of(item, "way", "question", "answer")
        if way not in self._ways[parent.id]:
            raise Unreadable("wrong_shape", f"The reply holds the way {way!r}, which nobody asked for.")
        quote = item.get("quote")
        own = quote.strip() if isinstance(quote, str) and parent.passage else ""
        return child(
            parent,
            request,
            kind="evolve",
            field=way,
            question=tidied(question),
            answer=tidied(answer),
            quote=own or parent.quote,
        )


def build(wanted: Settings, ground: Ground) -> list[EvolveDrafter]:
    """One drafter for all parents."""
    return [EvolveDrafter(wanted, ground)]


def _chosen(wanted: Settings, parent: Record) -> list[str]:
    return sorted(wanted.ways, key=lambda way: content_id("evolve", way, parent.id))[: wanted.children]


def _schema(ways: list[str]) -> dict[str, Any]:
    evolved = object_schema(way=choice_of(*ways), question=STRING, answer=STRING, quote=STRING)
    return object_schema(questions=array_of(evolved, at_least=len(ways), at_most=len(ways)))
