"""Why a row of a set that is mixed in stands in the dataset, or does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.curate.findings import Finding
from pipeline.drafted import texts_held_out
from pipeline.kinds import IMPORTED
from pipeline.mix.mixing import Standing, what_stands
from pipeline.mix.rows import Ticket, lot_of
from pipeline.mix.screen import Screen, draft_of
from pipeline.publish.schema import MixedSet, Row
from pipeline.recipe import Loaded
from pipeline.records import Record


class Told(NamedTuple):
    """What can be told of an imported row: a label and a text each, and the word of each check on it today."""

    lines: list[tuple[str, str]]
    findings: list[Finding]


def tell(one: Row | Record, loaded: Loaded, sets: dict[str, MixedSet], rows: Iterable[tuple[str, Row]]) -> Told:
    """Of a row that was published, or laid on a sheet, beside the `rows` that are published with their files' stems."""
    recipe, texts = loaded.recipe, (one.question, one.answer, one.context, *one.earlier)
    lines = [("draft", f"{one.id} ({one.kind})"), ("question", one.question), ("answer", one.answer)]
    lines += [("context", one.context)] if one.context else []
    lines += [("earlier", text) for text in one.earlier]
    account = sets.get(one.source)
    licence = f" ({account.licence})" if account else ""
    lines.append(
        ("source", f"row {one.place.rpartition(':')[2]} of {one.place.rpartition(':')[0]}, set {one.source}{licence}")
    )
    if account and not one.edited:
        lot = lot_of(recipe.split.salt, texts)
        drawn = f"{account.checked:,} of {account.read:,} rows were drawn and checked, {account.taken:,} taken"
        lines.append(("drawn", f"lot {lot:.6f}, the lowest first; {drawn}"))
    wanted = recipe.mix.sets.get(one.source) if recipe.mix else None
    if wanted is None:
        return Told([*lines, ("", "Today's recipe does not mix in that set.")], [])
    # No embedder is woken for one row.
    against, seen = what_stands(recipe, _others(one, rows), list(texts_held_out(loaded)), None)
    ticket = Ticket(0, one.place, one.question, one.answer, one.context, one.earlier)
    drafts = [draft_of(ticket, one.source)]
    screen = Screen(wanted, against, seen)
    return Told(lines, [*screen.findings(drafts)[0], *screen.repeats(drafts)])


def _others(one: Row | Record, rows: Iterable[tuple[str, Row]]) -> Iterator[Standing]:
    """All but itself."""
    for stem, row in rows:
        if row.id != one.id and row.kind != IMPORTED:
            yield Standing(stem, row.id, row.question, row.answer, row.context, row.earlier, row.refusal)
