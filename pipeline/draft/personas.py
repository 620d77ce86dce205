"""A persona's questions and answers: its question prompts first, then answers to groups of questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.draft import Told
from pipeline.draft.prompts import INTEGER, STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, answer_object, string_list, tidied
from pipeline.records import Draft, Rejection, content_id, normalised
from pipeline.sources.personas import Persona
from pipeline.teacher.request import Reply, Request


@dataclass(frozen=True)
class _Question:
    """A question of the list, and which question prompt and request brought it."""

    text: str
    prompt: str
    request: str


class PersonaDrafter:
    """Asks for lists of questions, then for answers in the persona's voice."""

    stages = 2

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
        """The question lists first, then the answers to every list that has come."""
        asked = self._lists if stage == 0 else self._groups(told)
        return (request for _, request in asked)

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
            reply = told(request.key)
            if reply is not None:
                yield from self._answered(group, request, reply)

    def _listed(self, told: Told) -> Iterator[_Question | Rejection]:
        """The questions of the lists that have come; one met before is a rejection: its answer would be paid twice."""
        met: set[str] = set()
        for name, request in self._lists:
            reply = told(request.key)
            if reply is None:
                continue
            try:
                questions = string_list(answer_object(reply).get("questions"))
                if not questions:
                    raise Unreadable("wrong_shape", "The reply's `questions` holds no question.")
            except Unreadable as fault:
                yield fault.rejection(request, field=name)
                continue
            for text in questions:
                if normalised(text) in met:
                    twice = Unreadable("exact_duplicate", "The teacher listed this question twice.")
                    yield twice.rejection(request, field=name, question=text)
                    continue
                met.add(normalised(text))
                yield _Question(text, name, request.key)

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

    def _answered(self, group: Sequence[_Question], request: Request, reply: Reply) -> Iterator[Draft | Rejection]:
        try:
            given = _numbered(answer_object(reply).get("answers"))
        except Unreadable as fault:
            for question in group:
                yield fault.rejection(request, field=question.prompt, question=question.text)
            return
        for number, question in enumerate(group, 1):
            answer = given.get(number, "")
            if not answer:
                silent = Unreadable("unanswered", f"The reply holds no answer number {number}.")
                yield silent.rejection(request, field=question.prompt, question=question.text)
                continue
            yield Draft(
                kind="persona",
                question=question.text,
                answer=answer,
                persona=self._persona.name,
                field=question.prompt,
                fact=content_id(self._persona.name, normalised(question.text)),
                request=request.key,
            )


def _numbered(answers: Any) -> dict[int, str]:
    """Answers by number; a number given twice counts once, the first time."""
    found: dict[int, str] = {}
    for item in answers if isinstance(answers, list) else []:
        if isinstance(item, dict) and isinstance(item.get("number"), int) and isinstance(item.get("answer"), str):
            found.setdefault(item["number"], tidied(item["answer"]))
    return found
