"""Rules over a whole dataset: what one would change, and which ones a person's edits suggest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.desk.edits import faults_of_edit
from pipeline.desk.said import Desk
from pipeline.errors import InputError
from pipeline.history import History
from pipeline.material import Say, gather
from pipeline.recipe import Loaded
from pipeline.records import Record
from pipeline.review.reading import Said
from pipeline.review.rules import Rule, Rules, make_rule
from pipeline.review.suggesting import Edit, Suggestion, suggestions
from pipeline.rounds import Rounds
from pipeline.teacher.endpoint import find_teacher
from pipeline.teacher.ledger import Ledger


@dataclass(frozen=True)
class Touched:
    """A record that a rule would change."""

    before: Record
    after: Record
    faults: Sequence[str]
    """For what the checks would reject it then."""

    def lines(self) -> list[str]:
        """As a diff."""
        where = f"{self.before.source}, page {self.before.page}" if self.before.page else self.before.source
        told = [f"@@ {self.before.id} ({where}) @@"]
        for name in ("question", "answer"):
            before, after = getattr(self.before, name), getattr(self.after, name)
            told += [f"-{name}: {before}", f"+{name}: {after}"] if before != after else []
        return [*told, *(f"!{fault} It would be rejected." for fault in self.faults)]


@dataclass
class Preview:
    """How far a rule reaches, counted on the way."""

    records: int = 0
    touched: int = 0
    rejected: int = 0
    spared: int = 0
    """Would be touched, and were edited by hand."""

    def __str__(self) -> str:
        told = f"{self.touched} of {self.records} records would be changed"
        told += f"; {self.rejected} of them would then be rejected" if self.rejected else ""
        return told + (f"; {self.spared} that were edited by hand stay as they are" if self.spared else "")


def preview(rule: Rule, loaded: Loaded, out: Path, model: str, counts: Preview, say: Say) -> Iterator[Touched]:
    """What a rule would change in the records of today. Asks nobody and writes nothing.

    Raises InputError if the dataset has no ledger yet.
    """
    with _desk(loaded, out) as (desk, ledger):
        # Nobody is asked, so neither key nor address is needed; without a name it was the embedded teacher.
        asked_of = model or loaded.recipe.teacher.model or find_teacher("", "", {}).model
        sources = gather(loaded, say)
        rounds = Rounds(loaded, sources, asked_of, History(ledger, False), desk.folder, desk)
        rules = Rules([rule])
        for record in rounds.standing():
            counts.records += 1
            question, answer, touched = rules.on(record.kind, record.question, record.answer)
            if not touched:
                continue
            if record.edited:
                counts.spared += 1
                continue
            after = record.model_copy(update={"question": question, "answer": answer})
            faults = list(faults_of_edit(after, record, loaded.recipe, sources.passages))
            counts.touched += 1
            counts.rejected += bool(faults)
            yield Touched(record, after, faults)


def suggest(loaded: Loaded, out: Path, least: int) -> Iterator[tuple[Suggestion, int]]:
    """Corrections that the person made in at least so many records and that no rule makes yet.

    Each with how many other lines, not edited so far, it would change as well. Raises InputError without a ledger.
    """
    with _desk(loaded, out) as (desk, _):
        said = desk.verdicts
        edited = {name: one for name, one in said.edited.items() if name not in said.gone}
        laid = desk.laid.records(desk.laid.lines if edited else ())
        edits = [edit for name, one in edited.items() if name in laid for edit in _edits(laid[name], one.stripped())]
        known = {rule.replace for rule in desk.rules}
        others = [record for name, record in laid.items() if name not in edited and name not in said.gone]
        for found in suggestions(edits, least):
            if found.replace not in known:
                rule = Rules([make_rule(name="suggested", replace=found.replace, by=found.by, where=found.where)])
                reach = sum(bool(rule.on(one.kind, one.question, one.answer).rules) for one in others)
                yield found, reach


def _edits(laid: Record, said: Said) -> Iterator[Edit]:
    if said.question != laid.question:
        yield Edit(laid.id, "question", laid.question, said.question)
    if said.answer != laid.answer:
        yield Edit(laid.id, "answer", laid.answer, said.answer)


@contextmanager
def _desk(loaded: Loaded, out: Path) -> Iterator[tuple[Desk, Ledger]]:
    folder = out / loaded.recipe.name
    if not (folder / "ledger.sqlite").exists():
        raise InputError(f"{folder} has no ledger yet.", remedy="`coursework run` makes the dataset first.")
    with Ledger.look(folder) as ledger:
        yield Desk.read(folder, ledger), ledger
