"""Which earlier questions are near by meaning: every one is looked at, so that none is missed.

Vectors are kept as 16-bit numbers. A product of matrices finds what comes near the threshold; each pair it finds is
multiplied again by itself in 64 bits, so that what is decided does not depend on what stood beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curate.duplicates.runs import Positions
from pipeline.curate.meaning import Embedder

_MARGIN = 0.005
"""More than a product in 32 bits of vectors in 16 can be off by."""


class Vectors(NamedTuple):
    """Rows of length 1 and the position each belongs to."""

    positions: Positions
    rows: NDArray[np.float16]

    def to_bytes(self) -> bytes:
        """As they stand on the disk."""
        return self.positions.tobytes() + self.rows.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, dimensions: int) -> Vectors:
        """Raises ValueError if the content is not whole."""
        count = len(content) // (8 + 2 * dimensions)
        positions = np.frombuffer(content, np.int64, count)
        return cls(positions, np.frombuffer(content, np.float16, offset=8 * count).reshape(count, dimensions))

    def only(self, kept: NDArray[np.bool_]) -> Vectors:
        """Some of them."""
        return Vectors(self.positions[kept], self.rows[kept])


def joined(parts: Sequence[Vectors]) -> Vectors:
    """One after the other."""
    return Vectors(np.concatenate([part.positions for part in parts]), np.concatenate([part.rows for part in parts]))


def encoded(embedder: Embedder, questions: Sequence[str], positions: Positions) -> Vectors:
    """Vectors of these questions."""
    if not questions:
        return Vectors(positions, np.empty((0, embedder.dimensions), np.float16))
    return Vectors(positions, embedder.encode(questions).astype(np.float16))


def near(some: Vectors, others: Iterable[Vectors], least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs whose cosine is at least that: position among `some`, earlier position among `others`, cosine."""
    mine = some.rows.astype(np.float32)
    for block in others:
        found, theirs = np.nonzero(mine @ block.rows.astype(np.float32).T >= least - _MARGIN)
        for one, other in zip(found.tolist(), theirs.tolist(), strict=True):
            if block.positions[other] < some.positions[one]:
                cosine = float(np.dot(some.rows[one].astype(np.float64), block.rows[other].astype(np.float64)))
                if cosine >= least:
                    yield int(some.positions[one]), int(block.positions[other]), cosine
