"""No question that only trains may be one that the student is examined on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.curate.findings import Finding
from pipeline.records import Draft
from pipeline.words import Questions


def examined(questions: Mapping[str, str], language: str) -> Callable[[Sequence[Draft]], list[Finding]]:
    """The check: held-out questions by the id of their record, and the language they are in."""
    known = Questions(language)
    for name, question in questions.items():
        known.add(name, question)

    def finding(draft: Draft) -> Finding:
        partner = known.like(draft.question)
        if partner is None:
            return Finding("examined", f"none of {len(questions)} held-out questions")
        detail = f"It asks what the student is examined on: {questions[partner]!r}."
        return Finding("examined", "held out", "rejected", "asks_what_is_examined", detail, partner)

    return lambda drafts: list(map(finding, drafts))
