"""Dialogues after the review: a turn that a person changed is changed in the turns after it, one dropped ends them."""

from __future__ import annotations

from pipeline.desk.decisions import Yields
from pipeline.records import Record, Rejection


class Dialogues:
    """Goes through records in their order, and remembers what became of the turns of each dialogue."""

    def __init__(self) -> None:
        self._said: dict[str, dict[int, tuple[str, str]]] = {}
        self._fallen: dict[str, int] = {}

    def end(self, record: Record, end: Record | Rejection) -> Record | Rejection | Yields:
        """A turn as it is once the person's word on those before it is known; of one that falls, why."""
        place = len(record.earlier) // 2
        if isinstance(end, Rejection):
            self._fallen[record.fact] = min(place, self._fallen.get(record.fact, place))
            return end
        if place > self._fallen.get(record.fact, place):
            number = self._fallen[record.fact] + 1
            return Yields(
                "earlier_turn_rejected", f"A person dropped turn {number} of its dialogue, which it stands on."
            )
        said = self._said.setdefault(record.fact, {})
        said[place] = end.question, end.answer
        if end.earlier != record.earlier:  # the person wrote the turns before it anew, on this very line
            return end
        before = tuple(text for at in range(place) if at in said for text in said[at])
        known = len(before) == len(end.earlier) and before != end.earlier
        return end.model_copy(update={"earlier": before, "edited": True}) if known else end
