"""Rounds: drafters that rest on records are built of what the drafters before them brought and the checks let pass."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.curate import curate
from pipeline.desk.reviewed import Reviewed
from pipeline.desk.said import Desk
from pipeline.draft import Drafter
from pipeline.draft.ground import Ground
from pipeline.draft.rewordings import RewordingDrafter
from pipeline.drafted import Asked, drafts_in_order, material, spool_of_items
from pipeline.history import History
from pipeline.kinds import DRAFTERS
from pipeline.material import Sources, build_drafters, choose_drafters, fix_drafter, ground_of
from pipeline.publish.schema import SLICES
from pipeline.publish.split import stem_of
from pipeline.recipe import Loaded
from pipeline.records import Record
from pipeline.wishes import Wish, read_wishes


@dataclass(frozen=True)
class Rounds:
    """The drafters of a run, round by round. A pure function of recipe, sources, replies and verdicts."""

    loaded: Loaded
    sources: Sources
    model: str
    """The teacher's, as requests name it."""
    history: History
    folder: Path
    """The dataset's outputs: vectors of meaning are kept there."""
    desk: Desk

    def __iter__(self) -> Iterator[list[Drafter]]:
        """First the drafters that rest on sources alone; then each later round's, built when it is asked for.

        Whoever asks the teacher does so between one and the next. With what is in the ledger already, all rounds
        can be gone through at once.
        """
        drafters = choose_drafters(self.loaded, self.sources, self.model)
        if self.desk.fixes:
            drafters.append(fix_drafter(self.desk.fixes, self.loaded, self.sources, self.model))
        yield drafters
        resting = {
            name: wanted for name, wanted in self.loaded.recipe.wanted.items() if DRAFTERS[name].rests_on_records
        }
        wishes = read_wishes(self.folder)
        last = max((getattr(wanted, "rounds", 1) for wanted in resting.values()), default=int(bool(wishes)))
        ground = replace(ground_of(self.loaded, self.sources, self.model), paid=self.history.paid)
        asked_more = True
        for number in range(1, last + 1):
            if asked_more:
                ground = replace(ground, records=list(self._records(drafters)), earlier=drafters)
            of_round = {name: wanted for name, wanted in resting.items() if getattr(wanted, "rounds", 1) >= number}
            new = build_drafters(of_round, replace(ground, round=number))
            if wishes and number == 1:
                new.append(self._rewording(wishes, ground))
            yield new
            drafters = [*drafters, *new]
            asked_more = any(next(drafter.requests(0, self.history.told), None) for drafter in new)

    def _rewording(self, wishes: Sequence[Wish], ground: Ground) -> Drafter:
        split = self.loaded.recipe.split
        return RewordingDrafter(wishes, self.sources.passages, ground, lambda record: stem_of(record, split) in SLICES)

    def all(self) -> list[Drafter]:
        """The drafters of every round, as the ledger lets them be built."""
        return [drafter for of_round in self for drafter in of_round]

    def standing(self) -> Iterable[Record]:
        """What the checks let pass of all that is in the ledger, as people want it."""
        return self._records(self.all())

    def _records(self, drafters: Sequence[Drafter]) -> Iterable[Record]:
        """What the checks let pass of all that these drafters brought, as people want it."""
        asked = Asked.of(drafters, self.history)
        against = material(self.loaded, self.folder, self.sources, asked, self.history)
        with spool_of_items(Path(tempfile.gettempdir())) as items:
            drafts = drafts_in_order(drafters, self.history, items, self.desk.mend)
            ends = curate(drafts, against, self.loaded.recipe.checks, dropped=self.desk.verdicts.gone)
            records = [end for end in ends if isinstance(end, Record)]
        return Reviewed(records, self.desk, self.sources.passages, self.loaded.recipe).standing()
