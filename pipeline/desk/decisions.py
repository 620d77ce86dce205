"""What all decisions of a person come to, found in two looks at the records: what stands, and what gives way to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from pipeline.curate.decontaminate import HeldOut
from pipeline.curate.findings import Finding
from pipeline.curate.grounding import find_quote
from pipeline.desk.edits import draft_of
from pipeline.desk.said import Desk
from pipeline.kinds import IMPORTED, KINDS
from pipeline.recipe import Recipe
from pipeline.records import Passage, Record, refusal_to
from pipeline.review.reading import Said
from pipeline.review.sheets import is_as_laid, text_of_record
from pipeline.review.verdicts import edited
from pipeline.words import bare


class Conflict(NamedTuple):
    """A text that the person edited, and that the machine has since made anew: the person's stands."""

    person: Record
    machine: Record


class Asks(Protocol):
    """A question with its answer, whoever made them."""

    @property
    def question(self) -> str:
        """As it stands."""
        ...

    @property
    def answer(self) -> str:
        """As it stands."""
        ...


def in_conflict(person: Asks, machine: Asks) -> Iterator[str]:
    """Of each text that person and machine have made differently, both, after the name of its field."""
    for name in ("question", "answer"):
        mine, other = getattr(person, name), getattr(machine, name)
        if mine != other:
            yield (
                f"{name}: you and the machine have both changed it. Yours stands: {mine!r}. The machine's is now:"
                f" {other!r}. Say keep, and this is not told again."
            )


class Yields(NamedTuple):
    """Why a record gives way."""

    cause: str
    detail: str
    partner: str = ""
    """Id of the record that it gives way to."""


@dataclass
class Decisions:
    """What is to be done with records, by id."""

    settled: dict[str, Record] = field(default_factory=dict)
    """With the person's text."""
    restored: list[Record] = field(default_factory=list)
    """Those that the machine no longer brings, and that the person wants all the same."""
    yielding: dict[str, Yields] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Id of a record to the cause for which its other version gives way."""
    strange: dict[str, str] = field(default_factory=dict)
    """What is odd about an edit."""
    lost: list[str] = field(default_factory=list)
    """Kept, and no longer there, for neither is what they were drafted from."""


@dataclass(frozen=True)
class Against:
    """What a person's texts are held against."""

    passages: Mapping[str, Passage]
    recipe: Recipe
    held_out: HeldOut | None = None
    """Texts that no record may hold."""


def decisions(records: Iterable[Record], desk: Desk, against: Against) -> Decisions:
    """Go through the records twice, if a person said anything that only all of them together settle."""
    if not (desk.verdicts.edited or desk.verdicts.kept or desk.fixes):
        return Decisions()
    return _Looking(records, desk, against).found()


class _Looking:
    """What is known of the records on the way."""

    def __init__(self, records: Iterable[Record], desk: Desk, against: Against) -> None:
        self._records, self._desk, self._passages = records, desk, against.passages
        self._language, self._held_out = against.recipe.language, against.held_out
        self._refusals = against.recipe.refusals.every_sentence if against.recipe.refusals else ()
        self._found = Decisions()
        self._replaces: dict[str, str] = {}
        """Of the versions that passed the checks, to the record of which each is another version."""
        self._asked: dict[str, str] = {}
        """What the person's own texts ask, less what nobody would miss, to the record that asks it first."""
        self._asked_again: dict[str, str] = {}
        """What other versions ask."""

    def found(self) -> Decisions:
        """First what stands, then what gives way."""
        said = self._desk.verdicts
        met: set[str] = set()
        changed: dict[str, Record] = {}
        for record in self._records:
            self._note_version(record)
            if (record.id in said.edited or record.id in said.kept) and record.id not in said.gone:
                met.add(record.id)
                if record.id in said.edited or not self._is_as_laid(record):
                    changed[record.id] = record
        missing = (said.edited.keys() | said.kept) - met - said.gone
        as_laid = self._desk.laid.records(changed.keys() | missing)
        for name, record in changed.items():
            self._settle(record, as_laid.get(name))
        for name in sorted(missing):
            self._restore(name, as_laid.get(name))
        self._repeated()
        self._replaced()
        return self._found

    def _is_as_laid(self, record: Record) -> bool:
        return is_as_laid(text_of_record(record), self._desk.laid.lines[record.id][1])

    def _note_version(self, record: Record) -> None:
        if record.replaces:
            self._replaces[record.id] = record.replaces
            if record.id not in self._desk.verdicts.gone:
                self._asked_again.setdefault(bare(record.question, self._language), record.id)

    def _settle(self, record: Record, laid: Record | None) -> None:
        """A record that the machine brings, and whose text the person edited, or kept as it was then."""
        said = self._desk.verdicts.edited.get(record.id)
        if said is not None:
            mine = self._edited(record, said, laid)
            self._found.settled[record.id] = mine
            self._stand(mine)
            same = text_of_record(mine)[:2] == text_of_record(record)[:2]
            if not (same or self._is_as_laid(record) or record.id in self._desk.verdicts.kept):
                self._found.conflicts.append(Conflict(mine, record))
        elif laid is not None and text_of_record(kept := self._ruled(laid)) != text_of_record(record):
            texts = {name: getattr(kept, name) for name in ("question", "answer", "quote", "page", "span", "rules")}
            # A refusal is the recipe's, and follows it.
            now = texts | ({"answer": record.answer} if record.is_refusal else {})
            self._found.settled[record.id] = record.model_copy(update=now)

    def _restore(self, name: str, laid: Record | None) -> None:
        """A record that the person edited or kept, and that the machine no longer brings."""
        said = self._desk.verdicts.edited.get(name)
        if laid is not None and laid.kind == IMPORTED:  # the mix brings it, or the recipe does not want it any more
            return
        if laid is None:
            self._found.strange[name] = "its draft is gone, and what it was made of was not kept when it was laid."
            return
        there = not laid.passage or laid.passage in self._passages
        if said is None and not there:
            self._found.lost.append(name)
            return
        now = laid
        if laid.is_refusal and self._refusals:
            now = laid.model_copy(update={"answer": refusal_to(laid.question, self._refusals)})
        restored = self._edited(now, said, laid) if said else self._ruled(now)
        self._note_version(restored)
        self._found.restored.append(restored)
        self._stand(restored)
        if said and not there and name not in self._desk.verdicts.kept:
            self._found.strange[name] = (
                "what it was drafted from is no longer in the documents; your text stands. Say keep, and this is not"
                " told again, or drop."
            )

    def _stand(self, mine: Record) -> None:
        """A text that is the person's own: others give way to it, unless it is one that nobody may train on."""
        self._asked.setdefault(bare(mine.question, self._language), mine.id)
        if self._held_out is None:
            return
        found = self._held_out.findings([draft_of(mine)])[0]
        for one in (found,) if isinstance(found, Finding) else found:
            if one.verdict == "rejected":
                self._found.yielding.setdefault(mine.id, Yields(one.cause, one.detail, one.partner))

    def _ruled(self, record: Record) -> Record:
        question, answer, rules = self._desk.rules.on(record.kind, record.question, record.answer)
        return record.model_copy(update={"question": question, "answer": answer, "rules": rules})

    def _edited(self, record: Record, said: Said, laid: Record | None) -> Record:
        """The record with the person's texts, and with the place of its quote where that has changed.

        The answer to a question to be refused follows the recipe, unless the person wrote another.
        """
        mine, passage = edited(record, said), self._passages.get(record.passage)
        if record.is_refusal and laid is not None and mine.answer == laid.answer:
            mine = mine.model_copy(update={"answer": record.answer})
        place = find_quote(mine.quote, passage.text) if passage and mine.quote != record.quote else None
        if passage is None or place is None:
            return mine
        span = (passage.start + place[0], passage.start + place[1])
        return mine.model_copy(update={"span": span, "page": passage.page_at(place[0])})

    def _repeated(self) -> None:
        """What asks the same as a text of the person's gives way to it; of two versions or edits the later does."""
        said, met = self._desk.verdicts, set[str]()
        for record in self._all() if self._asked or self._asked_again else ():
            name = record.id
            if name in said.gone or not KINDS[record.kind].compared:
                continue
            met.add(name)
            asks = bare(self._found.settled.get(name, record).question, self._language)
            mine, other = self._asked.get(asks), self._asked_again.get(asks)
            if mine and not self._related(mine, name):
                self._yields(name, mine, "exact_duplicate", f"{mine}, which a person edited or kept, asks the same.")
            elif other and other not in said.edited and not self._related(other, name):
                later, earlier = (name, other) if other in met else (other, name)
                self._yields(later, earlier, "exact_duplicate", f"{earlier}, which came before it, asks the same.")

    def _replaced(self) -> None:
        """A record of which another version has come is out, unless the person keeps it and not the other."""
        said, versions = self._desk.verdicts, defaultdict[str, list[str]](list)
        for version, name in self._replaces.items():
            if version not in self._found.yielding:
                versions[name].append(version)
        for name, those in versions.items():
            if name in said.kept and not any(one in said.kept or one in said.edited for one in those):
                for one in those:
                    self._yields(one, name, "superseded", f"The person keeps {name}, which it was to replace.")
            else:
                self._yields(name, those[-1], "replaced_by_fix", f"{those[-1]} is the version that a person asked for.")

    def _yields(self, name: str, to: str, cause: str, detail: str) -> None:
        self._found.yielding.setdefault(name, Yields(cause, detail, to))
        if cause == "exact_duplicate" and name in self._replaces:
            self._found.failed[self._replaces[name]] = cause

    def _all(self) -> Iterator[Record]:
        yield from self._records
        yield from self._found.restored

    def _related(self, one: str, other: str) -> bool:
        """The same, or versions of the same."""
        return self._first(one) == self._first(other)

    def _first(self, name: str) -> str:
        while name in self._replaces:
            name = self._replaces[name]
        return name
