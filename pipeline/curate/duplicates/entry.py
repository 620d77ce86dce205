"""What is compared with everything before it, and the terms it is compared on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from pipeline.recipe import Checks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning."""

    @property
    def name(self) -> str:
        """The model; vectors of another are never compared with its own."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """One row of length 1 for each text, the same whichever texts it stands among."""
        ...


class Entry(NamedTuple):
    """A question in its place among all others."""

    id: str
    """Of its record."""
    question: str
    fact: str = ""
    """Wordings of one fact are meant to be similar."""
    dropped: bool = False
    """A person dropped its record: it stays known, so that it does not come back in another dress."""


class Terms(NamedTuple):
    """When two questions are the same or similar. The recipe says it, under `checks`."""

    near_duplicate: float
    similar_question: float
    similar_meaning: float
    same_meaning: float
    candidates_per_word: int
    language: str

    @classmethod
    def of(cls, checks: Checks, language: str) -> Self:
        """From the recipe."""
        return cls(
            checks.near_duplicate,
            checks.similar_question,
            checks.similar_meaning,
            checks.same_meaning,
            checks.candidates_per_word,
            language,
        )
