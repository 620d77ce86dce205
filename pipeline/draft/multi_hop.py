"""Questions that need two or three passages: related ones are put to the teacher together, and it quotes each.

Then the teacher is asked, beside each passage alone, whether that one answers the question: such a question needs no
second passage, and is a rejection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import Field

from pipeline.draft import Drafter, Told
from pipeline.draft.answered import Word, answered, asked_beside
from pipeline.draft.ground import Ground
from pipeline.draft.groups import Group, Shares, groups_of
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.related import Related
from pipeline.draft.replies import NOTHING_FOUND, Unreadable, tidied
from pipeline.draft.wordings import worded
from pipeline.records import Draft, Passage, Rejection, content_id
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

KIND = "multi_hop_questions"


class Settings(Section):
    """Questions that only two or three passages together answer."""

    within: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of passages, each put beside the most related of its document",
    )
    across: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of the pairs of documents whose two most related passages are put together; the pairs grow"
        " with the square of the documents",
    )
    three: float = Field(default=0.2, ge=0, le=1, description="share of these pairs that a third passage joins")
    related: float = Field(
        default=0.03, ge=0, le=1, description="likeness (cosine of rare words) from which passages are related"
    )
    facts: int = Field(
        default=2, ge=1, le=20, description="asked for of each group, each with a quote from every passage"
    )
    wordings: int = Field(default=3, ge=1, le=20, description="questions asked for each fact, all with its one answer")
    ask_each: bool = Field(
        default=True,
        description="the teacher is asked whether one passage alone is enough; false: only words are compared",
    )


def build(settings: Settings, ground: Ground) -> list[Drafter]:
    """One drafter for all groups."""
    return [MultiHopDrafter(settings, ground)]


class _Asked(NamedTuple):
    group: Group
    request: Request


class _Fact(NamedTuple):
    quotes: Sequence[str]
    answer: str
    questions: Sequence[object]
    source: Request
    """Which brought it."""

    @property
    def question(self) -> str:
        """The one by which it is asked whether one passage is enough."""
        return next((tidied(one) for one in self.questions if isinstance(one, str) and one.strip()), "")


class MultiHopDrafter:
    """Asks for questions about each group of related passages, then whether one passage of it is enough."""

    stages = 2 * (1 + CONTINUATIONS)

    def __init__(self, settings: Settings, ground: Ground) -> None:
        self._settings, self._manner = settings, ground.manner
        self._prompt, self._beside = ground.prompt(KIND), ground.prompt("answered_questions")
        self.prompts = {prompt.path.name: prompt.text for prompt in (self._prompt, self._beside)}
        related = Related(ground.passages, ground.salt, ground.unseen)
        shares = Shares(ground.salt, settings.within, settings.across, settings.three, settings.related)
        self._asked = [_Asked(group, self._request(group)) for group in groups_of(ground.passages, related, shares)]

    def _request(self, group: Group) -> Request:
        settings = self._settings
        return self._prompt.request(
            KIND,
            content_id(*(passage.id for passage in group)),
            _schema(len(group), settings.facts, settings.wordings),
            self._manner,
            passages=[{"heading": " > ".join(passage.heading), "text": passage.text} for passage in group],
            facts=settings.facts,
            wordings=settings.wordings,
        )

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a group, the rest of those whose reply lacks something; then one a passage of it, and their rest."""
        groups = (asked.request for asked in self._asked)
        if stage == 0:
            return groups
        if stage <= CONTINUATIONS:
            return continuations(told, groups, "facts", stage, least=0)
        if not self._settings.ask_each:
            return iter(())
        alone = (request for asked in self._asked for request in self._alone(asked, told))
        stage -= CONTINUATIONS + 1
        return alone if stage == 0 else continuations(told, alone, "questions", stage)

    def still_to_come(self, told: Told) -> int:
        """A request for each passage of the groups that have not been answered."""
        waiting = (asked for asked in self._asked if told(asked.request.key) is None)
        return sum(len(asked.group) for asked in waiting) if self._settings.ask_each else 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a wording, once it is known of each passage that it is not enough."""
        for asked in self._asked:
            facts, rejections = _read(asked, told)
            enough = self._enough(asked, facts, told) if self._settings.ask_each else [None] * len(facts)
            if enough is None:
                continue
            yield from rejections
            for fact, fault in zip(facts, enough, strict=True):
                if fault is None:
                    yield from worded(_draft(fact, asked.group), fact.questions, fact.source)
                else:
                    known = {"question": fact.question, "answer": fact.answer, "quote": fact.quotes[0]}
                    yield fault.rejection(fact.source, passage=asked.group[0].id, **known)

    def _alone(self, asked: _Asked, told: Told) -> list[Request]:
        """One a passage of the group: which of its facts does this one alone tell?"""
        questions = [fact.question for fact in _read(asked, told)[0]]
        return [
            asked_beside(
                self._beside, self._manner, content_id("alone", passage.id, *questions), [passage.text], questions
            )
            for passage in asked.group
            if questions
        ]

    def _enough(self, asked: _Asked, facts: Sequence[_Fact], told: Told) -> list[Unreadable | None] | None:
        """Of each fact why it does not need the whole group, or is not known to; None while a reply is to come."""
        found: list[Unreadable | None] = [None] * len(facts)
        for passage, request in zip(asked.group, self._alone(asked, told), strict=False):
            words = answered(told, request, len(facts))
            if words is None:
                return None
            faults = [word if isinstance(word, Unreadable) else _told_by(passage, word) for word in words]
            found = [before or fault for before, fault in zip(found, faults, strict=True)]
        return found


def _told_by(passage: Passage, word: Word) -> Unreadable | None:
    if not word.answered:
        return None
    where = f"{passage.document}, {passage.where}"
    return Unreadable("one_passage_answers", f"The teacher finds it answered by {where} alone: {word.words!r}.")


def _schema(passages: int, facts: int, wordings: int) -> dict[str, Any]:
    fact = object_schema(
        quotes=array_of(STRING, at_least=passages, at_most=passages),
        answer=STRING,
        questions=array_of(STRING, at_least=wordings, at_most=wordings),
    )
    return object_schema(facts=array_of(fact, at_most=facts))


def _read(asked: _Asked, told: Told) -> tuple[list[_Fact], list[Rejection]]:
    """The facts of a reply, and why anything else in it is none."""
    items, fault = told_list(told, asked.request, "facts", least=0)
    facts: list[_Fact] = []
    rejections: list[Rejection] = []
    known = {"passage": asked.group[0].id}
    for number, (item, source) in enumerate(items, 1):
        fact = _fact(item, len(asked.group), source)
        if fact is None:
            detail = f"Fact {number} of the reply lacks a quote of each of the passages, an answer or questions."
            rejections.append(Unreadable("wrong_shape", detail).rejection(source, **known))
        else:
            facts.append(fact)
    if fault is None and not items and told(asked.request.key) is not None:
        fault = NOTHING_FOUND
    if fault is not None:
        rejections.append(fault.rejection(asked.request, **known))
    return facts, rejections


def _fact(item: object, passages: int, source: Request) -> _Fact | None:
    said = item if isinstance(item, dict) else {}
    quotes, answer, questions = said.get("quotes"), said.get("answer"), said.get("questions")
    texts = [quote.strip() for quote in quotes if isinstance(quote, str)] if isinstance(quotes, list) else []
    if not (len(texts) == passages and all(texts) and isinstance(answer, str) and isinstance(questions, list)):
        return None
    fact = _Fact(texts, tidied(answer), questions, source)
    return fact if fact.question else None


def _draft(fact: _Fact, group: Group) -> Draft:
    first, *further = group
    return Draft(
        kind="multi_hop",
        question="",
        answer=fact.answer,
        quote=fact.quotes[0],
        passage=first.id,
        fact=content_id(*(passage.id for passage in group), *fact.quotes, fact.answer),
        further_passages=tuple(passage.id for passage in further),
        further_quotes=tuple(fact.quotes[1:]),
        request=fact.source.key,
    )
