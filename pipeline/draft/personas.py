"""A persona's questions and answers: its question prompts first, then answers to groups of questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.draft import Told
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import INTEGER, STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import NO_TEXT, Unreadable, tidied
from pipeline.records import Draft, Rejection, content_id, normalised
from pipeline.sources.personas import Persona
from pipeline.teacher.request import Request


@dataclass(frozen=True)
class _Question:
    """A question of the list, and which question prompt and request brought it."""

    text: str
    prompt: str
    request: str


class PersonaDrafter:
    """Asks for lists of questions, then for answers in the persona's voice."""

    stages = 2 * (1 + CONTINUATIONS)

    def __init__(self, persona: Persona, per_request: int, questions: Prompt, answers: Prompt, manner: Manner) -> None:
        self.prompts = {questions.path.name: questions.text, answers.path.name: answers.text}
        self._persona = persona
        self._per_request = per_request
        self._answers = answers
        self._manner = manner
        self._card = persona.card()
        self._lists = [
            (
                wanted.id,
                questions.request(
                    "persona_questions",
                    f"{persona.name}:{wanted.id}",
                    object_schema(questions=array_of(STRING, at_most=wanted.count)),
                    manner,
                    persona=self._card,
                    instruction=wanted.prompt,
                    count=wanted.count,
                ),
            )
            for wanted in persona.questions
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """The question lists, the rest of those that were cut, the answers to them, and the rest of these."""
        lists = (request for _, request in self._lists)
        if stage == 0:
            return lists
        if stage <= CONTINUATIONS:
            return continuations(told, lists, "questions", stage)
        groups, stage = (request for _, request in self._groups(told)), stage - CONTINUATIONS - 1
        return groups if stage == 0 else continuations(told, groups, "answers", stage)

    def still_to_come(self, told: Told) -> int:
        """Answers to the lists that have not come yet, if they come as long as asked for."""
        missing = (
            w.count for w, (_, r) in zip(self._persona.questions, self._lists, strict=True) if told(r.key) is None
        )
        return sum(-(-count // self._per_request) for count in missing)

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """Every question once: with its answer, or rejected with the cause."""
        for item in self._listed(told):
            if isinstance(item, Rejection):
                yield item
        for group, request in self._groups(told):
            if told(request.key) is not None:
                yield from self._answered(group, request, told)

    def _listed(self, told: Told) -> Iterator[_Question | Rejection]:
        """The questions of the lists that have come; one met before is a rejection: its answer would be paid twice."""
        met: set[str] = set()
        for name, request in self._lists:
            questions, fault = told_list(told, request, "questions")
            for item, source in questions:
                text = tidied(item) if isinstance(item, str) else ""
                if text and normalised(text) in met:
                    twice = Unreadable("exact_duplicate", "The teacher listed this question twice.")
                    yield twice.rejection(source, field=name, question=text)
                elif text:
                    met.add(normalised(text))
                    yield _Question(text, name, request.key)
                else:
                    yield NO_TEXT.rejection(source, field=name)
            if fault is not None:
                yield fault.rejection(request, field=name)

    def _groups(self, told: Told) -> Iterator[tuple[Sequence[_Question], Request]]:
        """Questions of one list in groups of the recipe's size, each with the request for its answers."""
        by_list: dict[str, list[_Question]] = {}
        for item in self._listed(told):
            if isinstance(item, _Question):
                by_list.setdefault(item.request, []).append(item)
        for questions in by_list.values():
            for start in range(0, len(questions), self._per_request):
                group = questions[start : start + self._per_request]
                yield group, self._answer_request(group)

    def _answer_request(self, group: Sequence[_Question]) -> Request:
        numbered = "\n".join(f"{number}. {question.text}" for number, question in enumerate(group, 1))
        answer = object_schema(number=INTEGER, answer=STRING)
        schema = object_schema(answers=array_of(answer, at_least=len(group), at_most=len(group)))
        subject = content_id(self._persona.name, *(question.text for question in group))
        return self._answers.request(
            "persona_answers", subject, schema, self._manner, persona=self._card, questions=numbered
        )

    def _answered(self, group: Sequence[_Question], request: Request, told: Told) -> Iterator[Draft | Rejection]:
        answers, fault = told_list(told, request, "answers")
        given = _numbered(answers)
        for number, question in enumerate(group, 1):
            if number not in given:
                silent = fault or Unreadable("unanswered", f"The reply holds no answer number {number}.")
                yield silent.rejection(request, field=question.prompt, question=question.text)
                continue
            answer, source = given[number]
            yield Draft(
                kind="persona",
                question=question.text,
                answer=answer,
                persona=self._persona.name,
                field=question.prompt,
                fact=content_id(self._persona.name, normalised(question.text)),
                request=source.key,
            )


def _numbered(answers: Sequence[tuple[Any, Request]]) -> dict[int, tuple[str, Request]]:
    """Answers by number; a number given twice counts once, the first time."""
    found: dict[int, tuple[str, Request]] = {}
    for item, request in answers:
        if not isinstance(item, dict):
            continue
        number, answer = item.get("number"), item.get("answer")
        if isinstance(number, int) and isinstance(answer, str) and answer.strip():
            found.setdefault(number, (tidied(answer), request))
    return found
