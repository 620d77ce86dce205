"""Questions about a document: one request a passage, facts with their quote and several wordings back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.draft import Told
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.draft.wordings import worded
from pipeline.records import Draft, Passage, Rejection, content_id
from pipeline.teacher.request import Request

KIND = "document_questions"


class DocumentDrafter:
    """Asks for the facts of each passage, each in several wordings."""

    stages = 1 + CONTINUATIONS

    def __init__(self, passages: Sequence[Passage], facts: int, wordings: int, prompt: Prompt, manner: Manner) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        schema = _schema(facts, wordings)
        self._asked = [
            (
                passage,
                prompt.request(
                    KIND,
                    passage.id,
                    schema,
                    manner,
                    heading=" > ".join(passage.heading),
                    passage=passage.text,
                    facts=facts,
                    wordings=wordings,
                ),
            )
            for passage in passages
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a passage; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "facts", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a wording, in the order of the replies."""
        for passage, request in self._asked:
            facts, fault = told_list(told, request, "facts")
            for number, (item, source) in enumerate(facts, 1):
                yield from _wordings(item, number, passage, source)
            if fault is not None:
                yield fault.rejection(request, passage=passage.id)


def _schema(facts: int, wordings: int) -> dict[str, Any]:
    fact = object_schema(quote=STRING, answer=STRING, questions=array_of(STRING, at_least=wordings, at_most=wordings))
    return object_schema(facts=array_of(fact, at_most=facts))


def _wordings(item: object, number: int, passage: Passage, request: Request) -> Iterator[Draft | Rejection]:
    fact = item if isinstance(item, dict) else {}
    quote, answer, questions = fact.get("quote"), fact.get("answer"), fact.get("questions")
    if not (isinstance(quote, str) and isinstance(answer, str) and isinstance(questions, list) and questions):
        shape = Unreadable("wrong_shape", f"Fact {number} of the reply lacks a quote, an answer or questions.")
        yield shape.rejection(request, passage=passage.id)
        return
    quote, answer = quote.strip(), tidied(answer)
    fact_id = content_id(passage.id, quote, answer)
    draft = Draft(
        kind="document", question="", answer=answer, quote=quote, passage=passage.id, fact=fact_id, request=""
    )
    yield from worded(draft, questions, request)
