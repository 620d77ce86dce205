"""The funnel: where every request and every draft ended. It adds up, or it says that it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pipeline.records import Draft, Record, Rejection


@dataclass
class Funnel:
    """Counts of one run, from requests to published rows."""

    planned: int
    answered: int
    bought: int
    drafts: int
    rejections: Counter[str] = field(default_factory=Counter)
    published: dict[str, int] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)

    @classmethod
    def count(
        cls,
        planned: int,
        unanswered: int,
        bought: int,
        items: Sequence[Draft | Rejection],
        rejections: Sequence[Rejection],
        parts: Mapping[str, Sequence[Record]],
    ) -> Self:
        """The funnel of what the replies held (`items`), and where it ended: rejections, and records by file stem."""
        return cls(
            planned=planned,
            answered=planned - unanswered,
            bought=bought,
            drafts=len(items),
            rejections=Counter(rejection.cause for rejection in rejections),
            published={stem: len(records) for stem, records in parts.items()},
            flags=Counter(flag for records in parts.values() for record in records for flag in record.flags),
        )

    @property
    def adds_up(self) -> bool:
        """Every draft is published or withheld, or is a rejection with its cause."""
        return self.drafts == sum(self.published.values()) + self.rejections.total()

    def lines(self) -> list[str]:
        """The funnel as a person reads it."""
        rejected = self.rejections.total()
        silent = f"{self.planned - self.answered} without a reply"
        text = [
            f"requests  {self.planned:>6}   {self.answered} answered ({self.bought} in this run), {silent}",
            f"drafts    {self.drafts:>6}   in these replies",
            f"rejected  {rejected:>6}",
        ]
        by_count = sorted(self.rejections.items(), key=lambda item: (-item[1], item[0]))
        text += [f"          {count:>6}   {cause}" for cause, count in by_count]
        text.append(f"records   {self.drafts - rejected:>6}")
        text += [f"          {count:>6}   {stem}" for stem, count in self.published.items()]
        by_count = sorted(self.flags.items(), key=lambda item: (-item[1], item[0]))
        text += [f"flagged   {count:>6}   {flag}, for the reviewer" for flag, count in by_count]
        if not self.adds_up:
            ends = sum(self.published.values()) + rejected
            text.append(f"this funnel does not add up: {self.drafts} drafts, {ends} ends; please report it")
        return text
