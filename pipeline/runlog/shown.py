"""What a run shows of its records: counts over all of them, and a few that are worth reading."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from pipeline.records import Record


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sample(_Part):
    """A record as the report shows it."""

    id: str
    kind: str
    question: str
    answer: str
    quote: str = ""
    source: str = ""
    page: int | None = None
    flags: tuple[str, ...] = ()
    score: float | None = None
    edited: bool = False

    @classmethod
    def of(cls, record: Record) -> Self:
        """What a person needs to judge it at a glance."""
        return cls(**{name: getattr(record, name) for name in cls.model_fields})


class Pair(_Part):
    """Two records whose questions are alike; both passed."""

    earlier: Sample
    later: Sample
    alike: float
    """0 to 100, the ratio of rapidfuzz."""


class Silent(_Part):
    """A passage of which no record was kept."""

    document: str
    page: int
    heading: str
    beginning: str


class Pages(_Part):
    """The records of one document, page by page."""

    document: str
    records: int
    by_page: dict[int, int]
    """Every page that a passage stands on; 0 where nothing came of it."""


class Cluster(_Part):
    """Questions that flags tie together, or a record with the drafts that were rejected because they repeat it."""

    questions: tuple[str, ...]
    size: int


class Shown(_Part):
    """All that the report says of the records of a run."""

    records: int = 0
    by_kind: dict[str, int] = {}
    question_words: dict[int, int] = {}
    """Number of words to number of questions."""
    answer_words: dict[int, int] = {}
    documents: tuple[Pages, ...] = ()
    silent: tuple[Silent, ...] = ()
    silent_in_all: int = 0
    passages: int = 0
    random: tuple[Sample, ...] = ()
    doubtful: tuple[Sample, ...] = ()
    pairs: tuple[Pair, ...] = ()
    pairs_in_all: int = 0
    similar: tuple[Cluster, ...] = ()
    repeated: tuple[Cluster, ...] = ()
    question_openings: dict[str, int] = {}
    answer_openings: dict[str, int] = {}
    remarks: tuple[str, ...] = ()
    """What the run says of the whole set: refusals, voice, variety, warnings."""
