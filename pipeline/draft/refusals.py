"""Questions to be refused: one request a field, all answered with the recipe's sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.draft import Told
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import NO_TEXT, tidied
from pipeline.records import Draft, Rejection, content_id, normalised
from pipeline.teacher.request import Request


@dataclass(frozen=True)
class Bank:
    """What is to be refused: fields of knowledge far from the topic, or near-topic aspects of it."""

    kind: Literal["off_topic", "near_topic"]
    fields: Sequence[str]
    per_field: int
    topic: str
    sentence: str
    terms: Sequence[str] = ()
    """Terms of the corpus, so that near-topic questions sound like it."""
    document: str = ""
    """The document whose terms these are."""


class RefusalDrafter:
    """Asks for questions of each field."""

    stages = 1 + CONTINUATIONS

    def __init__(self, bank: Bank, prompt: Prompt, manner: Manner) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        self._bank = bank
        schema = object_schema(questions=array_of(STRING, at_most=bank.per_field))
        self._asked = [
            (
                field,
                prompt.request(
                    f"{bank.kind}_questions",
                    f"{bank.document}:{field}" if bank.document else field,
                    schema,
                    manner,
                    topic=bank.topic,
                    field=field,
                    terms="\n".join(bank.terms),
                    count=bank.per_field,
                ),
            )
            for field in bank.fields
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a field; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "questions", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a question, answered with the refusal."""
        for field, request in self._asked:
            questions, fault = told_list(told, request, "questions")
            for question, source in questions:
                if isinstance(question, str) and question.strip():
                    yield self._draft(tidied(question), field, source)
                else:
                    yield NO_TEXT.rejection(source, field=field)
            if fault is not None:
                yield fault.rejection(request, field=field)

    def _draft(self, question: str, field: str, request: Request) -> Draft:
        return Draft(
            kind=self._bank.kind,
            question=question,
            answer=self._bank.sentence,
            field=field,
            fact=content_id(self._bank.kind, field, normalised(question)),
            request=request.key,
        )
