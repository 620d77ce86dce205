"""Whether the solution of a task is right as far as a program can tell."""

from __future__ import annotations

import re

from pipeline.curate.findings import Finding
from pipeline.curate.grounding import find_quote
from pipeline.records import Draft, Passage, normalised
from pipeline.words import subject_words

_TITLE = 0.5
"""Share of a title's words that have to stand in its passage."""


def solved(draft: Draft, passage: Passage | None) -> Finding:
    """Keywords and extractions stand in the passage, a label is one of the set and is named, a title speaks of the
    passage, and a sentence is one of its own that holds every keyword.
    """
    fault = _FAULTS[draft.field](draft, passage) if passage and draft.field in _FAULTS else ("", "")
    if not fault[0]:
        return Finding("solved", f"{draft.field}: as it should be")
    return Finding("solved", f"{draft.field}: {fault[0]}", "rejected", fault[0], fault[1])


def _keywords(draft: Draft, passage: Passage) -> tuple[str, str]:
    strange = [word for word in draft.answer.split(", ") if normalised(word) not in normalised(passage.text)]
    return ("keyword_not_in_passage", f"{strange[0]!r} does not stand in the passage.") if strange else ("", "")


def _copied(draft: Draft, passage: Passage) -> tuple[str, str]:
    if find_quote(draft.answer, passage.text):
        return "", ""
    return "not_copied", "The words do not stand in the passage."


def _label(draft: Draft, passage: Passage) -> tuple[str, str]:
    if draft.answer not in draft.labels:
        return "unknown_label", f"{draft.answer!r} is none of {', '.join(draft.labels)}."
    unnamed = [label for label in draft.labels if normalised(label) not in normalised(draft.question)]
    return ("label_not_named", f"The instruction does not name {unnamed[0]!r}.") if unnamed else ("", "")


def _title(draft: Draft, passage: Passage) -> tuple[str, str]:
    words = subject_words(draft.answer)
    held = words & subject_words(" ".join((*passage.heading, passage.text)))
    if words and len(held) >= _TITLE * len(words):
        return "", ""
    return "title_from_elsewhere", f"Of the title's {len(words)} words the passage has {len(held)}."


def _sentence(draft: Draft, passage: Passage) -> tuple[str, str]:
    said = normalised(draft.answer)
    unused = [word for word in re.split(r", ", draft.context) if normalised(word) not in said]
    if unused:
        return "keyword_not_used", f"The sentence does not hold {unused[0]!r}."
    return _copied(draft, passage)


_FAULTS = {
    "keywords": _keywords,
    "extraction": _copied,
    "routing": _label,
    "title": _title,
    "sentence": _sentence,
}
