"""What is compared with everything before it, and the terms it is compared on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from pipeline.recipe import Checks

if TYPE_CHECKING:
    pass


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
