"""Turns what an examination showed to be weak into requests of the next run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.recipe import Loaded
from pipeline.weak import find_weakness, latest_student, next_round
from pipeline.wishes import add_wishes, read_wishes


@dataclass(frozen=True)
class Limits:
    """How much is wished for at once."""

    wordings: int = 4
    """Of each weak fact."""
    facts: int | None = None
    """At most so many, the weakest first; None: every one of them."""


def improve(loaded: Loaded, out: Path, student: str, limits: Limits) -> list[str]:
    """Write down wishes for the weak facts, and say what was found. The next run asks for them, within its budget.

    Raises InputError if there is no dataset, or no examination of it.
    """
    folder = out / loaded.recipe.name
    examined = latest_student(folder, student)
    weakness = find_weakness(folder / "dataset", examined)
    lines = [f"examination of {examined.name}:", *weakness.lines()]
    before = read_wishes(folder)
    number = next_round(before, weakness)
    if not number:
        return [*lines, "This examination was turned into wishes before: run the recipe, train and examine again."]
    wishes = weakness.wishes(number, limits.wordings, limits.facts)
    if not wishes:
        return [*lines, "No trained fact was answered wrongly: there is nothing to ask for."]
    add_wishes(folder, wishes)
    told = f"{len(wishes)} facts, {limits.wordings} more wordings of each, are wished for in {folder / 'wishes.jsonl'};"
    return [*lines, f"{told} the next run asks for them (`coursework plan` says at what cost)."]
