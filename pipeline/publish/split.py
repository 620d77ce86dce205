"""The split: which records train, which are held out, by stable hash of passage, wording or field."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from pipeline.errors import InputError
from pipeline.publish.schema import SLICES, TRAIN
from pipeline.recipe import Split
from pipeline.records import Record, normalised
from pipeline.words import Questions

WITHHELD = "withheld"
"""Accepted, and published nowhere today: a held-out wording whose fact has no trained one yet, or a
refusal above the recipe's share. It may join later; what was published once never moves."""


def unit(*parts: str) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def split_records(records: Sequence[Record], split: Split, refusal_share: float) -> dict[str, list[Record]]:
    """Records by file stem (train, the slices, withheld), each in the order given."""
    parts: dict[str, list[Record]] = {name: [] for name in (TRAIN, *SLICES, WITHHELD)}
    for record in records:
        parts[_stem(record, split)].append(record)
    trained = {record.fact for record in parts[TRAIN]}
    _withhold(parts, "rephrased", [record for record in parts["rephrased"] if record.fact not in trained])
    _withhold(parts, TRAIN, _above_share(parts[TRAIN], split.salt, refusal_share))
    return parts


def _stem(record: Record, split: Split) -> str:
    salt = split.salt
    if record.kind in ("off_topic", "near_topic"):
        share = split.off_topic if record.kind == "off_topic" else split.near_topic
        return record.kind if unit(salt, record.kind, record.field) < share else TRAIN
    if record.kind == "persona":
        return "unseen" if unit(salt, "unseen", record.source, normalised(record.question)) < split.unseen else TRAIN
    if unit(salt, "unseen", record.passage) < split.unseen:
        return "unseen"
    if unit(salt, "rephrased", record.fact, record.id) < split.rephrased:
        return "rephrased"
    return TRAIN


def _above_share(train: Sequence[Record], salt: str, share: float) -> list[Record]:
    refusals = [record for record in train if record.is_refusal]
    allowed = int(share / (1 - share) * (len(train) - len(refusals)))
    ranked = sorted(refusals, key=lambda record: unit(salt, "share", record.id))
    return ranked[allowed:]


def _withhold(parts: dict[str, list[Record]], stem: str, records: Sequence[Record]) -> None:
    away = {record.id for record in records}
    parts[stem] = [record for record in parts[stem] if record.id not in away]
    parts[WITHHELD] += records


def prove_no_leak(parts: dict[str, list[Record]], language: str) -> None:
    """Raises InputError unless the slices are what they are called.

    No question of a slice is a trained one but for trifles; no passage or fact of `unseen` is trained, no field
    of a refusal slice; every fact of `rephrased` is trained.
    """
    train = parts[TRAIN]
    asked = Questions(language)
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for record in train:
        asked.add(record.id, record.question)
        parents["passage"].add(record.passage)
        parents["fact"].add(record.fact)
        parents[record.kind].add(record.field)
    parents["passage"].discard("")
    for stem in SLICES:
        for record in parts[stem]:
            partner = asked.like(record.question)
            if partner:
                raise _leak(stem, record, f"the training question {partner} asks the same")
            if stem == "unseen" and (record.passage in parents["passage"] or record.fact in parents["fact"]):
                raise _leak(stem, record, "its passage or fact is trained")
            if stem == "rephrased" and record.fact not in parents["fact"]:
                raise _leak(stem, record, "its fact is not trained")
            if stem == record.kind and record.field in parents[stem]:
                raise _leak(stem, record, f"the field {record.field!r} is trained")


def _leak(stem: str, record: Record, why: str) -> InputError:
    return InputError(
        f"the dataset was not published: {record.id} in the {stem} slice ({record.question!r}) proves nothing: {why}.",
        remedy="Reword or drop one of the two in its review sheet.",
    )
