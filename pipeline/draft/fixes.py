"""Records that a person wants mended: one request each, with the person's words, and the new version back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.draft import Told
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.kinds import KINDS
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.sources.personas import Persona
from pipeline.teacher.request import Request

KIND = "fix"
_LIST = "versions"


class Wanted(NamedTuple):
    """A record that is to be mended."""

    record: Record
    """With the text that the person saw, or had made of it."""
    words: str
    """What is wrong with it, as the person says."""
    stands: bool
    """The person still says so; else what the teacher replied before counts, and nothing is asked."""


@dataclass(frozen=True)
class Shown:
    """What is shown beside a record: what it was drafted from."""

    passages: Mapping[str, Passage]
    persona: Persona | None = None
    topic: str = ""
    """What questions to be refused are far from."""


_NO_SOURCE = Unreadable("fix_without_source", "What it was drafted from is no longer there, so nobody can mend it.")
_UNCHANGED = Unreadable("fix_unchanged", "The teacher gave it back as it was; the old line stands.")
_SUPERSEDED = Unreadable("superseded", "The person has said since that something else is wrong.")
_NO_VERSION = Unreadable("wrong_shape", "The reply's version lacks a question, an answer or a quote.")


class FixDrafter:
    """Asks for another version of each record; a version that is the record itself is a rejection."""

    stages = 1 + CONTINUATIONS

    def __init__(self, wanted: Sequence[Wanted], shown: Shown, prompt: Prompt, manner: Manner) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        self._shown = shown
        self._asked = [(one, self._request(one, prompt, manner)) for one in wanted if self._has_source(one.record)]
        self._lost = [one for one in wanted if one.stands and not self._has_source(one.record)]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a record; then again where the reply cannot be read."""
        asked = (request for one, request in self._asked if one.stands or told(request.key) is not None)
        return asked if stage == 0 else continuations(told, asked, _LIST, stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a record, once its reply has come; of several replies about one the last counts."""
        last = {one.record.id: request.key for one, request in self._asked if told(request.key) is not None}
        for one, request in self._asked:
            items, fault = told_list(told, request, _LIST)
            if items and last[one.record.id] != request.key:
                yield _rejected(one, items[0][1].key, _SUPERSEDED)
            elif items:
                yield self._version(one, *items[0])
            elif fault is not None:
                yield _rejected(one, request.key, fault)
        yield from (_rejected(one, "", _NO_SOURCE) for one in self._lost)

    def _has_source(self, record: Record) -> bool:
        return not record.passage or record.passage in self._shown.passages

    def _request(self, one: Wanted, prompt: Prompt, manner: Manner) -> Request:
        record, kind = one.record, KINDS[one.record.kind]
        passages = [self._shown.passages[name] for name in (record.passage, *record.further_passages) if name in
                    self._shown.passages]  # fmt: skip
        persona = self._shown.persona
        return prompt.request(
            KIND,
            content_id(record.id, one.words),
            _schema(record),
            manner,
            heading=" > ".join(passages[0].heading) if passages else "",
            passage="\n\n".join(passage.text for passage in passages),
            persona=persona.card() if persona and kind.voiced else "",
            topic=self._shown.topic if kind.refusal else "",
            field=record.field if kind.refusal else "",
            context=record.context,
            earlier="\n".join(record.earlier),
            question=record.question,
            answer="" if kind.refusal else record.answer,
            quote=record.quote,
            wrong=one.words,
            fields=_fields(record),
        )

    def _version(self, one: Wanted, item: object, source: Request) -> Draft | Rejection:
        record = one.record
        texts = _texts(record, item)
        if texts is None:
            return _rejected(one, source.key, _NO_VERSION)
        if texts == {name: getattr(record, name) for name in texts}:
            return _rejected(one, source.key, _UNCHANGED)
        copied = record.model_dump(include=_SHARED)
        persona = self._shown.persona
        return Draft(
            **copied | texts,
            persona=persona.name if persona and KINDS[record.kind].voiced else "",
            replaces=record.id,
            fix=one.words,
            request=source.key,
        )


_SHARED = set(Draft.model_fields) & set(Record.model_fields) - {"replaces", "fix", "rules", "request"}


def _fields(record: Record) -> tuple[str, ...]:
    """What a new version may say otherwise; the answer of a question to be refused is the recipe's."""
    if KINDS[record.kind].refusal:
        return ("question",)
    return ("question", "answer", "quote") if record.quote else ("question", "answer")


def _schema(record: Record) -> dict[str, Any]:
    return object_schema(**{_LIST: array_of(object_schema(**dict.fromkeys(_fields(record), STRING)), at_most=1)})


_READ: dict[str, Callable[[str], str]] = {"question": tidied, "answer": tidied, "quote": str.strip}


def _texts(record: Record, item: object) -> dict[str, str] | None:
    """What the teacher made of the record's texts; None if one is lacking."""
    given = item if isinstance(item, dict) else {}
    read = {name: value for name in _fields(record) if isinstance(value := given.get(name), str) and value.strip()}
    return {name: _READ[name](value) for name, value in read.items()} if len(read) == len(_fields(record)) else None


def _rejected(one: Wanted, request: str, fault: Unreadable) -> Rejection:
    record = one.record
    return Rejection(
        cause=fault.cause,
        detail=str(fault),
        kind=record.kind,
        question=record.question,
        answer=record.answer,
        quote=record.quote,
        passage=record.passage,
        field=record.field,
        replaces=record.id,
        request=request,
    )
