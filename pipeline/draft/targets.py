"""Targets: how many questions of each nature and difficulty a passage is to have, and how many of them are lacking."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from pipeline.records import Record

Nature = Literal["factual", "how", "why", "comparison", "scenario"]
Difficulty = Literal["any", "easy", "medium", "hard"]
NATURES: tuple[str, ...] = get_args(Nature)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)
ANY = "any"

Targets = Mapping[Nature, Mapping[Difficulty, int]]


class Aim(NamedTuple):
    """One sort of question."""

    nature: str
    difficulty: str

    def __str__(self) -> str:
        return self.nature if self.difficulty == ANY else f"{self.nature} ({self.difficulty})"


class Accepted:
    """How many questions of each sort every passage has, of those that passed the checks."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._counts: defaultdict[str, Counter[Aim]] = defaultdict(Counter)
        for record in records:
            if record.kind == "document" and record.field in NATURES:
                self._counts[record.passage][Aim(record.field, record.difficulty)] += 1

    def lacking(self, passage: str, targets: Targets) -> dict[Aim, int]:
        """What a passage lacks. What a difficulty has beyond its own target counts towards `any`."""
        counts = self._counts.get(passage, Counter())
        lacking: dict[Aim, int] = {}
        for nature, wanted in targets.items():
            spare = sum(number for aim, number in counts.items() if aim.nature == nature)
            for difficulty in sorted(wanted, key=DIFFICULTIES.index, reverse=True):  # `any` takes what is left
                aim = Aim(nature, difficulty)
                held = min(wanted[difficulty], spare if difficulty == ANY else counts[aim])
                spare -= held
                if held < wanted[difficulty]:
                    lacking[aim] = wanted[difficulty] - held
        return lacking
