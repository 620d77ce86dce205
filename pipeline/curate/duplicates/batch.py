"""The entries since the last whole batch."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.curate.duplicates.comparing import Known
from pipeline.curate.duplicates.neighbours import Vectors
from pipeline.curate.duplicates.runs import Keys, Positions
from pipeline.curate.findings import Finding


class Batch:
    """What is known of them, and where the next one comes to stand."""

    def __init__(self, first: int) -> None:
        self.first = self.end = first
        self.digests: list[int] = []
        self.kept: dict[int, Known] = {}
        self._texts: dict[int, list[int]] = {}
        """Key of a text to the places of those that have it."""
        self.words: list[tuple[Keys, Positions]] = []
        """Keys, and the place that each belongs to."""
        self.texts: list[tuple[Keys, Positions]] = []
        self.vectors: list[Vectors] = []
        self.findings: dict[int, Finding] = {}
        """Other than that nothing was found."""

    def keep(self, place: int, known: Known, text_key: int) -> None:
        """Later entries are compared with this one."""
        self.kept[place] = known
        self._texts.setdefault(text_key, []).append(place)

    def under(self, text_key: int) -> Sequence[Known]:
        """Those whose text has this key, in order."""
        places = self._texts.get(text_key)
        return [self.kept[place] for place in places] if places else ()
