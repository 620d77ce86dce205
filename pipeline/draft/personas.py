"""A persona's questions and answers: its question prompts first, then answers to groups of questions.

An answer that breaks a constraint is asked for again, once, with what was measured; what comes then counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pipeline.draft import Told
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import INTEGER, STRING, Manner, Prompt, array_of, object_schema, slot
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


_Given = dict[int, tuple[str, Request]]
Measure = Callable[[str], list[str]]
"""What an answer breaks, each with its figure: `52 words, at most 45`."""


class Compliance(NamedTuple):
    """How many of a persona's answers keep its constraints, every answer measured."""

    answers: int
    at_once: int
    asked_again: int
    """Broke one at first, and keep them now."""

    def line(self) -> str:
        """As a person reads it."""
        broken = self.answers - self.at_once - self.asked_again
        return (
            f"in voice  {self.answers:>6}   answers, {self.at_once / max(self.answers, 1):.1%} within the persona's"
            f" constraints, {self.asked_again} more when asked again, {broken} outside"
        )


_AGAIN = """

These of your answers break a constraint, as measured:

{broken}

Answer these questions again under the same numbers, within all constraints, and no other question:

{questions}"""


class PersonaDrafter:
    """Asks for lists of questions, then for answers in the persona's voice, then for those that broke a constraint."""

    stages = 3 * (1 + CONTINUATIONS)

    def __init__(
        self,
        persona: Persona,
        per_request: int,
        questions: Prompt,
        answers: Prompt,
        manner: Manner,
        measure: Measure,
    ) -> None:
        self.prompts = {questions.path.name: questions.text, answers.path.name: answers.text}
        self._persona = persona
        self._per_request = per_request
        self._measure = measure
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
        """The question lists, the answers, and again those that broke a constraint; after each the rest of cut ones."""
        part, stage = divmod(stage, 1 + CONTINUATIONS)
        first: Iterator[Request] = (
            (request for _, request in self._lists),
            (request for _, request in self._groups(told)),
            (again for group, request in self._groups(told) if (again := self._again(group, request, told))),
        )[part]
        return first if stage == 0 else continuations(told, first, "answers" if part else "questions", stage)

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

    def compliance(self, told: Told) -> Compliance:
        """How many of the answers that have come keep the constraints."""
        answers = at_once = mended = 0
        for group, request in self._groups(told):
            first = self._given(group, request, told)
            now = self._final(group, request, told)
            broken = self._broken(first)
            answers += len(first)
            at_once += len(first) - len(broken)
            mended += sum(not self._measure(now[number][0]) for number in broken)
        return Compliance(answers, at_once, mended)

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
        subject = content_id(self._persona.name, *(question.text for question in group))
        return self._answers.request(
            "persona_answers",
            subject,
            _answer_schema(len(group)),
            self._manner,
            persona=self._card,
            questions=_listing(enumerate(group, 1)),
        )

    def _again(self, group: Sequence[_Question], request: Request, told: Told) -> Request | None:
        """The request for those answers of a group that break a constraint; None if none does."""
        given = self._given(group, request, told)
        broken = self._broken(given)
        if not broken:
            return None
        measured = "\n".join(
            json.dumps({"number": number, "answer": given[number][0], "fault": "; ".join(faults)}, ensure_ascii=False)
            for number, faults in broken.items()
        )
        listing = _listing((number, group[number - 1]) for number in broken)
        return replace(
            request,
            user=request.user + _AGAIN.format(broken=slot(measured, "broken"), questions=slot(listing, "questions")),
            schema=_answer_schema(len(broken)),
            subject=f"{request.subject}:again",
        )

    def _given(self, group: Sequence[_Question], request: Request, told: Told) -> _Given:
        """The answers in the replies to a request, by number of the question, each with the request that brought it."""
        answers, _ = told_list(told, request, "answers")
        return {number: given for number, given in _numbered(answers).items() if 1 <= number <= len(group)}

    def _broken(self, given: _Given) -> dict[int, list[str]]:
        """By number, what is measured of the answers that break a constraint."""
        measured = ((number, self._measure(answer)) for number, (answer, _) in sorted(given.items()))
        return {number: faults for number, faults in measured if faults}

    def _final(self, group: Sequence[_Question], request: Request, told: Told) -> _Given:
        """The answers that count: the later one where one was asked for again and has come."""
        given = self._given(group, request, told)
        again = self._again(group, request, told)
        if again is None:
            return given
        later = self._given(group, again, told)
        return given | {number: later[number] for number in self._broken(given) if number in later}

    def _answered(self, group: Sequence[_Question], request: Request, told: Told) -> Iterator[Draft | Rejection]:
        _, fault = told_list(told, request, "answers")
        given = self._final(group, request, told)
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


def _answer_schema(count: int) -> dict[str, Any]:
    answer = object_schema(number=INTEGER, answer=STRING)
    return object_schema(answers=array_of(answer, at_least=count, at_most=count))


def _listing(questions: Iterable[tuple[int, _Question]]) -> str:
    return "\n".join(f"{number}. {question.text}" for number, question in questions)


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
