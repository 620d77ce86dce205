"""Questions to targets: of every passage so many of each nature and difficulty, asked for until they passed the checks.

Attempt by attempt a passage is asked for what it still lacks. Whatever cannot be had is told at the end of the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field

from pipeline.draft import Drafter, Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, choice_of, object_schema
from pipeline.draft.replies import NOTHING_FOUND, Unreadable, tidied
from pipeline.draft.targets import DIFFICULTIES, NATURES, Accepted, Aim, Difficulty, Nature, Targets
from pipeline.draft.wordings import worded
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

KIND = "passage_questions"
_NAMED = 5
"""Passages that a line about what is lacking names."""

Count = Annotated[int, Field(ge=1, le=200)]
Counts = Annotated[
    dict[Difficulty, Count], BeforeValidator(lambda said: {"any": said} if isinstance(said, int) else said)
]


class Settings(Section):
    """Questions of five natures, so many of each from every passage."""

    per_passage: dict[Nature, Counts] = Field(
        default={"factual": {"any": 8}, "how": {"any": 4}, "why": {"any": 4}, "scenario": {"any": 4}},
        min_length=1,
        description="accepted questions wanted of each nature (factual, how, why, comparison, scenario): a number, or"
        " one for each difficulty, as in `why: {easy: 4, hard: 2}`",
    )
    wordings: int = Field(default=4, ge=1, le=20, description="questions asked for each fact, all with its one answer")
    attempts: int = Field(
        default=3, ge=1, le=10, description="how often a passage is asked, each time for what it still lacks"
    )

    @property
    def rounds(self) -> int:
        """An attempt is a round: it looks at what has passed the checks."""
        return self.attempts


def build(settings: Settings, ground: Ground) -> list[Drafter]:
    """The drafter of one attempt."""
    return [QuestionDrafter(settings, ground)]


class _Asked(NamedTuple):
    passage: Passage
    request: Request
    lacking: Mapping[Aim, int]


class QuestionDrafter:
    """Asks every passage for what it lacks, in one of several attempts."""

    stages = 1 + CONTINUATIONS

    def __init__(self, settings: Settings, ground: Ground) -> None:
        self._settings = settings
        self._ground = ground
        self._prompt = ground.prompt(KIND)
        self.prompts = {self._prompt.path.name: self._prompt.text}
        self._earlier = [drafter for drafter in ground.earlier if isinstance(drafter, QuestionDrafter)]
        self._asked = {asked.passage.id: asked for asked in self._attempt()}

    @property
    def _targets(self) -> Targets:
        return self._settings.per_passage

    def _attempt(self) -> Iterator[_Asked]:
        accepted = Accepted(self._ground.records)
        known: defaultdict[str, list[Record]] = defaultdict(list)
        if self._ground.round > 1:  # the first attempt hangs on nothing but the passage
            for record in self._ground.records:
                if record.kind == "document":
                    known[record.passage].append(record)
        for passage in self._ground.passages:
            lacking = accepted.lacking(passage.id, self._targets)
            if lacking or self._ground.paid(KIND, self._subject(passage)):
                yield _Asked(passage, self._request(passage, lacking, known[passage.id]), lacking)

    def _subject(self, passage: Passage) -> str:
        return f"{passage.id}:{self._ground.round}"

    def _request(self, passage: Passage, lacking: Mapping[Aim, int], known: Sequence[Record]) -> Request:
        wordings = min(self._settings.wordings, max(lacking.values(), default=1))
        facts = {aim: -(-number // wordings) for aim, number in lacking.items()}
        request = self._prompt.request(
            KIND,
            self._subject(passage),
            _schema(max(1, sum(facts.values())), wordings),
            self._ground.manner,
            heading=" > ".join(passage.heading),
            passage=passage.text,
            wanted="\n".join(f"{number} x {aim.nature}, {aim.difficulty}" for aim, number in facts.items()),
            asked="\n".join(record.question for record in known),
            wordings=wordings,
        )
        if self._ground.round == 1:
            return request
        # Its own draws, for an attempt that brought nothing would be asked for again word by word.
        return replace(request, sample=(self._ground.round - 1) * (CONTINUATIONS + 1), standing=True)

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One for each passage that lacks something; then the rest of those whose reply lacks something.

        A passage waits until its earlier attempt is answered, and is let alone once a reply says that there is no more.
        """
        first = (asked.request for asked in self._asked.values() if self._is_due(asked, told))
        return first if stage == 0 else continuations(told, first, "facts", stage, least=0)

    def _is_due(self, asked: _Asked, told: Told) -> bool:
        if told(asked.request.key) is not None:
            return True
        before = [drafter._asked[asked.passage.id] for drafter in self._earlier if asked.passage.id in drafter._asked]
        return all(told(one.request.key) is not None and not _says_no_more(one.request, told) for one in before)

    def still_to_come(self, told: Told) -> int:
        """What a further attempt asks for hangs on what the checks let pass, which nobody knows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a wording, in the order of the replies."""
        for passage, request, _ in self._asked.values():
            facts, fault = told_list(told, request, "facts", least=0)
            for number, (item, source) in enumerate(facts, 1):
                yield from _drafts(item, number, passage, source)
            if fault is not None:
                yield fault.rejection(request, passage=passage.id)
            elif not facts and told(request.key) is not None:
                yield NOTHING_FOUND.rejection(request, passage=passage.id)

    def shortfall(self, records: Iterable[Record], told: Told) -> Iterator[str]:
        """What is lacking in the end, said by the drafter of the last attempt: how much of what, where, and why."""
        if self._ground.round < self._settings.attempts:
            return
        accepted = Accepted(records)
        wanted = sum(number for counts in self._targets.values() for number in counts.values())
        wanted *= len(self._ground.passages)
        by_aim: defaultdict[Aim, list[tuple[Passage, int]]] = defaultdict(list)
        for passage in self._ground.passages:
            for aim, number in accepted.lacking(passage.id, self._targets).items():
                by_aim[aim].append((passage, number))
        lacking = {aim: sum(number for _, number in places) for aim, places in by_aim.items()}
        missing = sum(lacking.values())
        listed = "; lacking " + ", ".join(f"{number} {aim}" for aim, number in lacking.items()) if missing else ""
        yield f"questions: {wanted - missing} of {wanted} wanted are there{listed}"
        for aim, places in by_aim.items():
            passages = [passage for passage, _ in places]
            yield f"questions: {aim} in {len(passages)} passages, {self._why(passages, told)}: {self._named(passages)}"

    def _why(self, passages: Sequence[Passage], told: Told) -> str:
        """Why no more was asked of these: the attempts are used up, the teacher has no more, or the asking ended."""
        causes: defaultdict[str, int] = defaultdict(int)
        for passage in passages:
            attempts = [one._asked[passage.id] for one in (*self._earlier, self) if passage.id in one._asked]
            if any(_says_no_more(asked.request, told) for asked in attempts):
                causes["the teacher finds no more"] += 1
            elif any(told(asked.request.key) is None for asked in attempts):
                causes["not asked to the end"] += 1
            else:
                causes[f"after {len(attempts)} attempts"] += 1
        return ", ".join(cause if len(causes) == 1 else f"{number} {cause}" for cause, number in causes.items())

    def _named(self, passages: Sequence[Passage]) -> str:
        """The first of them, by page and heading, and by document where there are several."""
        several = len({passage.document for passage in self._ground.passages}) > 1
        listed = [
            f"{f'{passage.document} ' if several else ''}{passage.where}"
            + (f" ({passage.heading[-1]})" if passage.heading else "")
            for passage in passages[:_NAMED]
        ]
        return ", ".join(listed) + (f" and {len(passages) - _NAMED} more" if len(passages) > _NAMED else "")


def _says_no_more(request: Request, told: Told) -> bool:
    if told(request.key) is None:
        return False
    listed = told_list(told, request, "facts", least=0)
    return not listed.items and listed.fault is None


def _schema(facts: int, wordings: int) -> dict[str, Any]:
    fact = object_schema(
        nature=choice_of(*NATURES),
        difficulty=choice_of(*DIFFICULTIES[1:]),
        quote=STRING,
        answer=STRING,
        questions=array_of(STRING, at_least=wordings, at_most=wordings),
    )
    return object_schema(facts=array_of(fact, at_most=facts))


def _drafts(item: object, number: int, passage: Passage, source: Request) -> Iterator[Draft | Rejection]:
    fact = item if isinstance(item, dict) else {}
    quote, answer, questions = fact.get("quote"), fact.get("answer"), fact.get("questions")
    nature, difficulty = (str(fact.get(name, "")).strip().casefold() for name in ("nature", "difficulty"))
    if not (isinstance(quote, str) and isinstance(answer, str) and isinstance(questions, list) and questions):
        shape = Unreadable("wrong_shape", f"Fact {number} of the reply lacks a quote, an answer or questions.")
        yield shape.rejection(source, passage=passage.id)
        return
    if nature not in NATURES:
        strange = Unreadable("unknown_nature", f"Fact {number} of the reply is said to be {nature!r}.")
        yield strange.rejection(source, passage=passage.id, quote=quote)
        return
    draft = Draft(
        kind="document",
        question="",
        answer=tidied(answer),
        quote=quote.strip(),
        passage=passage.id,
        field=nature,
        fact=content_id(passage.id, quote.strip(), tidied(answer)),
        difficulty=difficulty if difficulty in DIFFICULTIES[1:] else "",
        request="",
    )
    yield from worded(draft, questions, source)
