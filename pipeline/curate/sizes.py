"""Whether a summary is of the size that it is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.constraints import count_words
from pipeline.curate.findings import Finding
from pipeline.records import Draft


def size(draft: Draft, wanted: Mapping[str, Any]) -> Finding:
    """As many words as `drafters.summary` in the recipe says for its size."""
    words = count_words(draft.answer)
    if "summary" not in wanted:  # another version of a record that an earlier recipe asked for
        return Finding("summary", f"{words} words")
    fewest, most = getattr(wanted["summary"], draft.field)
    measured = f"{words} words, {fewest} to {most}"
    if fewest <= words <= most:
        return Finding(f"summary.{draft.field}", measured)
    detail = f"It has {words} words; a {draft.field} summary has {fewest} to {most}."
    return Finding(f"summary.{draft.field}", measured, "rejected", "summary_length", detail)
