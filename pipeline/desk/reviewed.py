"""The records as a person wants them: edited, dropped, in another version, or standing by their sheet alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.curate.decontaminate import HeldOut
from pipeline.desk.decisions import Against, Decisions, Yields, decisions, in_conflict
from pipeline.desk.dialogues import Dialogues
from pipeline.desk.said import Desk
from pipeline.kinds import KINDS
from pipeline.recipe import Recipe
from pipeline.records import Passage, Record, Rejection
from pipeline.review.reading import Fault
from pipeline.review.verdicts import edited

_DROPPED = Yields("dropped_by_person", "A person dropped it, or deleted its line, in the review sheet.")


@dataclass(frozen=True)
class Reviewed:
    """Records after the review, gone through as often as wanted."""

    records: Iterable[Record]
    desk: Desk
    passages: Mapping[str, Passage]
    recipe: Recipe
    failed: Mapping[str, str] = field(default_factory=dict)
    """Id of a record to the cause for which its other version was rejected."""
    held_out: HeldOut | None = None
    """Texts that no record may hold, whoever wrote it."""

    def __iter__(self) -> Iterator[Record]:
        return (end for end in self._ends() if isinstance(end, Record) and self._is_published(end))

    def standing(self) -> Standing:
        """Those of the records themselves that a person wants, or may still keep: published or not."""
        return Standing(self)

    def imported(self, record: Record) -> Record | Rejection:
        """A row of a set that is mixed in, which is not among the records, as a person wants it."""
        name = record.id
        if name in self.desk.verdicts.gone:
            return _rejection(record, _DROPPED)
        if yields := self.decisions.yielding.get(name):
            return _rejection(record, yields)
        said = self.desk.verdicts.edited.get(name)
        return edited(record, said) if said else record

    def gone(self) -> Iterator[Record]:
        """Those of the records that a person dropped."""
        return (record for record in self.records if record.id in self.desk.verdicts.gone)

    def rejections(self) -> Iterator[Rejection]:
        """Those that the person does not want, and those that give way to what the person wants."""
        return (end for end in self._ends() if isinstance(end, Rejection))

    @property
    def awaiting(self) -> int:
        """How many wait for a person's `keep`, where the recipe requires it."""
        if self.recipe.review.mode == "optional":
            return 0
        return sum(isinstance(end, Record) and not self._is_published(end) for end in self._ends())

    @cached_property
    def decisions(self) -> Decisions:
        """What all that the person said comes to."""
        return decisions(self.records, self.desk, Against(self.passages, self.recipe, self.held_out))

    def _ends(self) -> Iterator[Record | Rejection]:
        yield from self.ends_of(self.records)
        yield from self.ends_of(self.decisions.restored)

    def ends_of(self, some: Iterable[Record]) -> Iterator[Record | Rejection]:
        """What becomes of each of some records, in their order."""
        dialogues = Dialogues()
        for record in some:
            end = self._end(record)
            if not KINDS[record.kind].turns:
                yield end
                continue
            turn = dialogues.end(record, end)
            yield _rejection(record, turn) if isinstance(turn, Yields) else turn

    def _end(self, record: Record) -> Record | Rejection:
        name, decided = record.id, self.decisions
        if name in self.desk.verdicts.gone:
            return _rejection(record, _DROPPED)
        if yields := decided.yielding.get(name):
            return _rejection(record, yields)
        settled = decided.settled.get(name, record)
        return settled.model_copy(update={"flags": (*settled.flags, "fix_failed")}) if name in self._failed else settled

    @cached_property
    def _failed(self) -> dict[str, str]:
        """Of the versions that were asked for and did not come to stand; what the person no longer asks for is gone."""
        failed = {**self.failed, **self.decisions.failed}
        return {name: cause for name, cause in failed.items() if name in self.desk.verdicts.fixes}

    def _is_published(self, record: Record) -> bool:
        required = self.recipe.review.mode == "required"
        return not required or record.edited or record.id in self.desk.verdicts.kept

    def problems(self) -> list[str]:
        """What a person should look at, each as file:line:column: what."""
        said, decided = self.desk.verdicts, self.decisions
        told = {
            name: f"review: the new version was rejected ({cause}); the old line stands."
            for name, cause in self._failed.items()
        }
        told |= {name: f"question: {why.detail}" for name, why in decided.yielding.items() if name in said.edited}
        told |= {one.person.id: " ".join(in_conflict(*one)) for one in decided.conflicts} | decided.strange
        places = sorted((said.places[name], what) for name, what in told.items() if name in said.places)
        return [Fault(place.number, 1, what).at(place.path) for place, what in places]

    def lines(self) -> list[str]:
        """What a run tells of it."""
        restored, lost = len(self.decisions.restored), len(self.decisions.lost)
        told = []
        if restored:
            told.append(f"review: {restored} records stand by their sheet alone; no draft brings them any more.")
        if lost:
            told.append(f"review: {lost} lines say keep of what is no longer in the documents; they are left out.")
        if waiting := self.awaiting:
            told.append(f"review: {waiting} records wait for a person's keep, which the recipe requires.")
        return told


@dataclass(frozen=True)
class Standing:
    """Records that stand, gone through as often as wanted."""

    reviewed: Reviewed

    def __iter__(self) -> Iterator[Record]:
        return (end for end in self.reviewed.ends_of(self.reviewed.records) if isinstance(end, Record))


def _rejection(record: Record, why: Yields) -> Rejection:
    return Rejection(
        cause=why.cause,
        detail=why.detail,
        kind=record.kind,
        question=record.question,
        answer=record.answer,
        quote=record.quote,
        partner=why.partner,
        passage=record.passage,
        field=record.field,
        replaces=record.replaces,
        place=record.place,
        request=record.request,
    )
