"""Where the quote of a line stands in its passage, for the page to light it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.curate.grounding import align_quote
from pipeline.records import Passage, Record

_ALIKE = 80
"""A quote that a person is just editing is still found."""


class Passages:
    """The passages behind the records that were laid."""

    def __init__(self, records: Mapping[str, Record], passages: Mapping[str, Passage]) -> None:
        self._records = records
        self._passages = passages

    def place(self, line: Mapping[str, Any]) -> tuple[str, int, int]:
        """Id of the passage, and the span of the quote in its text; an empty one where it does not stand there."""
        record = self._records.get(line["id"])
        passage = self._passages.get(record.passage) if record else None
        if passage is None:
            return "", 0, 0
        quote = line.get("quote")
        found = align_quote(quote, passage.text, _ALIKE) if isinstance(quote, str) and quote else None
        return (passage.id, found.start, found.end) if found else (passage.id, 0, 0)

    def shown(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """What the page needs of these."""
        return {
            name: {
                "text": passage.text,
                "document": passage.document,
                "page": passage.page,
                "heading": " › ".join(passage.heading),
            }
            for name, passage in ((name, self._passages[name]) for name in sorted(ids))
        }
