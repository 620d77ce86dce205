"""The mix's part of a run: its sets are opened before anything is paid, and bring their rows at every rebuild."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.desk.reviewed import Reviewed
from pipeline.drafted import texts_held_out
from pipeline.files import Writing, blaming, json_line
from pipeline.material import Say
from pipeline.mix.kept import Shelf
from pipeline.mix.licences import following
from pipeline.mix.mixing import Into, Mixture, Standing, mix
from pipeline.mix.rows import OpenSet
from pipeline.mix.shares import wanted_of
from pipeline.mix.supply import open_set
from pipeline.publish.schema import MixedSet
from pipeline.publish.split import Assignment
from pipeline.recipe import Loaded, Recipe
from pipeline.records import Record
from pipeline.spool import Spool

if TYPE_CHECKING:
    from pipeline.curate.meaning import Embedder

REJECTED = "imported_rejected.jsonl"
"""Examples of rejected rows, in the dataset's outputs: some of each cause and set, for there may be a million."""


def open_sets(loaded: Loaded, outputs: Path, say: Say) -> list[OpenSet]:
    """The sets that the recipe mixes in, found and their layouts told; nothing more of them is read.

    Raises InputError where one cannot be used, TryAgainLater where the hub cannot be reached and nothing was drawn
    of a set on an earlier night.
    """
    recipe, shelf = loaded.recipe, Shelf(outputs, say)
    opened = []
    for name, wanted in recipe.mix.sets.items() if recipe.mix else ():
        one = open_set(name, wanted, loaded.folder, recipe.split.salt, shelf)
        layouts = ", ".join(dict.fromkeys(part.layout.name for part in one.parts))
        where = one.parts[0].name if len(one.parts) == 1 else f"{len(one.parts)} files"
        say(f"mix: {name}: {where}{f' at {one.revision[:12]}' if one.revision else ''}, {layouts}, {wanted.licence}")
        opened.append(one)
    return opened


class Beside(NamedTuple):
    """The dataset that the sets are trained beside."""

    folder: Path
    """Its outputs."""
    records: Reviewed
    """Its own, as a person wants them."""
    parts: Assignment
    """Where each of them goes."""
    embedder: Embedder | None


def mix_in(loaded: Loaded, sets: Sequence[OpenSet], beside: Beside, into: Spool[Record]) -> Mixture:
    """Draw and check the rows of all sets, `into` a spool; some that were rejected go to a file. Nothing without a mix.

    Raises InputError and TryAgainLater where a set cannot be read to its end, CannotWrite.
    """
    recipe, path = loaded.recipe, beside.folder / REJECTED
    if recipe.mix is None:
        with blaming(path):
            path.unlink(missing_ok=True)
        return Mixture()
    refused = recipe.refusals.share if recipe.refusals else None
    wanted = wanted_of(recipe.mix, beside.parts.answered, beside.parts.refusals, refused)
    dataset = Into(
        recipe=recipe,
        folder=beside.folder,
        rows=lambda: _standing(beside),
        held_out=list(texts_held_out(loaded)),
        embedder=beside.embedder,
        as_wanted=beside.records.imported,
    )
    found = mix(sets, wanted, dataset, into)
    with Writing(path) as rejected:
        for one in found.examples:
            rejected.write(json_line(one))
        rejected.finish()
    return found


def _standing(beside: Beside) -> Iterator[Standing]:
    yield from (Standing.of(stem, record) for stem, record in beside.parts.rows(beside.records))
    yield from (Standing.of("", record) for record in beside.records.gone())


def licence_of(recipe: Recipe, mixture: Mixture) -> str:
    """Of the whole dataset, where it follows from its parts."""
    if not recipe.licence:
        return ""
    return following((recipe.licence, *(one.licence for one in mixture.sets.values() if one.taken)))


def told(mixture: Mixture, trained: int) -> list[str]:
    """What the run says of the sets, beside `trained` rows in all."""
    lines = [f"warning: {warning}" for warning in mixture.warnings]
    lines += [line for name, one in mixture.sets.items() for line in _of_set(name, one, trained)]
    if mixture.sets:
        lines.append(
            f"imported  {mixture.rows:>6}   {mixture.rows / max(trained, 1):.1%} of train.jsonl's {trained} rows"
        )
    return lines + (mixture.drift.lines() if mixture.drift else [])


def warned(mixture: Mixture) -> list[str]:
    """What the mix changes so much that somebody should know."""
    return [f"warning: {warning}" for warning in mixture.drift.warnings()] if mixture.drift else []


def _of_set(name: str, one: MixedSet, trained: int) -> list[str]:
    lacking = f"; {one.lacking} more were wanted, and there are none" if one.lacking else ""
    return [
        f"mixed     {one.taken:>6}   {name} ({one.licence}), {one.taken / max(trained, 1):.1%} of train.jsonl;"
        f" {one.checked} of its {one.read} rows were drawn and checked{lacking}",
        *(f"          {count:>6}   {cause}" for cause, count in one.rejected.items()),
    ]
