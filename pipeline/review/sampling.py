"""A share of the records for a person to judge, and what their verdicts say of all."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

from pipeline.records import Record, lot
from pipeline.review.verdicts import Verdicts

_Z = 1.959964
"""Of the standard normal distribution: 95 % lie between minus and plus this."""


@dataclass(frozen=True)
class Chosen:
    """The records that are laid before a person: a share by stable hash, and every version that a person asked for."""

    records: Iterable[Record]
    sample: float
    yielding: Container[str]
    """Ids of those that give way to others, and need no judging."""

    def __iter__(self) -> Iterator[Record]:
        return (one for one in self.records if one.id not in self.yielding and self._is_drawn(one))

    def _is_drawn(self, record: Record) -> bool:
        return self.sample >= 1 or bool(record.replaces) or lot("review", record.id) < self.sample


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): it keeps its word for few trials and for shares near 0 and 1."""
    share, square = hits / trials, _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def acceptance_told(verdicts: Verdicts, sample: float, records: int) -> list[str]:
    """How many of the lines judged so far are kept as they were, and how many of all records that makes.

    Nothing as long as nobody says keep: who only drops leaves open which of the other lines were read.
    """
    gone = verdicts.gone | verdicts.fixes.keys()
    changed = verdicts.edited.keys() - gone
    kept = verdicts.kept - gone - changed
    if not kept:
        return []
    judged = len(kept) + len(changed) + len(gone)
    low, high = wilson(len(kept), judged)
    about = round(records * len(kept) / judged)
    asked = f" of a sample of {sample:.0%}" if sample < 1 else ""
    return [
        f"review: of {judged} lines judged{asked} {len(kept)} are kept as they were, {len(changed)} edited,"
        f" {len(gone)} dropped or to be mended: {len(kept) / judged:.1%} acceptable as they are"
        f" (95 % between {low:.1%} and {high:.1%}), about {about:,} of {records:,} records."
    ]
