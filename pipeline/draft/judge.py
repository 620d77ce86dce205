"""The judge: a second opinion on answers that the checks leave in doubt, proved on answers whose worth is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pipeline.draft import Told
from pipeline.draft.prompts import STRING, Manner, Prompt, object_schema
from pipeline.draft.replies import Unreadable, answer_object
from pipeline.records import Draft, Rejection, content_id
from pipeline.teacher.request import Request

KIND = "judge"
_BOOLEAN: dict[str, Any] = {"type": "boolean"}
_SCHEMA = object_schema(reason=STRING, supported=_BOOLEAN, answers=_BOOLEAN)
_NUMBER = re.compile(r"\d+")
_POSITIVE = re.compile(r"\b(is|are|was|were|can|could|will|would|should|must|may|does|do|did|has|have|had)\b(?! not\b)")


class Opinion(NamedTuple):
    """What the judge says of one answer."""

    supported: bool
    answers: bool
    reason: str

    @property
    def upholds(self) -> bool:
        """Yes to every criterion."""
        return self.supported and self.answers


class Seed(NamedTuple):
    """An answer whose worth is known: spoilt on purpose, or the passage's own words."""

    draft: Draft
    sound: bool


class Proof(NamedTuple):
    """How the judge did on the seeds that it answered."""

    caught: int
    spoilt: int
    passed: int
    sound: int

    def trusted(self, least: float) -> bool:
        """Whether it tells both kinds in at least this share of cases; without any seed of a kind nobody knows."""
        return (
            min(self.spoilt, self.sound) > 0
            and self.caught >= least * self.spoilt
            and self.passed >= least * self.sound
        )

    def told(self) -> str:
        """The figures as a person reads them."""
        return (
            f"it caught {self.caught} of {self.spoilt} answers spoilt on purpose"
            f" and passed {self.passed} of {self.sound} sound ones"
        )


class Judge:
    """Asks once about each thing said that is in doubt, and about the seeds. A drafter that brings opinions and no
    drafts."""

    stages = 1

    def __init__(
        self,
        doubtful: Sequence[Draft],
        seeds: Sequence[Seed],
        evidence: Callable[[Draft], tuple[str, str] | None],
        prompt: Prompt,
        manner: Manner,
    ) -> None:
        """`evidence` is what a draft's answer is judged by: a heading and a text."""
        self.prompts = {prompt.path.name: prompt.text}
        self._prompt = prompt
        self._manner = manner
        self._evidence = evidence
        self._asked = {draft.matter: self._request(draft) for draft in doubtful}
        self._seeds = [(seed, self._request(seed.draft)) for seed in seeds]

    @property
    def doubts(self) -> int:
        """How many things are in doubt."""
        return len(self._asked)

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a doubt and one a seed."""
        yield from self._asked.values()
        yield from (request for _, request in self._seeds)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """None: an opinion is no draft."""
        return iter(())

    def opinions(self, told: Told) -> dict[str, Opinion]:
        """`Draft.matter` to opinion, of what a readable reply has come about."""
        found = {matter: _opinion(told, request) for matter, request in self._asked.items()}
        return {matter: opinion for matter, opinion in found.items() if opinion is not None}

    def proof(self, told: Told) -> Proof:
        """How it did on the seeds, by support alone: a passage's own words may answer another question."""
        said = [
            (seed.sound, opinion.supported) for seed, r in self._seeds if (opinion := _opinion(told, r)) is not None
        ]
        spoilt = [supported for sound, supported in said if not sound]
        sound = [supported for is_sound, supported in said if is_sound]
        return Proof(spoilt.count(False), len(spoilt), sound.count(True), len(sound))

    def _request(self, draft: Draft) -> Request:
        heading, passage = self._evidence(draft) or ("", "")
        return self._prompt.request(
            KIND,
            content_id(*draft.bearers, draft.question, draft.answer),
            _SCHEMA,
            self._manner,
            heading=heading,
            passage=passage,
            earlier="\n".join(draft.earlier),
            question=draft.question,
            answer=draft.answer,
        )


def seeds_of(sound: Sequence[Draft], number: int) -> list[Seed]:
    """As many spoilt answers, and as many sound ones, made of drafts that no check doubts; always the same ones.

    In turn an answer is put beside another passage, has a number changed, or is negated; where it has no number or
    nothing to negate, it is put beside another passage.
    """
    # Beside another passage an answer that rests on several would still have the others.
    alone = [draft for draft in sound if len(draft.bearers) == 1 and draft.quote]
    chosen = sorted(alone, key=lambda draft: content_id("seed", draft.fact))[:number]
    found: list[Seed] = []
    for turn, draft in enumerate(chosen):
        spoilt = _spoilt(draft, turn, chosen)
        found += [Seed(spoilt, False)] if spoilt else []
        found.append(Seed(draft.model_copy(update={"answer": draft.quote}), True))
    return found


def _spoilt(draft: Draft, turn: int, others: Sequence[Draft]) -> Draft | None:
    answer = draft.answer
    if turn % 3 == 1:
        answer = _NUMBER.sub(lambda found: str(int(found.group()) * 3 + 7), answer, count=1)
    elif turn % 3 == 2:
        answer = _POSITIVE.sub(r"\1 not", answer, count=1)
    if answer != draft.answer:
        return draft.model_copy(update={"answer": answer})
    other = next((other for other in (*others[turn:], *others[:turn]) if other.passage != draft.passage), None)
    return draft.model_copy(update={"passage": other.passage}) if other else None


def _opinion(told: Told, request: Request) -> Opinion | None:
    reply = told(request.key)
    if reply is None:
        return None
    try:
        said = answer_object(reply)
    except Unreadable:
        return None
    supported, answers, reason = said.get("supported"), said.get("answers"), said.get("reason")
    if not (isinstance(supported, bool) and isinstance(answers, bool)):
        return None
    return Opinion(supported, answers, reason.strip() if isinstance(reason, str) else "")
