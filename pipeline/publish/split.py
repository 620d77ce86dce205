"""The split: which records train, which are held out, by stable hash of passage, wording or field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pipeline.errors import InputError
from pipeline.kinds import KINDS, TOPICAL_KINDS
from pipeline.publish.schema import PREFERENCE, SLICES, TRAIN, asks
from pipeline.publish.twins import find_twins
from pipeline.publish.typos import make_slips
from pipeline.recipe import Recipe, Split
from pipeline.records import Record, content_id, lot
from pipeline.words import Questions, bare

WITHHELD = "withheld"
"""Accepted, and published nowhere today: a held-out wording whose fact has no trained one yet, a near-topic
refusal whose answered twin has not come yet, or a refusal above the recipe's share. It may join later; what was
published once never moves."""


@dataclass(frozen=True)
class Assignment:
    """Which file each record goes to, and what is added to it there."""

    split: Split
    withheld: frozenset[str]
    """Ids of records."""
    twins: Mapping[str, str]
    """Of near-topic refusals, to the id of the trained question with an answer."""
    slips: Mapping[str, str]
    """Id of a record to its question with a typing slip, which stands after it in the same file."""
    counts: dict[str, int]
    """Rows by file stem (train, the slices, withheld), those with a typing slip among them."""
    told: tuple[str, ...]
    """What a person should know about the share of refusals."""
    answered: int = 0
    """Trained rows with an answer, those with a typing slip among them."""
    refusals: int = 0
    """Rows with a refusal that may be trained, as far as the share lets them."""

    def stem(self, record: Record) -> str:
        """The file stem of one of the records that were assigned."""
        return WITHHELD if record.id in self.withheld else stem_of(record, self.split)

    def rows(self, records: Iterable[Record]) -> Iterator[tuple[str, Record]]:
        """Every record with its file stem, its twin named, and after it its typing slip if it has one."""
        for record in records:
            stem = self.stem(record)
            twin = self.twins.get(record.id)
            linked = record.model_copy(update={"twin": twin}) if twin else record
            yield stem, linked
            if slipped := self.slips.get(record.id):
                yield (
                    stem,
                    linked.model_copy(
                        update={"id": _slip_id(record.id, slipped), "question": slipped, "typo_of": record.id}
                    ),
                )


def assign(records: Iterable[Record], recipe: Recipe, imported: int = 0) -> Assignment:
    """Look at all records, keeping little of each, and say where they go.

    `imported` answered rows stand in training beside them: they let more refusals in, and change nothing else.
    `records` is gone through up to six times.
    """
    split, refusals = recipe.split, recipe.refusals
    trained: set[str] = set()
    rephrased: list[tuple[str, str]] = []
    topical: list[Record] = []
    for record in records:
        stem = stem_of(record, split)
        if stem == "rephrased":
            rephrased.append((record.fact, record.id))
        elif stem == TRAIN:
            trained.add(record.fact)
        if record.kind in TOPICAL_KINDS:
            topical.append(record)
    twins = _twins(records, topical, split, refusals.twin_overlap) if refusals else {}
    alone = {one.id for one in topical if one.id not in twins and stem_of(one, split) == TRAIN}
    away = {name for fact, name in rephrased if fact not in trained} | alone | _dialogues_away(records, recipe)
    slips = make_slips(
        lambda: (record for record in records if record.id not in away),
        lambda record: _slips(record, recipe),
        recipe.checks.near_duplicate,
    )
    rows = ((one, one.id in slips) for one in records if one.id not in away and stem_of(one, split) == TRAIN)
    ranked, answered = _ranked(rows, split.salt)
    told: tuple[str, ...] = ()
    if refusals:
        wanted = round(refusals.share / (1 - refusals.share) * (answered + imported))
        surplus = {(name, slip) for _, slip, name in ranked[wanted:]}
        away |= {name for name, slip in surplus if not slip}
        slips = {name: text for name, text in slips.items() if (name, True) not in surplus}
        told = (share_told(min(wanted, len(ranked)), answered + imported, refusals.share, len(alone)),)
    found = Assignment(split, frozenset(away), twins, slips, {}, told, answered, len(ranked))
    return _assignment(records, found)


def _dialogues_away(records: Iterable[Record], recipe: Recipe) -> set[str]:
    """The turns of dialogues that begin with what a slice asks: trained, they would give its answer away. And of those
    in a slice that begin with what is trained: they would examine nothing."""
    begin: dict[tuple[bool, str], set[str]] = defaultdict(set)
    for record in records:
        if KINDS[record.kind].turns and not record.earlier:
            trained = stem_of(record, recipe.split) == TRAIN
            begin[trained, bare(record.question, recipe.language)].add(record.fact)
    if not begin:
        return set()
    facts: set[str] = set()
    for record in records:
        trained = (stem := stem_of(record, recipe.split)) == TRAIN
        # Of two dialogues that begin alike the trained one gives way.
        if record.earlier or not (stem in SLICES or (trained and not KINDS[record.kind].turns)):
            continue
        asked = bare(asks(record.question, record.context, record.parent), recipe.language)
        facts |= begin.get((not trained, asked), set())
    return {record.id for record in records if KINDS[record.kind].turns and record.fact in facts}


def _assignment(records: Iterable[Record], found: Assignment) -> Assignment:
    """The same with its rows counted."""
    counts = dict.fromkeys((TRAIN, *SLICES, WITHHELD), 0)
    for record in records:
        stem = found.stem(record)
        counts[stem] = counts.get(stem, 0) + 1 + (record.id in found.slips)
    return replace(found, counts=counts)


def stem_of(record: Record, split: Split) -> str:
    """A child follows its parent: what was made from a held-out record is held out with it.

    Of pairs there is no slice, so those of held-out records are withheld.
    """
    stem = _by_source(record, split)
    if KINDS[record.kind].paired:
        return PREFERENCE if stem == TRAIN else WITHHELD
    return stem


def _by_source(record: Record, split: Split) -> str:
    salt, by = split.salt, KINDS[record.kind].split
    if by == "train":
        return TRAIN
    if by == "field":
        held, share = ("off_topic", split.off_topic) if record.kind == "off_topic" else ("near_topic", split.near_topic)
        return held if lot(salt, record.kind, record.field) < share else TRAIN
    rests_on = [one for one in (record.passage, *record.further_passages) if one] or [record.fact]
    held_out = {lot(salt, "unseen", one) < split.unseen for one in rests_on}
    if len(held_out) > 1:
        return WITHHELD  # it would teach what a held-out passage says, or examine on what is trained
    if held_out == {True}:
        return "unseen"
    if KINDS[record.kind].turns:
        return TRAIN  # a dialogue has one wording, and all its turns stay together
    # Of what no passage stands behind there is one wording only.
    reworded = record.passage and lot(salt, "rephrased", record.fact, record.parent or record.id) < split.rephrased
    return "rephrased" if reworded else TRAIN


def _twins(records: Iterable[Record], topical: Sequence[Record], split: Split, least: float) -> dict[str, str]:
    """A near-topic refusal without one is not trained: nothing would teach where the topic ends."""
    if not topical:
        return {}
    alone = (record for record in records if not (record.is_refusal or record.context))
    answered = (record for record in alone if stem_of(record, split) == TRAIN)
    return find_twins(topical, answered, least)


def _slips(record: Record, recipe: Recipe) -> bool:
    if KINDS[record.kind].paired or KINDS[record.kind].turns:
        return False
    share = recipe.typos.train if stem_of(record, recipe.split) == TRAIN else recipe.typos.slices
    return lot(recipe.split.salt, "typo", record.id) < share


def _ranked(train: Iterable[tuple[Record, bool]], salt: str) -> tuple[list[tuple[float, bool, str]], int]:
    """The refusals and their typing slips in the order in which they are trained as far as the share goes, and how many
    answered rows there are.

    `train` has each trained record and whether it has a slip. Lots decide, and of a question and its slip the question
    comes before the slip.
    """
    ranked: list[tuple[float, bool, str]] = []
    answered = 0
    for record, slipped in train:
        if KINDS[record.kind].by_context:
            continue
        if record.is_refusal:
            ranked += [(lot(salt, "share", record.id), slip, record.id) for slip in (False, True)[: 1 + slipped]]
        else:
            answered += 1 + slipped
    return sorted(ranked), answered


def share_told(refusals: int, answered: int, share: float, alone: int) -> str:
    """How many of the trained rows are refusals, how many the recipe's share lacks, and how many have no twin."""
    lacking = round(share / (1 - share) * answered) - refusals
    told = f"refusals: {refusals / max(refusals + answered, 1):.1%} of train.jsonl"
    told += f"; {share:.1%} are wanted: {lacking} more questions needed" if lacking > 0 else f" ({share:.1%} wanted)"
    return told + (f"; {alone} near-topic ones wait for a trained question that they sound like" if alone else "")


def _slip_id(name: str, slipped: str) -> str:
    return content_id(name, "typo", slipped)


def prove_no_leak(
    records: Iterable[Record], assignment: Assignment, language: str, imported: Iterable[Record] = ()
) -> None:
    """Raises InputError unless the slices are what they are called. `records` is gone through twice.

    No question of a slice is a trained or an imported one but for trifles or a typing slip; no passage or fact of
    `unseen` is trained, no field of a refusal slice; every fact of `rephrased` is trained. What is
    trained by preference is trained.
    """
    held_out = Questions(language)  # the slices and not the training records, for they are fewer
    stems: dict[str, tuple[str, str]] = {}
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for stem, record in assignment.rows(records):
        if stem in SLICES:
            stems[record.id] = stem, record.question
            if not record.earlier:  # what comes after other turns asks by itself nothing that could be known
                held_out.add(record.id, asks(record.question, record.context, record.parent))
        elif stem in (TRAIN, PREFERENCE):
            parents["passage"].update((record.passage, *record.further_passages))
            parents["fact"].add(record.fact)
            parents[record.kind].add(record.field)
            parents["row"].add(record.typo_of or record.id)
    parents["passage"].discard("")
    for stem, record in chain(assignment.rows(records), ((TRAIN, record) for record in imported)):
        if stem in (TRAIN, PREFERENCE):
            asked = asks(record.question, record.context, record.parent)
            partner = None if record.earlier else held_out.like(asked)
            if partner:
                where, question = stems[partner]
                raise _leak(where, partner, question, f"the training question {record.id} asks the same")
        elif stem in SLICES and (why := _trained_parent(stem, record, parents)):
            raise _leak(stem, record.id, record.question, why)


def _trained_parent(stem: str, record: Record, trained: Mapping[str, set[str]]) -> str:
    """What of a slice's record is trained and should not be, or is not and should be."""
    if stem == "unseen" and (record.passage in trained["passage"] or record.fact in trained["fact"]):
        return "its passage or fact is trained"
    if stem == "rephrased" and record.fact not in trained["fact"]:
        return "its fact is not trained"
    if (record.typo_of or record.id) in trained["row"]:
        return "the same but for a typing slip is trained"
    if KINDS[record.kind].split == "field" and record.field in trained[record.kind]:
        return f"the field {record.field!r} is trained"
    return ""


def _leak(stem: str, name: str, question: str, why: str) -> InputError:
    return InputError(
        f"the dataset was not published: {name} in the {stem} slice ({question!r}) proves nothing: {why}.",
        remedy="Reword or drop one of the two in its review sheet.",
    )
