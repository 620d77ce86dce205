"""Drafts in, records and rejections out: every draft ends in exactly one of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.constraints import Constraints
from pipeline.curate.findings import Finding
from pipeline.curate.form import Fault, Form, form_findings
from pipeline.curate.grounding import find_quote, unknown_number
from pipeline.curate.persona import Said, catch_phrases, keeps_constraints, unknown_facts
from pipeline.recipe import Checks
from pipeline.records import REFUSAL_KINDS, Draft, Passage, Record, Rejection, content_id, normalised
from pipeline.words import Questions, subject_words


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
    """The dataset's."""


@dataclass
class Curated:
    """Records and rejections, each in the order of the drafts."""

    records: list[Record] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def curate(drafts: Iterable[Draft | Rejection], material: Material, checks: Checks) -> Curated:
    """Check each draft by itself, then against those before it. Rejections among the drafts pass through."""
    result = Curated()
    met = Questions(checks.near_duplicate)
    subjects = [subject_words(passage.text) for passage in material.passages.values()]
    for draft in drafts:
        if isinstance(draft, Rejection):
            result.rejections.append(draft)
            continue
        findings = list(draft_findings(draft, material, checks))
        fault = first_rejection(findings) or _source_fault(draft, material, checks, subjects)
        if fault:
            result.rejections.append(_rejected(draft, fault))
            continue
        record = _record(draft, material, findings)
        partner = met.like(draft.question)
        if partner is not None:
            result.rejections.append(_duplicate(draft, *partner))
            continue
        met.add(record.id, draft.question)
        result.records.append(record)
    worn = catch_phrases(_in_voice(result.records), checks.catch_phrase_share, checks.catch_phrase_least)
    result.records = [_flagged(record, worn[record.id]) if record.id in worn else record for record in result.records]
    return result


def _in_voice(records: Iterable[Record]) -> list[Said]:
    return [Said(record.id, record.answer) for record in records if record.kind == "persona"]


def _flagged(record: Record, finding: Finding) -> Record:
    return record.model_copy(update={"flags": (*record.flags, finding.cause)})


def draft_findings(draft: Draft, material: Material, checks: Checks) -> Iterator[Finding]:
    """What the checks say that look at one draft by itself."""
    yield from form_findings(draft, Form(checks, material.language))
    if draft.kind == "persona" and material.constraints:
        yield keeps_constraints(draft, material.constraints)
        yield unknown_facts(draft, material.carried, material.language, checks.persona_facts)


def first_rejection(findings: Iterable[Finding]) -> Finding | None:
    """The finding that gives a rejection its cause; None if the draft may pass."""
    return next((finding for finding in findings if finding.verdict == "rejected"), None)


def _source_fault(draft: Draft, material: Material, checks: Checks, subjects: list[frozenset[str]]) -> Fault | None:
    """What is wrong with the draft beside what it was made from."""
    if draft.kind == "document":
        passage = material.passages[draft.passage]
        if find_quote(draft.quote, passage.text) is None:
            return Fault("quote_not_in_passage", "The quote does not stand in the passage.")
        return unknown_number(draft.answer, passage)
    if draft.kind in REFUSAL_KINDS:
        return _answered_by_corpus(draft, checks.corpus_overlap, subjects)
    return None


def _answered_by_corpus(draft: Draft, share: float, subjects: list[frozenset[str]]) -> Fault | None:
    about = subject_words(draft.question)
    if len(about) < 2:
        return None
    overlap = max((len(about & words) for words in subjects), default=0) / len(about)
    if overlap >= share:
        return Fault("answered_by_corpus", f"One passage holds {overlap:.0%} of the words it is about.")
    return None


def _record(draft: Draft, material: Material, findings: Iterable[Finding]) -> Record:
    origin = material.origin(draft.request)
    passage = material.passages.get(draft.passage)
    span, page = None, None
    if passage is not None:
        found = find_quote(draft.quote, passage.text)
        if found is not None:
            span, page = (passage.start + found[0], passage.start + found[1]), passage.page_at(found[0])
    return Record(
        id=content_id(draft.passage or draft.persona or draft.kind, normalised(draft.question)),
        kind=draft.kind,
        question=draft.question,
        answer=draft.answer,
        quote=draft.quote,
        source=passage.document if passage else draft.persona or draft.field,
        page=page,
        span=span,
        passage=draft.passage,
        field=draft.field,
        fact=draft.fact,
        flags=tuple(dict.fromkeys(finding.cause for finding in findings if finding.verdict in ("flagged", "doubtful"))),
        model=origin.model,
        prompt=origin.prompt,
        request=draft.request,
    )


def _duplicate(draft: Draft, partner: str, question: str) -> Rejection:
    same = normalised(draft.question) == normalised(question)
    fault = Fault("exact_duplicate" if same else "near_duplicate", f"Accepted before as {question!r}.")
    return _rejected(draft, fault, partner)


def _rejected(draft: Draft, fault: Fault | Finding, partner: str = "") -> Rejection:
    return Rejection(
        cause=fault.cause,
        detail=fault.detail,
        kind=draft.kind,
        question=draft.question,
        answer=draft.answer,
        quote=draft.quote,
        partner=partner,
        passage=draft.passage,
        field=draft.field,
        request=draft.request,
    )
