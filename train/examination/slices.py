"""Which questions an examination asks: the rows of each slice, by lot where there are too many."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pipeline.publish.schema import TRAIN, Row
from train.dataset import DatasetFolder
from train.examination.record import HELD_OUT, TRAINED, WITH_CONTEXT, Wanted

MOST_WITH_CONTEXT = 200
MOST_SAMPLED = 50
"""Questions of a slice that are asked many times: twenty answers to each are a thousand."""


def questions_of(data: DatasetFolder, wanted: Wanted) -> dict[str, tuple[Row, ...]]:
    """Slice to the rows that are asked."""
    asked = {name: by_lot(data.rows[TRAIN if name == TRAINED else name], wanted.most) for name in (TRAINED, *HELD_OUT)}
    if wanted.with_context:
        asked[WITH_CONTEXT] = _with_context(data, min(wanted.most, MOST_WITH_CONTEXT))
    return asked


def by_lot(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """At most so many rows, in their order; which ones is decided by their ids, not by what they say."""
    if len(rows) <= most:
        return tuple(rows)
    chosen = set(sorted((row.id for row in rows), key=lot)[:most])
    return tuple(row for row in rows if row.id in chosen)


def lot(name: str) -> str:
    """A number drawn for a name, the same every time."""
    return hashlib.sha256(name.encode()).hexdigest()


def _with_context(data: DatasetFolder, most: int) -> tuple[Row, ...]:
    """Held-out questions beside the words of the document that answer them; those to be refused beside other words.

    The dataset folder holds the quote of a row and not its whole passage, so the quote is what is shown.
    """
    quotes = sorted({row.quote for row in data.train if row.quote}, key=lot)
    plain = [row for name in HELD_OUT for row in data.rows[name] if not row.context and not row.earlier]
    shown = []
    for place, row in enumerate(by_lot([row for row in plain if row.quote or (row.refusal and quotes)], most)):
        quote = row.quote or quotes[place % len(quotes)]
        prompt = data.manifest.format_of_prompts.of(row.question, quote)
        shown.append(row.model_copy(update={"context": quote, "prompt": prompt}))
    return tuple(shown)
