"""The split: which records train, which are held out, by stable hash of passage, wording or field."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.errors import InputError
from pipeline.publish.schema import SLICES, TRAIN
from pipeline.publish.twins import find_twins
from pipeline.publish.typos import with_typo
from pipeline.recipe import Recipe, Split
from pipeline.records import TOPICAL_KINDS, Record, content_id, normalised
from pipeline.words import Questions

WITHHELD = "withheld"
"""Accepted, and published nowhere today: a held-out wording whose fact has no trained one yet, a near-topic
refusal whose answered twin has not come yet, or a refusal above the recipe's share. It may join later; what was
published once never moves."""


def unit(*parts: str) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def split_records(records: Sequence[Record], recipe: Recipe) -> dict[str, list[Record]]:
    """Records by file stem (train, the slices, withheld), each in the order given, typing slips after them."""
    parts: dict[str, list[Record]] = {name: [] for name in (TRAIN, *SLICES, WITHHELD)}
    for record in records:
        parts[_stem(record, recipe.split)].append(record)
    trained = {record.fact for record in parts[TRAIN]}
    _withhold(parts, "rephrased", [record for record in parts["rephrased"] if record.fact not in trained])
    if recipe.refusals:
        _link_twins(parts, recipe.refusals.twin_overlap)
    _add_typos(parts, recipe)
    if recipe.refusals:
        _withhold(parts, TRAIN, _above_share(parts[TRAIN], recipe.split.salt, recipe.refusals.share))
    return parts


def share_told(parts: Mapping[str, Sequence[Record]], share: float) -> str:
    """One line for the person: which share of train.jsonl are refusals, and how many the recipe's share lacks."""
    train = parts[TRAIN]
    refusals = sum(record.is_refusal for record in train)
    told = f"refusals: {refusals / max(len(train), 1):.1%} of train.jsonl"
    lacking = _wanted(share, len(train) - refusals) - refusals
    told += f"; {share:.1%} are wanted: {lacking} more questions needed" if lacking > 0 else f" ({share:.1%} wanted)"
    alone = sum(record.kind in TOPICAL_KINDS and not record.twin for record in parts[WITHHELD])
    return told + (f"; {alone} near-topic ones wait for a trained question that they sound like" if alone else "")


def _wanted(share: float, answered: int) -> int:
    """How many refusals beside so many answered questions make up the share, to the nearest row."""
    return round(share / (1 - share) * answered)


def _stem(record: Record, split: Split) -> str:
    salt = split.salt
    if record.is_refusal:
        held, share = ("off_topic", split.off_topic) if record.kind == "off_topic" else ("near_topic", split.near_topic)
        return held if unit(salt, record.kind, record.field) < share else TRAIN
    if record.kind == "persona":
        return "unseen" if unit(salt, "unseen", record.source, normalised(record.question)) < split.unseen else TRAIN
    if unit(salt, "unseen", record.passage) < split.unseen:
        return "unseen"
    if unit(salt, "rephrased", record.fact, record.id) < split.rephrased:
        return "rephrased"
    return TRAIN


def _link_twins(parts: dict[str, list[Record]], least: float) -> None:
    """Name each near-topic refusal's twin. One without is not trained: nothing would teach where the topic ends."""
    answered = [record for record in parts[TRAIN] if not record.is_refusal]
    refusals = [record for stem in (TRAIN, "near_topic") for record in parts[stem] if record.kind in TOPICAL_KINDS]
    twins = find_twins(refusals, answered, least)
    for stem in (TRAIN, "near_topic"):
        parts[stem] = [_with_twin(record, twins) for record in parts[stem]]
    _withhold(parts, TRAIN, [record for record in parts[TRAIN] if record.kind in TOPICAL_KINDS and not record.twin])


def _with_twin(record: Record, twins: Mapping[str, str]) -> Record:
    return record.model_copy(update={"twin": twins[record.id]}) if record.id in twins else record


def _add_typos(parts: dict[str, list[Record]], recipe: Recipe) -> None:
    """After the rows of a part, some of them again with a typing slip: never in another part than the row itself.

    A slip that makes a question alike to any but its own is left out: it would have two answers, or leak.
    """
    if not recipe.typos.train and not recipe.typos.slices:
        return
    rows = [record for stem in (TRAIN, *SLICES) for record in parts[stem]]
    known = {word for record in rows for word in normalised(record.question).split()}
    asked = Questions(recipe.checks.near_duplicate)
    for record in rows:
        asked.add(record.id, record.question)
    for stem in (TRAIN, *SLICES):
        share = recipe.typos.train if stem == TRAIN else recipe.typos.slices
        for record in [record for record in parts[stem] if unit(recipe.split.salt, "typo", record.id) < share]:
            slipped = with_typo(record.question, known)
            if slipped and not asked.like(slipped, but=record.id):
                name = content_id(record.id, "typo", slipped)
                asked.add(name, slipped)
                parts[stem].append(record.model_copy(update={"id": name, "question": slipped, "typo_of": record.id}))


def _above_share(train: Sequence[Record], salt: str, share: float) -> list[Record]:
    """The refusals that are too many: those whose lot is drawn last, a typing slip right after its own question."""
    refusals = [record for record in train if record.is_refusal]
    ranked = sorted(refusals, key=lambda one: (unit(salt, "share", one.typo_of or one.id), bool(one.typo_of)))
    return ranked[_wanted(share, len(train) - len(refusals)) :]


def _withhold(parts: dict[str, list[Record]], stem: str, records: Sequence[Record]) -> None:
    away = {record.id for record in records}
    parts[stem] = [record for record in parts[stem] if record.id not in away]
    parts[WITHHELD] += [record for record in records if not record.typo_of]  # a slip can be made again


def prove_no_leak(parts: dict[str, list[Record]], threshold: float) -> None:
    """Raises InputError unless the slices are what they are called.

    No question of a slice is alike to a trained one, or the same but for a typing slip; no passage or fact of
    `unseen` is trained, no field of a refusal slice; every fact of `rephrased` is trained.
    """
    train = parts[TRAIN]
    asked = Questions(threshold)
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for record in train:
        asked.add(record.id, record.question)
        parents["passage"].add(record.passage)
        parents["fact"].add(record.fact)
        parents[record.kind].add(record.field)
        parents["row"].add(record.typo_of or record.id)
    parents["passage"].discard("")
    for stem in SLICES:
        for record in parts[stem]:
            partner = asked.like(record.question)
            if partner:
                raise _leak(stem, record, f"the training question {partner[0]} asks the same")
            if stem == "unseen" and (record.passage in parents["passage"] or record.fact in parents["fact"]):
                raise _leak(stem, record, "its passage or fact is trained")
            if stem == "rephrased" and record.fact not in parents["fact"]:
                raise _leak(stem, record, "its fact is not trained")
            if (record.typo_of or record.id) in parents["row"]:
                raise _leak(stem, record, "the same but for a typing slip is trained")
            if record.is_refusal and record.field in parents[record.kind]:
                raise _leak(stem, record, f"the field {record.field!r} is trained")


def _leak(stem: str, record: Record, why: str) -> InputError:
    return InputError(
        f"the dataset was not published: {record.id} in the {stem} slice ({record.question!r}) proves nothing: {why}.",
        remedy="Reword or drop one of the two in its review sheet.",
    )
