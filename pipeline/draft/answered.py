"""Whether passages answer questions: asked of the teacher, many questions beside the same passages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.draft import Told
from pipeline.draft.lists import told_list
from pipeline.draft.prompts import BOOLEAN, INTEGER, STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.teacher.request import Request

ANSWERED = "answered_questions"


class Word(NamedTuple):
    """What the teacher says of one question."""

    answered: bool
    words: str
    """Of the passages, which answer it."""


def asked_beside(
    prompt: Prompt, manner: Manner, subject: str, passages: Iterable[str], questions: Sequence[str]
) -> Request:
    """Which of the questions do the passages answer?"""
    item = object_schema(number=INTEGER, answered=BOOLEAN, words=STRING)
    return prompt.request(
        ANSWERED,
        subject,
        object_schema(questions=array_of(item, at_least=len(questions), at_most=len(questions))),
        manner,
        passages="\n\n".join(passages),
        questions="\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1)),
    )


def answered(told: Told, request: Request, questions: int) -> list[Word | Unreadable] | None:
    """A word on each question, or why there is none; None while no reply has come."""
    if told(request.key) is None:
        return None
    items, fault = told_list(told, request, "questions")
    said: dict[int, Word] = {}
    for item, _ in items:
        number, yes, words = (
            (item.get("number"), item.get("answered"), item.get("words")) if isinstance(item, dict) else (0, 0, "")
        )
        if isinstance(number, int) and isinstance(yes, bool):
            said.setdefault(number, Word(yes, tidied(words) if isinstance(words, str) else ""))
    silent = fault or Unreadable("unanswered", "The reply does not say whether it is answered.")
    return [said.get(number, silent) for number in range(1, questions + 1)]
