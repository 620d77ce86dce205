"""The desk: all that a person has said about one dataset, in sheets and rules, as it stands now."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from pipeline.curate import record_id
from pipeline.desk.laid import Fix, Laid
from pipeline.draft.fixes import Wanted
from pipeline.records import Draft, Record, Rejection
from pipeline.review.reading import Fault
from pipeline.review.rules import Rules, read_rules
from pipeline.review.verdicts import Verdicts, edited, read_sheets
from pipeline.teacher.ledger import Ledger


@dataclass(frozen=True)
class Desk:
    """What a person said, by which a run goes."""

    folder: Path
    """The dataset's outputs."""
    laid: Laid
    verdicts: Verdicts
    rules: Rules

    @classmethod
    def read(cls, folder: Path, ledger: Ledger) -> Self:
        """Of the dataset whose outputs are in `folder`. Raises InputError if the rules cannot be read."""
        return cls(folder, Laid(ledger), Verdicts(), Rules()).again()

    def again(self) -> Self:
        """The same after the person has had time to change it. Raises InputError if the rules cannot be read."""
        review = self.folder / "review"
        return type(self)(self.folder, self.laid, read_sheets(review, self.laid.lines), read_rules(review))

    def mend(self, item: Draft | Rejection) -> Draft | Rejection:
        """A draft after the rules; one that became a record that the person edited stays as it was drafted."""
        if not self.rules or not isinstance(item, Draft):
            return item
        question, answer, rules = self.rules.on(item.kind, item.question, item.answer)
        if not rules or record_id(item) in self.verdicts.edited:
            return item
        changed = {"question": question, "answer": answer, "rules": rules}
        return item.model_copy(update=changed | ({"drafted": item.question} if question != item.question else {}))

    @cached_property
    def fixes(self) -> list[Wanted]:
        """What the teacher is to mend, or has been asked to, in the order of asking: new ones in that of the sheets."""
        standing = {name: words for name, words in self.verdicts.fixes.items() if name not in self.verdicts.gone}
        known = self.laid.fixes()
        asked = {(fix.record.id, fix.words) for fix in known}
        new = [name for name, words in standing.items() if (name, words) not in asked]
        records = self.laid.records(new)
        known += [Fix(self._as_seen(records[name]), standing[name]) for name in new if name in records]
        return [Wanted(fix.record, fix.words, standing.get(fix.record.id) == fix.words) for fix in known]

    def problems(self) -> list[str]:
        """What nobody can follow, each as file:line:column: what."""
        known = {one.record.id for one in self.fixes}
        lost = (self.verdicts.places[name] for name in self.verdicts.fixes if name not in known | self.verdicts.gone)
        what = "review: the teacher cannot be asked, for an older version laid the line; edit it, or run again."
        return [*self.verdicts.problems, *(Fault(place.number, 1, what).at(place.path) for place in lost)]

    def _as_seen(self, record: Record) -> Record:
        said = self.verdicts.edited.get(record.id)
        return edited(record, said) if said else record
