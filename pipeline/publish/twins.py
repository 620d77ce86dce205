"""Twins: to a question that is to be refused, the trained question with an answer that sounds most like it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple

from pipeline.records import Record, normalised
from pipeline.words import subject_words

_KEPT = 64
"""Questions kept per word and opening: a word that thousands share is not looked through for each refusal."""


class _Asked(NamedTuple):
    name: str
    text: str
    words: frozenset[str]

    @property
    def opening(self) -> str:
        return self.text.partition(" ")[0]


def find_twins(refusals: Sequence[Record], answered: Iterable[Record], least: float) -> dict[str, str]:
    """Refusal's id to its twin's, for those that have one.

    A twin holds at least `least` of the term that the refusal names, each word counted by its rarity among answered
    questions. The one that holds most of it is taken; among equals one that holds it word for word, then one that
    opens with the same word, then the one that shares most of the other words, then the first.
    """
    terms = {refusal.id: _asked(refusal, refusal.term) for refusal in refusals}
    used: Counter[str] = Counter()
    kept: defaultdict[tuple[str, str], list[_Asked]] = defaultdict(list)
    wanted = frozenset[str]().union(*(term.words for term in terms.values()))
    number = 0
    for record in answered:
        number += 1
        other = _asked(record, record.question)
        for word in other.words & wanted:
            used[word] += 1
            if len(pool := kept[word, other.opening]) < _KEPT:
                pool.append(other)
    pools: defaultdict[str, list[_Asked]] = defaultdict(list)
    for (word, _), pool in kept.items():
        pools[word] += pool
    weights = {word: log(1 + (1 + number) / (1 + used[word])) for word in wanted}
    found = ((one.id, _twin(_asked(one, one.question), terms[one.id], pools, weights, least)) for one in refusals)
    return {name: twin for name, twin in found if twin}


def _asked(record: Record, text: str) -> _Asked:
    return _Asked(record.id, normalised(text), subject_words(text))


def _twin(
    one: _Asked, term: _Asked, pools: Mapping[str, Sequence[_Asked]], weights: Mapping[str, float], least: float
) -> str:
    whole = sum(weights[word] for word in sorted(term.words))
    literal = term.text.removesuffix("s")
    candidates = {other.name: other for word in sorted(term.words) for other in pools.get(word, ())}

    def rank(other: _Asked) -> tuple[float, bool, bool, int]:
        held = sum(weights[word] for word in sorted(term.words & other.words)) / whole
        return held, literal in other.text, other.opening == one.opening, len(one.words & other.words)

    best = max(candidates.values(), key=rank, default=None)
    return best.name if best and rank(best)[0] >= least else ""
