"""Whether what is shown with a question to be refused answers it after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.curate.findings import Finding
from pipeline.curate.grounding import find_quote
from pipeline.records import Draft
from pipeline.words import subject_words

if TYPE_CHECKING:
    from pipeline.curate import Material


def left_out(draft: Draft, material: Material, least: float) -> Finding:
    """Rejected where the words that answer it stand in another passage that is shown; flagged where one of them holds
    most of what the question is about (rare words count more), for the teacher has said that it is not answered.
    """
    check = "corpus_overlap"
    if find_quote(draft.quote, draft.context):
        detail = "The words that answer it stand in what is shown with it."
        return Finding(check, "its quote is shown", "rejected", "answered_by_context", detail)
    shown = [material.passages[name] for name in draft.further_passages if name in material.passages]
    weights = {word: material.corpus.weight(word) for word in sorted(subject_words(draft.question))}
    held = (subject_words(" ".join((*one.heading, one.text))) for one in shown)
    shares = [sum(weights[word] for word in weights.keys() & words) / (sum(weights.values()) or 1) for words in held]
    best = max(shares, default=0.0)
    measured = f"{best:.0%} of its words in one passage that is shown, below {least:.0%}"
    if best < least:
        return Finding(check, measured)
    return Finding(check, measured, "flagged", "close_to_context", f"One passage shown holds {best:.0%} of its words.")
