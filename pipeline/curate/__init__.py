"""Drafts in, records and rejections out: every draft ends in exactly one of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.constraints import Constraints, broken_constraints
from pipeline.curate.decontaminate import HeldOut
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.form import Fault, answer_form, question_form, wording
from pipeline.curate.grounding import find_quote, unknown_number
from pipeline.recipe import Checks
from pipeline.records import REFUSAL_KINDS, Draft, Passage, Record, Rejection, content_id, normalised
from pipeline.words import subject_words


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
    """The recipe's."""
    held_out: HeldOut | None = None
    """Texts that no record may hold."""


@dataclass
class Curated:
    """Records and rejections, each in the order of the drafts."""

    records: list[Record] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def curate(drafts: Iterable[Draft | Rejection], material: Material, checks: Checks) -> Curated:
    """Check each draft by itself, then against those before it. Rejections among the drafts pass through."""
    from pipeline.curate.duplicates.index import Duplicates  # numpy, which `plan` does without

    subjects = [subject_words(passage.text) for passage in material.passages.values()]
    items = [_checked(draft, material, checks, subjects) for draft in drafts]
    records = [item[1] for item in items if not isinstance(item, Rejection)]
    with Duplicates(None, Terms.of(checks, material.language)) as index:
        findings = iter(index.compare([Entry(one.id, one.question, one.fact) for one in records]))
    result = Curated()
    for item in items:
        if isinstance(item, Rejection):
            result.rejections.append(item)
            continue
        draft, record = item
        found = next(findings)
        if found.verdict == "rejected":
            result.rejections.append(_rejected(draft, Fault(found.cause, found.detail), found.partner))
        else:
            flags = (f"{found.cause} {found.partner}",) if found.verdict == "flagged" else ()
            result.records.append(record.model_copy(update={"flags": flags}) if flags else record)
    return result


def _checked(
    draft: Draft | Rejection, material: Material, checks: Checks, subjects: list[frozenset[str]]
) -> Rejection | tuple[Draft, Record]:
    if isinstance(draft, Rejection):
        return draft
    fault = form_fault(draft, checks) or _source_fault(draft, material, checks, subjects)
    if fault is None and material.held_out is not None:
        (found,) = material.held_out.findings([draft])
        fault = Fault(found.cause, found.detail) if found.verdict == "rejected" else None
    return _rejected(draft, fault) if fault else (draft, _record(draft, material))


def form_fault(draft: Draft, checks: Checks) -> Fault | None:
    """What is wrong with the draft taken by itself."""
    return question_form(draft, checks) or answer_form(draft, checks) or wording(draft)


def _source_fault(draft: Draft, material: Material, checks: Checks, subjects: list[frozenset[str]]) -> Fault | None:
    """What is wrong with the draft beside what it was made from."""
    if draft.kind == "document":
        passage = material.passages[draft.passage]
        if find_quote(draft.quote, passage.text) is None:
            return Fault("quote_not_in_passage", "The quote does not stand in the passage.")
        return unknown_number(draft.answer, passage)
    if draft.kind in REFUSAL_KINDS:
        return _answered_by_corpus(draft, checks.corpus_overlap, subjects)
    broken = broken_constraints(draft.answer, material.constraints) if material.constraints else []
    return Fault("breaks_constraint", f"The answer has {'; '.join(broken)}.") if broken else None


def _answered_by_corpus(draft: Draft, share: float, subjects: list[frozenset[str]]) -> Fault | None:
    about = subject_words(draft.question)
    if len(about) < 2:
        return None
    overlap = max((len(about & words) for words in subjects), default=0) / len(about)
    if overlap >= share:
        return Fault("answered_by_corpus", f"One passage holds {overlap:.0%} of the words it is about.")
    return None


def _record(draft: Draft, material: Material) -> Record:
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
        model=origin.model,
        prompt=origin.prompt,
        request=draft.request,
    )


def _rejected(draft: Draft, fault: Fault, partner: str = "") -> Rejection:
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
