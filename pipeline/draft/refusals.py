"""Questions to be refused: one request a field, then the question whether a document answers them after all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.corpus import Corpus, Near
from pipeline.draft import Told
from pipeline.draft.answered import Word, answered, asked_beside
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import NO_TEXT, Unreadable, tidied
from pipeline.draft.terms import named_term
from pipeline.records import Draft, Passage, Rejection, content_id, normalised, refusal_to
from pipeline.teacher.request import Request

RefusalKind = Literal["off_topic", "near_topic", "false_premise"]


@dataclass(frozen=True)
class Bank:
    """What is to be refused: fields of knowledge far from the topic, near-topic aspects of it, or false premises."""

    kind: RefusalKind
    fields: Sequence[str]
    per_field: int
    topic: str
    sentences: Sequence[str]
    """Refusals; which one a question gets is a stable hash."""
    terms: Sequence[str] = ()
    """Terms of the corpus, so that near-topic questions sound like it."""
    document: str = ""
    """The document whose terms these are."""
    passages: Sequence[Passage] = ()
    """Of that document: a false premise contradicts one of them."""


@dataclass(frozen=True)
class Beside:
    """How the teacher is asked whether the documents answer a question: the question beside its nearest passages."""

    prompt: Prompt
    documents: Mapping[str, Corpus]
    """By name. Each is asked about by itself, so that tomorrow's document changes no request of today."""
    from_share: float
    """Least share of a question's words in a passage (see Corpus) at which it is asked."""
    together: int
    passages_each: int


class _Listed(NamedTuple):
    """A question as a reply listed it: two of the same text are two."""

    text: str
    field: str
    request: str
    """Key of the request that brought it."""
    place: int


class _Group(NamedTuple):
    document: str
    questions: Sequence[_Listed]
    request: Request


class RefusalDrafter:
    """Asks for questions of each field, then whether the documents answer those that come near a passage."""

    stages = 2 * (1 + CONTINUATIONS)

    def __init__(self, bank: Bank, prompt: Prompt, manner: Manner, beside: Beside) -> None:
        self.prompts = {one.path.name: one.text for one in (prompt, beside.prompt)}
        self._bank = bank
        self._beside = beside
        self._manner = manner
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
                    passage=bank.passages[number % len(bank.passages)].text if bank.passages else "",
                    count=bank.per_field,
                ),
            )
            for number, field in enumerate(bank.fields)
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a field, the rest of those whose reply lacks something; then one a group of questions, and their rest."""
        lists = (request for _, request in self._asked)
        if stage == 0:
            return lists
        if stage <= CONTINUATIONS:
            return continuations(told, lists, "questions", stage)
        groups, stage = (group.request for group in self._groups(told)), stage - CONTINUATIONS - 1
        return groups if stage == 0 else continuations(told, groups, "questions", stage)

    def still_to_come(self, told: Told) -> int:
        """Groups of near-topic questions whose lists have not come yet; few of other fields come near a passage."""
        if self._bank.kind == "off_topic":
            return 0
        missing = sum(told(request.key) is None for _, request in self._asked)
        return missing * -(-self._bank.per_field // self._beside.together)

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a question, answered with the refusal; one that a document answers is a rejection.

        A question waits until every request about it has its reply.
        """
        answers: dict[_Listed, list[Unreadable | None]] = {}
        for group in self._groups(told):
            for question, fault in zip(group.questions, _faults(group, told), strict=True):
                answers.setdefault(question, []).append(fault)
        for item in self._listed(told):
            if isinstance(item, Rejection):
                yield item
                continue
            faults = [fault for fault in answers.get(item, []) if fault is not None]
            if any(fault is _WAITING for fault in faults):
                continue
            yield self._rejection(item, faults[0]) if faults else self._draft(item)

    def _listed(self, told: Told) -> Iterator[_Listed | Rejection]:
        for field, request in self._asked:
            questions, fault = told_list(told, request, "questions")
            for place, (question, source) in enumerate(questions):
                if isinstance(question, str) and question.strip():
                    yield _Listed(tidied(question), field, source.key, place)
                else:
                    yield NO_TEXT.rejection(source, field=field)
            if fault is not None:
                yield fault.rejection(request, field=field)

    def _groups(self, told: Told) -> Iterator[_Group]:
        """Questions of one reply that come near the same document, in groups of the recipe's size."""
        by_reply: dict[tuple[str, str], list[_Listed]] = {}
        for item in self._listed(told):
            if isinstance(item, _Listed):
                by_reply.setdefault((item.field, item.request), []).append(item)
        for questions in by_reply.values():
            for document, corpus in self._beside.documents.items():
                near = [(one, corpus.nearest(one.text, self._beside.passages_each)) for one in questions]
                asked = [(one, passages) for one, passages in near if passages and self._comes_near(passages[0])]
                for start in range(0, len(asked), self._beside.together):
                    group = asked[start : start + self._beside.together]
                    yield _Group(document, [one for one, _ in group], self._request(document, group))

    def _comes_near(self, near: Near) -> bool:
        return near.share >= self._beside.from_share

    def _request(self, document: str, group: Sequence[tuple[_Listed, Sequence[Near]]]) -> Request:
        passages = {near.passage.id: near.passage.text for _, nearest in group for near in nearest}
        questions = [question.text for question, _ in group]
        subject = content_id(document, *questions)
        return asked_beside(self._beside.prompt, self._manner, subject, passages.values(), questions)

    def _draft(self, question: _Listed) -> Draft:
        return Draft(
            kind=self._bank.kind,
            question=question.text,
            answer=refusal_to(question.text, self._bank.sentences),
            field=question.field,
            term=named_term(question.text, self._bank.terms),
            fact=content_id(self._bank.kind, question.field, normalised(question.text)),
            request=question.request,
        )

    def _rejection(self, question: _Listed, fault: Unreadable) -> Rejection:
        draft = self._draft(question)
        return Rejection(
            cause=fault.cause,
            detail=str(fault),
            kind=draft.kind,
            question=draft.question,
            answer=draft.answer,
            field=draft.field,
            request=draft.request,
        )


_WAITING = Unreadable("unanswered", "No reply yet says whether a document answers it.")


def _faults(group: _Group, told: Told) -> list[Unreadable | None]:
    """For each question of a group why it is no question to be refused; None if the document does not answer it."""
    words = answered(told, group.request, len(group.questions))
    if words is None:
        return [_WAITING] * len(group.questions)
    return [word if isinstance(word, Unreadable) else _fault(word, group.document) for word in words]


def _fault(word: Word, document: str) -> Unreadable | None:
    if not word.answered:
        return None
    return Unreadable("answered_by_corpus", f"The teacher finds it answered in {document}: {word.words!r}.")
