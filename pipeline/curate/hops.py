"""Whether an answer that is said to rest on several passages needs them all, as far as its words tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.curate.findings import Finding
from pipeline.curate.meaning import terms
from pipeline.records import Draft, Passage


class NeedsAll:
    """Looks for words of the answer that stand in one passage of it and in no other: without any, that passage adds
    nothing that the others do not say.
    """

    def __init__(self, passages: Mapping[str, Passage]) -> None:
        self._passages = passages
        self._words: dict[str, frozenset[str]] = {}

    def findings(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        """A word on each draft."""
        return map(self._finding, drafts)

    def _finding(self, draft: Draft) -> Finding:
        said = terms(draft.answer)
        held = {name: said & self._of(name) for name in draft.bearers if name in self._passages}
        own = {
            name: words - frozenset[str]().union(*(other for one, other in held.items() if one != name))
            for name, words in held.items()
        }
        measured = " and ".join(f"{len(words)}" for words in own.values()) + " words of each passage alone"
        spare = next((name for name, words in own.items() if not words), "")
        if not spare:
            return Finding("needs_all", measured)
        where = self._passages[spare].where
        detail = f"Nothing in the answer comes from {where} ({spare}) that the other passages do not say."
        return Finding("needs_all", measured, "rejected", "one_passage_answers", detail)

    def _of(self, name: str) -> frozenset[str]:
        if name not in self._words:
            self._words[name] = terms(self._passages[name].text)
        return self._words[name]
