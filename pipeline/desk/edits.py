"""What the checks say against a text that a person edited: form, grounding, and whether a refusal is the recipe's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from pipeline.curate.findings import Finding
from pipeline.curate.form import Form, form_findings
from pipeline.curate.grounding import grounding_findings
from pipeline.kinds import KINDS
from pipeline.recipe import Recipe
from pipeline.records import Draft, Passage, Record

_SHARED = set(Draft.model_fields) & set(Record.model_fields)


def faults_of_edit(mine: Record, laid: Record, recipe: Recipe, passages: Mapping[str, Passage]) -> Iterator[str]:
    """For what the machine would have rejected it, each fault as a sentence after the name of its field."""
    kind = KINDS[mine.kind]
    refusals = recipe.refusals.every_sentence if recipe.refusals and kind.refusal else ()
    if refusals and mine.answer != laid.answer and mine.answer not in refusals:
        yield f"answer: is not the recipe's refusal, byte for byte: {refusals[0]!r}. The student would learn both."
    draft = draft_of(mine)
    # In which language they write a person knows; and looking for it takes longer than all else.
    checks = recipe.checks.model_copy(update={"language_odds": None})
    found: Iterable[Finding] = form_findings(draft, Form(checks, recipe.language))
    bearers = [passages[name] for name in draft.bearers if name in passages]
    if (kind.grounded or kind.quoted) and len(bearers) == len(draft.bearers):
        found = chain(found, grounding_findings(draft, bearers, recipe.checks.quote_alike, recipe.language))
    yield from (f"{_field_of(one)}: {one.detail}" for one in found if one.verdict == "rejected")


def draft_of(record: Record) -> Draft:
    """The record as the draft that the checks look at."""
    return Draft(**record.model_dump(include=_SHARED), persona=record.source if KINDS[record.kind].voiced else "")


def _field_of(finding: Finding) -> str:
    """Where on a line a finding is to be looked for."""
    if finding.check == "quote_alike":
        return "quote"
    about_answer = finding.check.startswith(("answer", "numbers")) or finding.detail.startswith("The answer")
    return "answer" if about_answer else "question"
