"""Dialogues: a turn stands only while the turns before it do, and the first one leans on nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.curate.findings import Finding
from pipeline.kinds import KINDS
from pipeline.records import Draft
from pipeline.words import subject_words

_JOINS_ON = re.compile(r"(?:and|but|or|so|then|what about|how about)\b", re.IGNORECASE)
_LEANS = re.compile(r"\b(?:it|its|they|them|their|this|these|those|that one)\b(?! (?:is )?(?:true|possible)\b)", re.I)
_MEASURES = subject_words("long much many often far big old soon well large high fast early late")
_EXPLETIVE = re.compile(r"\bit\b(?=.*\b(?:to|that)\b)", re.IGNORECASE)


def first_alone(draft: Draft) -> Finding:
    """Whether a first question can be understood by itself; English only, for the words that lean are known of it."""
    if draft.earlier:
        return Finding("first_alone", "not the first")
    opened = _JOINS_ON.match(draft.question)
    leaning = _LEANS.search(draft.question)
    named = leaning is None or subject_words(draft.question[: leaning.start()]) - _MEASURES
    expletive = leaning is not None and _EXPLETIVE.match(draft.question[leaning.start() :])
    if not opened and (named or expletive):
        return Finding("first_alone", "names what it is about")
    said = (opened or leaning).group()  # type: ignore[union-attr]
    detail = f"The first question of a dialogue leans on something said before: {said!r}."
    return Finding("first_alone", repr(said), "rejected", "leans_on_nothing", detail)


class Standing:
    """Remembers which dialogues have lost a turn."""

    def __init__(self) -> None:
        self._fallen: dict[str, tuple[int, str]] = {}

    def findings(self, drafts: Sequence[Draft], found: Iterable[list[Finding]]) -> Iterator[list[Finding]]:
        """What was found of each draft, in order; a turn after one that was rejected is rejected with that cause."""
        for draft, findings in zip(drafts, found, strict=True):
            if not KINDS[draft.kind].turns:
                yield findings
                continue
            rejected = next((one for one in findings if one.verdict == "rejected"), None)
            place = len(draft.earlier)
            before = self._fallen.get(draft.fact)
            if rejected is None and before and place > before[0]:
                detail = f"Turn {before[0] // 2 + 1} of its dialogue, which it stands on, was rejected: {before[1]}."
                fallen = Finding("earlier_turns", before[1], "rejected", "earlier_turn_rejected", detail)
                yield [*findings, fallen]
                continue
            if rejected is not None and before is None:
                self._fallen[draft.fact] = place, rejected.cause
            yield findings
