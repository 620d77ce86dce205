"""Reasoning: a record's question, or a file's, worked out in steps to an answer in one fixed closing form."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.draft.descent import Asked, DescendantDrafter, ParentsOrPairs, child, parents_of, texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.files import sha256
from pipeline.records import Draft, Record
from pipeline.teacher.request import Request

KIND = "worked_answers"


class Settings(ParentsOrPairs):
    """Worked answers: steps, then `The answer is X.`, which has to agree with the record's or the file's answer."""

    steps: int = Field(default=6, ge=1, le=20, description="of one worked answer, at most")
    opening: str = Field(
        default="Think step by step. {question}",
        pattern=r"^[^{}]*\{question\}$",
        description="what the question is put into, so that it tells that steps are wanted; ends with {question}",
    )


class ReasoningDrafter(DescendantDrafter):
    """Asks for the steps that lead to each parent's answer."""

    listed = "workings"

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        prompt = ground.prompt(KIND)
        self._opening = wanted.opening
        passages = {passage.id: passage for passage in ground.passages}
        pairs = wanted.pairs
        self.files = {pairs: sha256(ground.bytes_of(pairs, "drafters.reasoning.pairs"))} if pairs else {}
        working = object_schema(steps=array_of(STRING, at_least=1, at_most=wanted.steps), result=STRING)
        schema = object_schema(workings=array_of(working, at_least=1, at_most=1))

        def request(parent: Record) -> Request:
            passage = passages.get(parent.passage)
            return prompt.request(
                KIND,
                parent.id,
                schema,
                ground.manner,
                heading=" > ".join(passage.heading) if passage else "",
                passage=passage.text if passage else "",
                problem=parent.question,
                answer=parent.result or parent.answer,
                steps=wanted.steps,
            )

        super().__init__([Asked(parent, request(parent)) for parent in parents_of(wanted, ground, "reasoning")], prompt)

    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """The steps as one answer, closed by what they come to."""
        (result,) = texts_of(item, "result")
        steps = item.get("steps")
        if not isinstance(steps, list) or not steps or not all(isinstance(one, str) and one.strip() for one in steps):
            raise Unreadable("wrong_shape", "An item of the reply lacks its steps.")
        result = tidied(result).rstrip(".")
        told = " ".join(_ended(tidied(step)) for step in steps)
        answer = f"{told} The answer is {result}."
        question = self._opening.replace("{question}", parent.question)
        return child(parent, request, kind="reasoning", field="steps", question=question, answer=answer, result=result)


def build(wanted: Settings, ground: Ground) -> list[ReasoningDrafter]:
    """One drafter for all parents. Raises InputError if the file of pairs cannot be read."""
    return [ReasoningDrafter(wanted, ground)]


def _ended(step: str) -> str:
    return step if step.endswith((".", "!", "?", "。")) else f"{step}."
