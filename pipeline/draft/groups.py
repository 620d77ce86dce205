"""Groups of two or three related passages, chosen by share so that no later document moves one that was paid for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from pipeline.draft.related import Near, Related
from pipeline.records import Passage, lot

Group = tuple[Passage, ...]


class Shares(NamedTuple):
    """How much is brought together."""

    salt: str
    within: float
    """Of passages, each with the one of its document that is most related to it."""
    across: float
    """Of pairs of documents, the two most related passages of each pair."""
    three: float
    """Of pairs of passages, joined by a third."""
    least: float
    """Likeness from which passages are related."""


def groups_of(passages: Sequence[Passage], related: Related, shares: Shares) -> list[Group]:
    """Each group once, its passages in the order of their documents."""
    found: dict[frozenset[str], Group] = {}
    for pair in _pairs(passages, related, shares):
        group = tuple(sorted(_joined(pair, related, shares), key=lambda passage: (passage.document, passage.start)))
        found.setdefault(frozenset(passage.id for passage in group), group)
    return list(found.values())


def _pairs(passages: Sequence[Passage], related: Related, shares: Shares) -> Iterator[tuple[Passage, Passage]]:
    for passage in passages:
        if lot(shares.salt, "within", passage.id) < shares.within:
            near = related.nearest(passage, passage.document)
            if near and near[0].alike >= shares.least:
                yield passage, near[0].passage
    for one, other in combinations(sorted(related.documents), 2):
        if lot(shares.salt, "across", one, other) < shares.across:
            best = max(_across(one, other, related), key=lambda pair: (pair[1].alike, pair[0].id), default=None)
            if best and best[1].alike >= shares.least:
                yield best[0], best[1].passage


def _across(one: str, other: str, related: Related) -> Iterator[tuple[Passage, Near]]:
    """Each passage of one document with the nearest of the other."""
    for passage in related.documents[one].passages:
        if near := related.nearest(passage, other):
            yield passage, near[0]


def _joined(pair: tuple[Passage, Passage], related: Related, shares: Shares) -> Group:
    """The pair, or the three if its lot says so and a third passage of its documents is related to both."""
    if lot(shares.salt, "three", *sorted(passage.id for passage in pair)) >= shares.three:
        return pair
    documents = dict.fromkeys(passage.document for passage in pair)
    first, second = (
        {near.passage.id: near for document in documents for near in related.nearest(passage, document)}
        for passage in pair
    )
    both = [(min(first[name].alike, second[name].alike), name) for name in first.keys() & second.keys()]
    alike, third = max(both, default=(0.0, ""))
    return (*pair, first[third].passage) if alike >= shares.least else pair
