"""The mixing: sets in, records and rejections out, each set by itself and in the order in which the recipe names them.

The rows of a set go to a draw, come out by lot, and are held against what is in the dataset already. Nobody holds them:
rows wait on disk, records too, and of what was rejected the number is kept and a few examples.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from pipeline.curate import SHARD, Material, Origin, end_of, rejecting
from pipeline.curate.decontaminate import HeldOut, HeldOutText
from pipeline.curate.findings import Finding
from pipeline.kinds import IMPORTED
from pipeline.mix.kept import Shelf
from pipeline.mix.rows import Faulty, OpenSet, Ticket
from pipeline.mix.screen import Against, Screen, draft_of, meet
from pipeline.mix.seen import Seen
from pipeline.mix.similar import Meant, Own, Similar
from pipeline.mix.style import Drift, Measure, Tally
from pipeline.mix.supply import supply_of
from pipeline.publish.schema import SLICES, TRAIN, MixedSet
from pipeline.recipe import Decontamination, Recipe
from pipeline.records import Record, Rejection
from pipeline.spool import Spool

if TYPE_CHECKING:
    from pipeline.curate.meaning import Embedder

SAMPLED = "sample_of_imported"
"""Flag of the rows that are laid before a person in place of all the others."""
_EXAMPLES = 20
"""Rejections of each cause that are kept, of each set."""
_FEWEST = 64
"""Rows that are checked together at least."""


class Standing(NamedTuple):
    """A question of the dataset's own, and where it stands."""

    stem: str
    """Of its file; empty: a person dropped it, and it shall not come back from elsewhere."""
    id: str
    question: str
    answer: str
    context: str
    earlier: tuple[str, ...]
    refusal: bool

    @classmethod
    def of(cls, stem: str, record: Record) -> Self:
        """Of a record."""
        return cls(stem, record.id, record.question, record.answer, record.context, record.earlier, record.is_refusal)


@dataclass(frozen=True)
class Into:
    """The dataset that sets are mixed into."""

    recipe: Recipe
    folder: Path
    """Its outputs: what waits on disk waits there."""
    rows: Callable[[], Iterable[Standing]]
    """Its own, those that a person dropped among them."""
    held_out: Sequence[HeldOutText]
    """What stands in the files that the recipe names under decontamination."""
    embedder: Embedder | None
    as_wanted: Callable[[Record], Record | Rejection]
    """What a person made of a record that was laid on a sheet."""

    @property
    def shelf(self) -> Shelf:
        """What was drawn of sets of the hub."""
        return Shelf(self.folder)


@dataclass
class Mixture:
    """What came of the sets."""

    sets: dict[str, MixedSet] = field(default_factory=dict)
    sample: list[Record] = field(default_factory=list)
    """What is laid on a sheet."""
    examples: list[Rejection] = field(default_factory=list)
    """Some rejections of each cause and set."""
    drift: Drift | None = None
    warnings: list[str] = field(default_factory=list)
    """What somebody should know about where the rows come from."""

    @property
    def rows(self) -> int:
        """How many were taken."""
        return sum(one.taken for one in self.sets.values())


def mix(sets: Iterable[OpenSet], wanted: Mapping[str, int | None], into: Into, records: Spool[Record]) -> Mixture:
    """Take as many rows of each set as are `wanted` and pass, into `records`.

    Raises InputError and TryAgainLater where a set cannot be read to its end, CannotWrite.
    """
    measure, own, all_of_it = Measure(into.recipe.language), Tally(), Tally()
    against, seen = what_stands(into.recipe, into.rows(), into.held_out, into.embedder)
    for one in into.rows():
        if one.stem == TRAIN and not one.refusal:
            row = measure.of(one.question, one.answer)
            own.add(row)
            all_of_it.add(row)
    found, styles = Mixture(), {}
    sampled = into.recipe.mix.sample if into.recipe.mix else 0
    for opened in sets:
        taking = _Taking(opened, wanted[opened.name], Screen(opened.wanted, against, seen), into, sampled)
        of_set = Tally()
        for shard in taking.shards():
            records.add(shard)
            for record in shard:
                row = measure.of(record.question, record.answer)
                of_set.add(row)
                all_of_it.add(row)
        found.sets[opened.name] = taking.told()
        found.sample += taking.sample
        found.examples += taking.examples
        found.warnings += taking.warnings
        styles[opened.name] = of_set.style()
    found.drift = Drift(own=own.style(), mixed=all_of_it.style(), sets=styles)
    return found


def what_stands(
    recipe: Recipe, rows: Iterable[Standing], held_out: Sequence[HeldOutText], embedder: Embedder | None
) -> tuple[Against, Seen]:
    """What imported rows are held against, of the dataset's own `rows` and the texts held out by the recipe's files."""
    seen, own, texts = Seen(), list[Own](), list(held_out)
    lines: Counter[str] = Counter()
    for one in rows:
        lines[one.stem] += 1
        own.append(Own(one.id, one.question, one.stem not in (TRAIN, "")))
        meet(seen, one.question, one.context, one.earlier, recipe.language)
        if one.stem in SLICES:
            said = (one.question, *one.earlier, *(() if one.refusal else (one.answer,)))
            texts += (HeldOutText(f"{one.stem}.jsonl", lines[one.stem], text) for text in said)
    terms = recipe.decontamination or Decontamination(files=("none",))
    meant = Meant(texts, terms, embedder) if embedder else None
    against = Against(recipe.checks, recipe.language, HeldOut(texts, terms), meant, Similar(own, recipe.checks))
    return against, seen


class _Taking:
    """The taking of one set's rows."""

    def __init__(self, one: OpenSet, wanted: int | None, screen: Screen, into: Into, sampled: int) -> None:
        self._one, self._wanted, self._screen, self._into, self._sampled = one, wanted, screen, into, sampled
        self._supply = supply_of(one, into.shelf, into.folder)
        self._checked = self._taken = 0
        self._rejected: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._material = Material({}, lambda key: Origin("", ""))
        self.sample: list[Record] = []
        self.examples: list[Rejection] = []

    def shards(self) -> Iterator[list[Record]]:
        """The records that are taken, some at a time."""
        if self._wanted == 0:
            return
        tickets = self._supply.tickets(self._wanted, self._faulty)
        while shard := list(islice(tickets, self._at_once())):
            yield list(self._records(shard))
            if self._taken == self._wanted:
                return

    @property
    def warnings(self) -> list[str]:
        """Of where its rows come from."""
        return self._supply.warnings

    def _at_once(self) -> int:
        left = SHARD if self._wanted is None else self._wanted - self._taken
        return min(SHARD, max(_FEWEST, left))

    def _records(self, tickets: Sequence[Ticket]) -> Iterator[Record]:
        """Those of the rows that pass, until enough are taken."""
        drafts = [draft_of(ticket, self._one.name) for ticket in tickets]
        found = self._screen.findings(drafts)
        standing = [draft for draft, words in zip(drafts, found, strict=True) if _passed(words)]
        repeats = self._screen.repeats(standing)
        for draft, words in zip(drafts, found, strict=True):
            self._checked += 1
            if _passed(words):
                words.append(next(repeats))
            end = end_of(draft, words, self._material)
            if isinstance(end, Record):
                end = self._as_wanted(end.model_copy(update={"fact": end.id}))
            if isinstance(end, Rejection):
                self._reject(end)
                continue
            self._taken += 1
            yield end
            if self._taken == self._wanted:
                return

    def _as_wanted(self, record: Record) -> Record | Rejection:
        """The sample is drawn before a person's word counts: what is dropped makes no room for another."""
        if len(self.sample) < self._sampled:
            self.sample.append(record.model_copy(update={"flags": (SAMPLED, *record.flags)}))
        return self._into.as_wanted(record)

    def _faulty(self, row: Faulty, more: int) -> None:
        self._rejected[row.cause] += more
        self._reject(
            Rejection(
                cause=row.cause,
                detail=row.detail,
                kind=IMPORTED,
                answer=row.shown,
                field=self._one.name,
                place=row.place,
            )
        )

    def _reject(self, rejection: Rejection) -> None:
        self._rejected[rejection.cause] += 1
        self._shown[rejection.cause] += 1
        if self._shown[rejection.cause] <= _EXAMPLES:
            self.examples.append(rejection)

    def told(self) -> MixedSet:
        """The account of it."""
        one, kept = self._one, self._supply.kept
        return MixedSet(
            licence=one.wanted.licence,
            url=one.wanted.url,
            hub=one.wanted.hub,
            revision=kept.account.revision if kept else one.revision,
            drawn=kept.sha256 if kept else "",
            files={part.name: _sha256(part.path) for part in one.parts if part.path},
            layouts={part.name: part.layout.name for part in one.parts},
            read=self._supply.read,
            checked=self._checked,
            taken=self._taken,
            lacking=max(0, (self._wanted or 0) - self._taken),
            rejected=dict(sorted(self._rejected.items(), key=lambda item: (-item[1], item[0]))),
        )


def _passed(findings: Sequence[Finding]) -> bool:
    return rejecting(findings) is None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
