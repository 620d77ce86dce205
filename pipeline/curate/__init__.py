"""Drafts in, records and rejections out: every draft ends in exactly one of the two."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Self

from pipeline.constraints import Constraints
from pipeline.corpus import Corpus
from pipeline.curate.decontaminate import HeldOut
from pipeline.curate.dialogues import Standing
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.findings import Finding
from pipeline.curate.form import Form, form_findings
from pipeline.curate.grounding import align_quote, grounding_findings, own_words
from pipeline.curate.judged import Evidence, Opinions, ToJudge, judge_of, judged, to_judge
from pipeline.curate.meaning import Embedder, Support
from pipeline.curate.own import OWN
from pipeline.curate.persona import keeps_constraints, unknown_facts
from pipeline.curate.refusals import CorpusMeaning, answered_by_words
from pipeline.kinds import KINDS, UNANSWERED_KINDS
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record, Rejection, content_id, normalised

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
    wanted: Mapping[str, Any] = field(default_factory=dict)
    """By drafter, what the recipe says of it: some checks hold a draft against that."""
    held_out: HeldOut | None = None
    """Texts that no record may hold."""
    embedder: Embedder | None = None
    absence: str = "there is no embedder"
    """Why there is none, where there is none."""
    opinions: Opinions = field(default_factory=dict)
    parents: Mapping[str, Record] = field(default_factory=dict)
    """By id, the records that drafts were made from."""
    voice: str = ""
    """All that is said of the voices in which things are told again."""
    examples: Sequence[str] = ()
    """What requests showed as examples of what was wanted."""
    examined: Mapping[str, str] = field(default_factory=dict)
    """Held-out questions by the id of their record, where there are drafts that may repeat none of them."""
    refusals: Sequence[str] = ()
    """The recipe's refusal sentences."""

    @cached_property
    def corpus(self) -> Corpus:
        """The words of all passages."""
        return Corpus(self.passages.values())

    def evidence(self, draft: Draft) -> Evidence | None:
        """What the draft's answer is judged by: its passages, or its parent's answer if it only tells that again or has
        no passage; None if it has neither."""
        parent = self.parents.get(draft.parent)
        passages = [self.passages[name] for name in draft.bearers if name in self.passages]
        if passages and not (parent and KINDS[draft.kind].retold):
            return Evidence(" > ".join(passages[0].heading), "\n\n".join(passage.text for passage in passages))
        return Evidence("", parent.answer) if parent else None


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
        self._support = Support(material.passages, checks, material.embedder, material.absence)
        self._meaning = _corpus_meaning(material)
        self._questions = Duplicates(index, Terms.of(checks, material.language), material.embedder)
        self._own = [_of_kinds(name, make(material, checks)) for name, make in OWN.items()]
        self._met: set[str] = set()
        self._standing = Standing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._questions.__exit__(*fault)

    @property
    def _checks(self) -> tuple[Check, ...]:
        return (
            _each(lambda draft: tuple(form_findings(draft, self._form))),
            _each(lambda draft: _grounding(draft, self._material, self._thresholds.quote_alike)),
            self._support.findings,
            _each(lambda draft: judged(draft, self._material.opinions)),
            _each(lambda draft: _persona(draft, self._material, self._thresholds)),
            *self._own,
            _each(lambda draft: _corpus_overlap(draft, self._material, self._thresholds)),
            self._corpus_meaning,
            self._contamination,
            self._duplicates,  # the last, for it remembers what comes as far as this
        )

    def curate(self, items: Iterable[Draft | Rejection]) -> Iterator[Record | Rejection]:
        """The end of each item, in the order given, a shard at a time."""
        stream = iter(items)
        while shard := list(islice(stream, SHARD)):
            drafts = [item for item in shard if isinstance(item, Draft)]
            found = self._standing.findings(drafts, self._findings(drafts, self._checks))
            judged = zip(drafts, found, strict=True)
            for item in shard:
                yield item if isinstance(item, Rejection) else end_of(*next(judged), self._material)

    def findings(self, draft: Draft) -> list[Finding]:
        """Every check's word on a draft that comes after those curated, also of the checks after a rejection.

        But the last remembers what it is shown, and so is shown only what the others let pass.
        """
        *alone, remembering = self._checks
        found = [finding for check in alone for finding in _findings(next(iter(check([draft]))))]
        return found if rejecting(found) else [*found, *_findings(next(iter(remembering([draft]))))]

    def for_the_judge(self, items: Iterable[Draft | Rejection]) -> Iterator[ToJudge]:
        """What can be judged of the drafts that no check rejects by itself, each with whether it is in doubt."""
        *alone, _ = self._checks
        stream = (item for item in items if isinstance(item, Draft) and self._material.evidence(item))
        while shard := list(islice(stream, SHARD)):
            for draft, found in zip(shard, self._findings(shard, alone), strict=True):
                if rejecting(found) is None:
                    yield from to_judge(draft, record_id(draft), found)

    def _findings(self, drafts: Sequence[Draft], checks: Sequence[Check]) -> list[list[Finding]]:
        """The checks' words on each draft, up to the first that rejects it."""
        found: list[list[Finding]] = [[] for _ in drafts]
        standing = list(range(len(drafts)))
        for check in checks:
            for number, word in zip(standing, check([drafts[number] for number in standing]), strict=True):
                found[number] += _findings(word)
            standing = [number for number in standing if rejecting(found[number]) is None]
        return found

    def _corpus_meaning(self, drafts: Sequence[Draft]) -> Iterable[Word]:
        """Of questions to be refused only: those to be answered are meant to be near the corpus."""
        refusals = [draft for draft in drafts if draft.kind in UNANSWERED_KINDS]
        if self._meaning is None or not refusals:
            return [()] * len(drafts)
        found = iter(self._meaning.findings(refusals, self._thresholds))
        return [next(found) if draft.kind in UNANSWERED_KINDS else () for draft in drafts]

    def _contamination(self, drafts: Sequence[Draft]) -> Iterable[Word]:
        held_out = self._material.held_out
        return held_out.findings(drafts) if held_out else [()] * len(drafts)

    def _duplicates(self, drafts: Sequence[Draft]) -> Iterable[Word]:
        found = iter(self._questions.compare([self._entry(draft) for draft in drafts if _compared(draft)]))
        words = (next(found) if _compared(draft) else self._met_before(draft) for draft in drafts)
        return [_unlike(word) if KINDS[draft.kind].alike else word for draft, word in zip(drafts, words, strict=True)]

    def _met_before(self, draft: Draft) -> Finding:
        """Of what is asked again on purpose, only the very same is a duplicate."""
        name = record_id(draft)
        if name in self._met:
            detail = "The same was drafted before, question and all that stands beside it."
            return Finding("exact_duplicate", "met before", "rejected", "exact_duplicate", detail, name)
        self._met.add(name)
        return Finding("exact_duplicate", "new")

    def _entry(self, draft: Draft) -> Entry:
        name = record_id(draft)
        return Entry(name, draft.question, draft.fact, name in self._dropped)


def rejecting(findings: Iterable[Finding]) -> Finding | None:
    """The first finding that rejects, if any does."""
    return next((finding for finding in findings if finding.verdict == "rejected"), None)


def record_id(draft: Draft) -> str:
    """The id that the draft has as a record."""
    way = draft.field if draft.parent else ""
    beside = (draft.context, *draft.earlier, draft.parent)
    more = (draft.kind, *beside, *((way,) if way else ())) if any(beside) or KINDS[draft.kind].turns else ()
    version = (draft.replaces, draft.fix) if draft.replaces else ()
    asked = normalised(draft.drafted or draft.question)
    return content_id(draft.passage or draft.persona or draft.kind, asked, *more, *version)


def _compared(draft: Draft) -> bool:
    """With every other question: not another version of a record, for that may ask what the record asks."""
    return KINDS[draft.kind].compared and not draft.replaces


def end_of(draft: Draft, findings: Sequence[Finding], material: Material) -> Record | Rejection:
    """What becomes of a draft of which the checks found this."""
    rejected = rejecting(findings)
    if rejected is not None:
        return _rejected(draft, rejected)
    asked = {finding.check for finding in findings}
    # What is doubtful and was not judged, the reviewer is told.
    flagged = [one for one in findings if one.verdict != "passed" and judge_of(one) not in asked]
    flags = tuple(dict.fromkeys(_flag(finding) for finding in flagged))
    scores = [finding.score for finding in findings if finding.score is not None]
    return _record(draft, material, flags, round(min(scores), 2) if scores else None)


def _flag(finding: Finding) -> str:
    return f"{finding.cause}:{finding.partner}" if finding.partner else finding.cause


def _unlike(finding: Finding) -> Finding:
    """Of questions that are alike by design, only that one is another is worth a word."""
    return finding if finding.verdict == "rejected" else Finding(finding.check, finding.measured)


def _of_kinds(name: str, check: Check) -> Check:
    """A check of its own, shown only the drafts of the kinds that name it."""

    def checked(drafts: Sequence[Draft]) -> Iterable[Word]:
        concerned = [draft for draft in drafts if name in KINDS[draft.kind].checks]
        found = iter(check(concerned)) if concerned else iter(())
        return [next(found) if name in KINDS[draft.kind].checks else () for draft in drafts]

    return checked


def _each(check: Callable[[Draft], Word]) -> Check:
    return lambda drafts: map(check, drafts)


def _findings(word: Word) -> Sequence[Finding]:
    return (word,) if isinstance(word, Finding) else word


def _grounding(draft: Draft, material: Material, quote_alike: float) -> Word:
    kind = KINDS[draft.kind]
    if not (kind.grounded or kind.quoted) or any(name not in material.passages for name in draft.bearers):
        return ()
    passages = [material.passages[name] for name in draft.bearers]
    return grounding_findings(draft, passages, quote_alike, material.language)


def _persona(draft: Draft, material: Material, checks: Checks) -> Word:
    if not KINDS[draft.kind].voiced or material.constraints is None:
        return ()
    return (
        keeps_constraints(draft, material.constraints),
        unknown_facts(draft, material.carried, material.language, checks.persona_facts),
    )


def _corpus_meaning(material: Material) -> CorpusMeaning | None:
    if material.embedder is None:
        return None
    return CorpusMeaning((passage.text for passage in material.passages.values()), material.embedder)


def _corpus_overlap(draft: Draft, material: Material, checks: Checks) -> Word:
    return answered_by_words(draft, material.corpus, checks) if draft.kind in UNANSWERED_KINDS else ()


def _record(draft: Draft, material: Material, flags: tuple[str, ...], score: float | None) -> Record:
    origin = material.origin(draft.request)
    passage = material.passages.get(draft.passage)
    span, page, quote = None, None, draft.quote
    further = zip(draft.further_quotes, draft.further_passages, strict=False)
    # That it is alike enough is a check's word; here it is only looked up.
    place = align_quote(draft.quote, passage.text, 0) if passage else None
    if passage and place:
        span, page = (passage.start + place.start, passage.start + place.end), passage.page_at(place.start)
        quote = own_words(draft.quote, place, passage)
    return Record(
        id=record_id(draft),
        kind=draft.kind,
        question=draft.question,
        answer=draft.answer,
        quote=quote,
        source=passage.document if passage else draft.persona or draft.field,
        page=page,
        span=span,
        passage=draft.passage,
        field=draft.field,
        term=draft.term,
        fact=draft.fact,
        flags=flags,
        context=draft.context,
        earlier=draft.earlier,
        parent=draft.parent,
        further_passages=draft.further_passages,
        further_quotes=tuple(_own_words(quote, material.passages.get(name)) for quote, name in further),
        difficulty=draft.difficulty,
        equations=draft.equations,
        result=draft.result,
        labels=draft.labels,
        rejected_answer=draft.rejected_answer,
        score=score,
        replaces=draft.replaces,
        fix=draft.fix,
        rules=draft.rules,
        place=draft.place,
        model=origin.model,
        prompt=origin.prompt,
        request=draft.request,
    )


def _own_words(quote: str, passage: Passage | None) -> str:
    place = align_quote(quote, passage.text, 0) if passage else None
    return own_words(quote, place, passage) if passage and place else quote


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
        replaces=draft.replaces,
        place=draft.place,
        request=draft.request,
    )
