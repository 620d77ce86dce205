"""Questions to be refused: one request a field, all answered with the recipe's sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.draft import Told
from pipeline.draft.prompts import STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, answer_object, string_list
from pipeline.records import Draft, Rejection, content_id, normalised
from pipeline.teacher.request import Reply, Request


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

    stages = 1

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
        """One a field, whatever was replied."""
        return (request for _, request in self._asked)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a question, answered with the refusal."""
        for field, request in self._asked:
            reply = told(request.key)
            if reply is not None:
                yield from self._read(field, request, reply)

    def _read(self, field: str, request: Request, reply: Reply) -> Iterator[Draft | Rejection]:
        try:
            questions = string_list(answer_object(reply).get("questions"))
            if not questions:
                raise Unreadable("wrong_shape", "The reply's `questions` holds no question.")
        except Unreadable as fault:
            yield fault.rejection(request, field=field)
            return
        for question in questions:
            yield Draft(
                kind=self._bank.kind,
                question=question,
                answer=self._bank.sentence,
                field=field,
                fact=content_id(self._bank.kind, field, normalised(question)),
                request=request.key,
            )
