"""Drafts in, records and rejections out: every draft ends in exactly one of the two."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Self

from pipeline.constraints import Constraints
from pipeline.corpus import Corpus
from pipeline.curate.decontaminate import HeldOut
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.findings import Finding
from pipeline.curate.form import Fault, Form, form_findings
from pipeline.curate.grounding import find_quote, unknown_number
from pipeline.curate.persona import keeps_constraints, unknown_facts
from pipeline.curate.refusals import answered_by_words
from pipeline.recipe import Checks
from pipeline.records import REFUSAL_KINDS, Draft, Passage, Record, Rejection, content_id, normalised

SHARD = 1000
"""Drafts that are checked together; how they are sharded changes no outcome."""


@dataclass(frozen=True)
class Origin:
    """How a draft was made: the teacher as it named itself, and the fingerprint of the prompt."""

    model: str
    prompt: str


@dataclass(frozen=True)
class Material:
    """What drafts are checked against."""

    passages: Mapping[str, Passage]
    origin: Callable[[str], Origin]
    """By request key."""
    constraints: Constraints | None = None
    """Of the persona, on every answer in its voice."""
    carried: str = ""
    """All that the persona's file says: what the facts in an answer are looked up in."""
    language: str = "en"
    """The recipe's."""
    held_out: HeldOut | None = None
    """Texts that no record may hold."""

    @cached_property
    def corpus(self) -> Corpus:
        """The words of all passages."""
        return Corpus(self.passages.values())


Word = Finding | Sequence[Finding]
"""What a check says of one draft: a finding, or several; none where it does not apply."""
Check = Callable[[Sequence[Draft]], Iterable[Word]]
"""A word on each draft of a shard. What looks at one draft alone is lifted to this by `_each`."""


def curate(
    items: Iterable[Draft | Rejection],
    material: Material,
    checks: Checks,
    index: Path | None = None,
    dropped: Container[str] = frozenset(),
) -> Iterator[Record | Rejection]:
    """The end of each item, in the order given. Rejections among the items pass through.

    `index` is where the index of questions is kept between runs, `dropped` holds ids of records that a person
    dropped. Raises CannotWrite, and TryAgainLater if the index proves damaged.
    """
    with Curator(material, checks, index, dropped) as curator:
        yield from curator.curate(items)


class Curator:
    """The checks in their order. It remembers what passed, and checks each draft against those before it.

    Use it in a `with`: at its end the index of questions is written down.
    """

    def __init__(
        self, material: Material, checks: Checks, index: Path | None = None, dropped: Container[str] = frozenset()
    ) -> None:
        from pipeline.curate.duplicates.index import Duplicates  # numpy, which `plan` does without

        self._material = material
        self._thresholds = checks
        self._form = Form(checks, material.language)
        self._dropped = dropped
        self._questions = Duplicates(index, Terms.of(checks, material.language))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._questions.__exit__(*fault)

    @property
    def _checks(self) -> tuple[Check, ...]:
        return (
            _each(lambda draft: tuple(form_findings(draft, self._form))),
            _each(lambda draft: _quote(draft, self._material)),
            _each(lambda draft: _numbers(draft, self._material)),
            _each(lambda draft: _persona(draft, self._material, self._thresholds)),
            _each(lambda draft: _corpus_overlap(draft, self._material, self._thresholds)),
            self._contamination,
            self._duplicates,  # the last, for it remembers what comes as far as this
        )

    def curate(self, items: Iterable[Draft | Rejection]) -> Iterator[Record | Rejection]:
        """The end of each item, in the order given, a shard at a time."""
        stream = iter(items)
        while shard := list(islice(stream, SHARD)):
            drafts = [item for item in shard if isinstance(item, Draft)]
            judged = zip(drafts, self._findings(drafts), strict=True)
            for item in shard:
                yield item if isinstance(item, Rejection) else end_of(*next(judged), self._material)

    def findings(self, draft: Draft) -> list[Finding]:
        """Every check's word on a draft that comes after those curated, also of the checks after a rejection.

        But the last remembers what it is shown, and so is shown only what the others let pass.
        """
        *alone, remembering = self._checks
        found = [finding for check in alone for finding in _findings(next(iter(check([draft]))))]
        return found if rejecting(found) else [*found, *_findings(next(iter(remembering([draft]))))]

    def _findings(self, drafts: Sequence[Draft]) -> list[list[Finding]]:
        """The checks' words on each draft, up to the first that rejects it."""
        found: list[list[Finding]] = [[] for _ in drafts]
        standing = list(range(len(drafts)))
        for check in self._checks:
            for number, word in zip(standing, check([drafts[number] for number in standing]), strict=True):
                found[number] += _findings(word)
            standing = [number for number in standing if rejecting(found[number]) is None]
        return found

    def _contamination(self, drafts: Sequence[Draft]) -> Iterable[Word]:
        held_out = self._material.held_out
        return held_out.findings(drafts) if held_out else [()] * len(drafts)

    def _duplicates(self, drafts: Sequence[Draft]) -> list[Finding]:
        return self._questions.compare([self._entry(draft) for draft in drafts])

    def _entry(self, draft: Draft) -> Entry:
        name = record_id(draft)
        return Entry(name, draft.question, draft.fact, name in self._dropped)


def rejecting(findings: Iterable[Finding]) -> Finding | None:
    """The first finding that rejects, if any does."""
    return next((finding for finding in findings if finding.verdict == "rejected"), None)


def record_id(draft: Draft) -> str:
    """The id that the draft has as a record."""
    return content_id(draft.passage or draft.persona or draft.kind, normalised(draft.question))


def end_of(draft: Draft, findings: Sequence[Finding], material: Material) -> Record | Rejection:
    """What becomes of a draft of which the checks found this."""
    rejected = rejecting(findings)
    if rejected is not None:
        return _rejected(draft, rejected)
    # Nobody judges what is doubtful yet: the reviewer is told.
    flagged = [finding for finding in findings if finding.verdict != "passed"]
    return _record(draft, material, tuple(dict.fromkeys(_flag(finding) for finding in flagged)))


def _flag(finding: Finding) -> str:
    return f"{finding.cause}:{finding.partner}" if finding.partner else finding.cause


def _each(check: Callable[[Draft], Word]) -> Check:
    return lambda drafts: map(check, drafts)


def _findings(word: Word) -> Sequence[Finding]:
    return (word,) if isinstance(word, Finding) else word


def _word(check: str, fault: Fault | None) -> Finding:
    if fault is None:
        return Finding(check, "no fault")
    return Finding(check, fault.detail, "rejected", fault.cause, fault.detail)


def _quote(draft: Draft, material: Material) -> Word:
    if draft.kind != "document":
        return ()
    found = find_quote(draft.quote, material.passages[draft.passage].text)
    if found is None:
        detail = "The quote does not stand in the passage."
        return Finding("quote", "not found", "rejected", "quote_not_in_passage", detail)
    return Finding("quote", f"characters {found[0]} to {found[1]} of the passage")


def _numbers(draft: Draft, material: Material) -> Word:
    if draft.kind != "document":
        return ()
    return _word("numbers", unknown_number(draft.answer, material.passages[draft.passage]))


def _persona(draft: Draft, material: Material, checks: Checks) -> Word:
    if draft.kind != "persona" or material.constraints is None:
        return ()
    return (
        keeps_constraints(draft, material.constraints),
        unknown_facts(draft, material.carried, material.language, checks.persona_facts),
    )


def _corpus_overlap(draft: Draft, material: Material, checks: Checks) -> Word:
    return answered_by_words(draft, material.corpus, checks) if draft.kind in REFUSAL_KINDS else ()


def _record(draft: Draft, material: Material, flags: tuple[str, ...]) -> Record:
    origin = material.origin(draft.request)
    passage = material.passages.get(draft.passage)
    span, page = None, None
    if passage is not None:
        found = find_quote(draft.quote, passage.text)
        if found is not None:
            span, page = (passage.start + found[0], passage.start + found[1]), passage.page_at(found[0])
    return Record(
        id=record_id(draft),
        kind=draft.kind,
        question=draft.question,
        answer=draft.answer,
        quote=draft.quote,
        source=passage.document if passage else draft.persona or draft.field,
        page=page,
        span=span,
        passage=draft.passage,
        field=draft.field,
        term=draft.term,
        fact=draft.fact,
        flags=flags,
        model=origin.model,
        prompt=origin.prompt,
        request=draft.request,
    )


def _rejected(draft: Draft, finding: Finding) -> Rejection:
    return Rejection(
        cause=finding.cause,
        detail=finding.detail,
        kind=draft.kind,
        question=draft.question,
        answer=draft.answer,
        quote=draft.quote,
        partner=finding.partner,
        passage=draft.passage,
        field=draft.field,
        request=draft.request,
    )
