"""Drafts in, records and rejections out: every draft ends in exactly one of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from pipeline.constraints import Constraints, broken_constraints
from pipeline.curate.findings import Finding
from pipeline.curate.form import Fault, answer_form, question_form, wording
from pipeline.curate.grounding import align_quote, grounding_findings, own_words
from pipeline.curate.meaning import Embedder, Support
from pipeline.recipe import Checks
from pipeline.records import REFUSAL_KINDS, Draft, Passage, Record, Rejection, content_id, normalised
from pipeline.words import Questions, subject_words

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
    language: str = "en"
    """In which numbers are spelled out."""
    embedder: Embedder | None = None
    absence: str = "there is no embedder"
    """Why there is none, where there is none."""
    opinions: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    """Fact to the judge's yes or no, and its reason."""

    @cached_property
    def subjects(self) -> list[frozenset[str]]:
        """What each passage is about."""
        return [subject_words(passage.text) for passage in self.passages.values()]


Word = Finding | Sequence[Finding]
"""What a check says of one draft: a finding, or several; none where it does not apply."""
Check = Callable[[Sequence[Draft]], Iterable[Word]]
"""A word on each draft of a shard. What looks at one draft alone is lifted to this by `_each`."""


def curate(items: Iterable[Draft | Rejection], material: Material, checks: Checks) -> Iterator[Record | Rejection]:
    """The end of each item, in the order given. Rejections among the items pass through."""
    return Curator(material, checks).curate(items)


class Curator:
    """The checks in their order. It remembers what passed, and checks each draft against those before it."""

    def __init__(self, material: Material, checks: Checks) -> None:
        self._material = material
        self._thresholds = checks
        self._met = Questions(checks.near_duplicate)
        self._support = Support(material.passages, checks, material.embedder, material.absence)

    @property
    def _checks(self) -> tuple[Check, ...]:
        return (
            _each(lambda draft: _word("question_form", question_form(draft, self._thresholds))),
            _each(lambda draft: _word("answer_form", answer_form(draft, self._thresholds))),
            _each(lambda draft: _word("wording", wording(draft))),
            _each(lambda draft: _grounding(draft, self._material, self._thresholds.quote_alike)),
            self._support.findings,
            _each(lambda draft: _judged(draft, self._material)),
            _each(lambda draft: _constraints(draft, self._material)),
            _each(lambda draft: _corpus_overlap(draft, self._material, self._thresholds.corpus_overlap)),
            self._near_duplicate,  # the last, for it remembers what comes as far as this
        )

    def curate(self, items: Iterable[Draft | Rejection]) -> Iterator[Record | Rejection]:
        """The end of each item, in the order given, a shard at a time."""
        stream = iter(items)
        while shard := list(islice(stream, SHARD)):
            drafts = [item for item in shard if isinstance(item, Draft)]
            judged = zip(drafts, self._findings(drafts, self._checks), strict=True)
            for item in shard:
                yield item if isinstance(item, Rejection) else end_of(*next(judged), self._material)

    def findings(self, draft: Draft) -> list[Finding]:
        """Every check's word on a draft that comes after those curated, those after a rejection too."""
        return [finding for check in self._checks for finding in _findings(next(iter(check([draft]))))]

    def grounded(self, items: Iterable[Draft | Rejection]) -> Iterator[tuple[Draft, bool]]:
        """The documents' drafts that no check rejects by itself, each with whether the judge should look at it."""
        checks = [check for check in self._checks if check != self._near_duplicate]
        stream = (item for item in items if isinstance(item, Draft) and item.kind == "document")
        while shard := list(islice(stream, SHARD)):
            for draft, found in zip(shard, self._findings(shard, checks), strict=True):
                if rejecting(found) is None:
                    yield draft, any(_for_the_judge(finding) for finding in found)

    def _findings(self, drafts: Sequence[Draft], checks: Sequence[Check]) -> list[list[Finding]]:
        """The checks' words on each draft, up to the first that rejects it."""
        found: list[list[Finding]] = [[] for _ in drafts]
        standing = list(range(len(drafts)))
        for check in checks:
            for number, word in zip(standing, check([drafts[number] for number in standing]), strict=True):
                found[number] += _findings(word)
            standing = [number for number in standing if rejecting(found[number]) is None]
        return found

    def _near_duplicate(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        for draft in drafts:
            partner = self._met.like(draft.question)
            if partner is None:
                self._met.add(record_id(draft), draft.question)
                yield Finding("near_duplicate", "none of the questions before it is alike")
                continue
            same = normalised(draft.question) == normalised(partner[1])
            yield Finding(
                check="near_duplicate",
                measured=f"{'the same as' if same else 'alike to'} {partner[1]!r}",
                verdict="rejected",
                cause="exact_duplicate" if same else "near_duplicate",
                detail=f"Accepted before as {partner[1]!r}.",
                partner=partner[0],
            )


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
    upheld = any(finding.check == "judge" for finding in findings)
    # What is doubtful and was not judged, the reviewer is told.
    flagged = [one for one in findings if one.verdict != "passed" and not (upheld and _for_the_judge(one))]
    flags = tuple(dict.fromkeys(_flag(finding) for finding in flagged))
    return _record(draft, material, flags)


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


def _grounding(draft: Draft, material: Material, quote_alike: float) -> Word:
    if draft.kind != "document":
        return ()
    return grounding_findings(draft, material.passages[draft.passage], quote_alike, material.language)


def _judged(draft: Draft, material: Material) -> Word:
    if draft.kind != "document" or draft.fact not in material.opinions:
        return ()
    upholds, reason = material.opinions[draft.fact]
    if upholds:
        return Finding("judge", f"yes: {reason}")
    return Finding("judge", f"no: {reason}", "rejected", "judged_unsupported", f"The judge says no: {reason}")


def _for_the_judge(finding: Finding) -> bool:
    """In doubt about the answer beside its passage, which is what the judge is asked."""
    return finding.verdict == "doubtful" and finding.check in ("numbers", "support_words", "support_chance")


def _constraints(draft: Draft, material: Material) -> Word:
    if draft.kind != "persona" or material.constraints is None:
        return ()
    broken = "; ".join(broken_constraints(draft.answer, material.constraints))
    if broken:
        return Finding("constraints", broken, "rejected", "breaks_constraint", f"The answer has {broken}.")
    return Finding("constraints", "all kept")


def _corpus_overlap(draft: Draft, material: Material, share: float) -> Word:
    about = subject_words(draft.question) if draft.kind in REFUSAL_KINDS else frozenset()
    if len(about) < 2:
        return ()
    overlap = max((len(about & words) for words in material.subjects), default=0) / len(about)
    measured = f"{overlap:.0%} of its {len(about)} words in one passage, {share:.0%} answers it"
    if overlap < share:
        return Finding("corpus_overlap", measured)
    detail = f"One passage holds {overlap:.0%} of the words it is about."
    return Finding("corpus_overlap", measured, "rejected", "answered_by_corpus", detail)


def _record(draft: Draft, material: Material, flags: tuple[str, ...]) -> Record:
    origin = material.origin(draft.request)
    passage = material.passages.get(draft.passage)
    span, page, quote = None, None, draft.quote
    # That it is alike enough is a check's word; here it is only looked up.
    place = align_quote(draft.quote, passage.text, 0) if passage else None
    if passage and place:
        span, page = (passage.start + place.start, passage.start + place.end), passage.page_at(place.start)
        quote = own_words(draft, place, passage)
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
