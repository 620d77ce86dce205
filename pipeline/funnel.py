"""The funnel: where every request and every draft ended. It adds up, or it says that it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.records import Draft, Rejection


@dataclass
class Funnel:
    """Counts of one run, from requests to published rows."""

    planned: int
    answered: int
    bought: int
    drafts: int = 0
    """Items that the replies held."""
    rejections: Counter[str] = field(default_factory=Counter)
    """By cause."""
    published: dict[str, int] = field(default_factory=dict)
    """Rows by file stem."""
    flags: Counter[str] = field(default_factory=Counter)
    """Of published rows, by code."""
    typos: int = 0
    """Published rows that repeat another with a typing slip: no draft of their own."""
    restored: int = 0
    """Records that stand by their sheet alone: no draft brings them any more."""
    awaiting: int = 0
    """Records that are not published until a person keeps them."""

    def entering(self, items: Iterable[Draft | Rejection]) -> Iterator[Draft | Rejection]:
        """The items, counted as they pass."""
        for item in items:
            self.drafts += 1
            yield item

    @property
    def adds_up(self) -> bool:
        """Every draft is published or withheld, waits for a person, or is a rejection with its cause."""
        ends = sum(self.published.values()) + self.awaiting + self.rejections.total()
        return self.drafts + self.restored + self.typos == ends

    @property
    def records(self) -> int:
        """What is left of the drafts, and what stands without one."""
        return self.drafts + self.restored - self.rejections.total()

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
        again = f"   {self.typos} of them once more with a typing slip" if self.typos else ""
        text.append(f"records   {self.records:>6}{again}")
        text += [f"          {count:>6}   {stem}" for stem, count in self.published.items()]
        text += [f"          {self.awaiting:>6}   awaiting review"] if self.awaiting else []
        by_count = sorted(self.flags.items(), key=lambda item: (-item[1], item[0]))
        text += [f"flagged   {count:>6}   {flag}, for the reviewer" for flag, count in by_count]
        if not self.adds_up:
            ends = sum(self.published.values()) - self.typos - self.restored + self.awaiting + rejected
            text.append(f"this funnel does not add up: {self.drafts} drafts, {ends} ends; please report it")
        return text
