"""All questions by their words: which of them are worth comparing with new ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np

from pipeline.curate.duplicates.batch import Batch
from pipeline.curate.duplicates.candidates import Counts, Pairs, Sieve, rarest
from pipeline.curate.duplicates.entry import Terms
from pipeline.curate.duplicates.hashing import TEXT, Hashed
from pipeline.curate.duplicates.runs import HIGH, Keys, Positions, Runs, Values

_NO_CAP = 1 << 32
_LIKELIEST = 4
"""Candidates of a question that are compared word by word: the first of them is the one, but for ties."""


class Blocks:
    """Under each word, and each text, the questions that have it.

    Only whole batches make a word common and stand in the blocks that are capped; the batch under way is looked at
    without a cap.
    """

    def __init__(self, terms: Terms, sieve: Iterable[tuple[int, bytes]], runs: Iterable[Values]) -> None:
        """From what was written down: the sieve's part of each batch by its first position, and the runs."""
        self._similar, self._cap = terms.similar_question, terms.candidates_per_word
        self._sieve, self._runs = Sieve(self._similar), Runs(runs)
        self._words, self._texts = Counts(), Counts()
        for first, content in sieve:
            self._sieve.put_bytes(first, content)

    @property
    def runs(self) -> list[Values]:
        """To be written down; one that is another object than before has changed."""
        return list(self._runs.runs)

    def sieve(self, batch: Batch) -> bytes:
        """To be written down of a batch."""
        return self._sieve.to_bytes(batch.first, batch.end)

    def begin(self, first: int) -> None:
        """Forget all from this position on, where a batch begins, and be ready for another."""
        self._runs.forget(first)
        for run in self._runs.runs:
            self._count((run >> HIGH).astype(np.uint32))

    def lay(self, batch: Batch, places: Positions, told: Hashed) -> None:
        """What stands at these places of the batch under way, which has room for them."""
        self._sieve.reserve(batch.end)
        self._sieve.put(places, told)
        batch.words.append((told.keys, places[told.owners]))
        batch.texts.append((told.texts, places))

    def seal(self, batch: Batch) -> None:
        """A whole batch enters the blocks."""
        keys, positions = (np.concatenate(parts) for parts in zip(*batch.words, *batch.texts, strict=True))
        self._runs.add(keys, positions)
        self._count(np.sort(keys))

    def _count(self, ascending: Keys) -> None:
        words = np.searchsorted(ascending, TEXT)
        self._words.add(ascending[:words])
        self._texts.add(ascending[words:])

    def same_text(self, text_keys: Keys) -> list[tuple[int, int]]:
        """Number and position in whole batches of each pair of texts with the same key, in ascending order."""
        known = np.flatnonzero(self._texts.of(text_keys))
        found = self._runs.find(text_keys[known], _NO_CAP)
        pairs = ((known[which].tolist(), there.tolist()) for which, there in found)
        return sorted(pair for which, there in pairs for pair in zip(which, there, strict=True))

    def likely(self, batch: Batch, places: Positions, told: Hashed) -> Pairs:
        """Of each of these places, laid before, the likeliest earlier ones: which of the places, and the position."""
        owners, keys = rarest(told, self._words.of(told.keys), self._similar, self._cap)
        under_way = Runs()
        under_way.add(*(np.concatenate(parts) for parts in zip(*batch.words, strict=True)))
        known = np.flatnonzero(self._words.of(keys))  # most of the rarest were never met before
        found = chain(
            ((owners[known[which]], there) for which, there in self._runs.find(keys[known], self._cap)),
            ((owners[which], there) for which, there in under_way.find(keys, _NO_CAP)),
        )
        return self._sieve.likely(places, found, _LIKELIEST)
