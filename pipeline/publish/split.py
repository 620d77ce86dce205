"""The split: which records train, which are held out, by stable hash of passage, wording or field."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Assignment:
    """Which file each record goes to."""

    split: Split
    withheld: frozenset[str]
    """Ids of records."""
    counts: dict[str, int]
    """Records by file stem (train, the slices, withheld)."""

    def stem(self, record: Record) -> str:
        """The file stem of one of the records that were assigned."""
        return WITHHELD if record.id in self.withheld else _stem(record, self.split)


def assign(records: Iterable[Record], split: Split, refusal_share: float) -> Assignment:
    """Look at all records once, keeping little of each, and say where they go."""
    counts = dict.fromkeys((TRAIN, *SLICES, WITHHELD), 0)
    trained: set[str] = set()
    rephrased: list[tuple[str, str]] = []
    refusals: list[tuple[float, str]] = []
    for record in records:
        stem = _stem(record, split)
        counts[stem] += 1
        if stem == "rephrased":
            rephrased.append((record.fact, record.id))
        elif stem == TRAIN:
            trained.add(record.fact)
            if record.is_refusal:
                refusals.append((unit(split.salt, "share", record.id), record.id))
    away = {
        "rephrased": [name for fact, name in rephrased if fact not in trained],
        TRAIN: _above_share(refusals, counts[TRAIN] - len(refusals), refusal_share),
    }
    for stem, names in away.items():
        counts[stem] -= len(names)
        counts[WITHHELD] += len(names)
    return Assignment(split, frozenset().union(*away.values()), counts)


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


def _above_share(refusals: list[tuple[float, str]], others: int, share: float) -> list[str]:
    """Ids of the refusals, each after its rank, that are too many beside the other training records."""
    return [name for _, name in sorted(refusals)[int(share / (1 - share) * others) :]]


def prove_no_leak(records: Iterable[Record], assignment: Assignment, threshold: float) -> None:
    """Raises InputError unless the slices are what they are called. `records` is gone through twice.

    No question of a slice is alike to a trained one; no passage or fact of `unseen` is trained, no field
    of a refusal slice; every fact of `rephrased` is trained.
    """
    held_out = Questions(threshold)  # the slices and not the training records, for they are fewer
    stems: dict[str, str] = {}
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        stem = assignment.stem(record)
        if stem in SLICES:
            held_out.add(record.id, record.question)
            stems[record.id] = stem
        elif stem == TRAIN:
            parents["passage"].add(record.passage)
            parents["fact"].add(record.fact)
            parents[record.kind].add(record.field)
    parents["passage"].discard("")
    for record in records:
        stem = assignment.stem(record)
        if stem == TRAIN:
            partner = held_out.like(record.question)
            if partner:
                raise _leak(stems[partner[0]], *partner, f"the training question {record.id} asks the same")
        elif why := _trained_parent(stem, record, parents):
            raise _leak(stem, record.id, record.question, why)


def _trained_parent(stem: str, record: Record, trained: Mapping[str, set[str]]) -> str:
    """What of a slice's record is trained and should not be, or is not and should be."""
    if stem == "unseen" and (record.passage in trained["passage"] or record.fact in trained["fact"]):
        return "its passage or fact is trained"
    if stem == "rephrased" and record.fact not in trained["fact"]:
        return "its fact is not trained"
    if stem == record.kind and record.field in trained[stem]:
        return f"the field {record.field!r} is trained"
    return ""


def _leak(stem: str, name: str, question: str, why: str) -> InputError:
    return InputError(
        f"the dataset was not published: {name} in the {stem} slice ({question!r}) proves nothing: {why}.",
        remedy="Reword or drop one of the two in its review sheet.",
    )
