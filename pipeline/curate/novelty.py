"""Checks of tasks that were made up: unlike every task before, doable in text alone, the label one of the set."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import LCSseq

from pipeline.constraints import words
from pipeline.curate.findings import Finding
from pipeline.records import Draft, content_id, normalised


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of the longest common subsequence of words (Lin, ROUGE, 2004), 0 to 1."""
    return 2 * LCSseq.similarity(one, other) / (len(one) + len(other)) if one and other else 0.0


class Novelty:
    """Remembers the instructions it has met, and finds the nearest of them without comparing with all.

    Two texts of F1 t have at least t/(2-t) of the longer one's words in common, in order or not. So in any fixed
    order of words they share one of the first few of each (prefix filtering; Chaudhuri et al., 2006); longer words
    first, for these are rare.
    """

    def __init__(self, limit: float, examples: Sequence[str] = ()) -> None:
        self._limit = limit
        self._least = limit / (2 - limit)
        self._texts: dict[str, tuple[str, ...]] = {}
        self._ids: dict[str, str] = {}
        self._holding: defaultdict[str, list[str]] = defaultdict(list)
        for example in examples:
            text = _words(example)
            self._remember(content_id("example", *text), text, self._prefix(text), "")

    def findings(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        """A word on each draft; one that is novel is remembered. Instances of one task are one task."""
        for draft in drafts:
            yield self._finding(draft)

    def _finding(self, draft: Draft) -> Finding:
        text = _words(draft.question)
        prefix = self._prefix(text)
        near = {name for word in prefix for name in self._holding.get(word, ()) if name != draft.fact}
        best, name = max(((rouge_l(text, self._texts[one]), one) for one in sorted(near)), default=(0.0, ""))
        measured = f"ROUGE-L {best:.2f} to the nearest task, below {self._limit:g}"
        if best >= self._limit:
            detail = f"It asks almost what another task asks (ROUGE-L {best:.2f}): {' '.join(self._texts[name])!r}."
            return Finding("novelty", measured, "rejected", "not_novel", detail, self._ids[name])
        if draft.fact not in self._texts:
            self._remember(draft.fact, text, prefix, content_id(draft.kind, normalised(draft.question)))
        return Finding("novelty", measured)

    def _remember(self, name: str, text: tuple[str, ...], prefix: set[str], partner: str) -> None:
        self._texts[name], self._ids[name] = text, partner
        for word in prefix:
            self._holding[word].append(name)

    def _prefix(self, text: Sequence[str]) -> set[str]:
        order = sorted(text, key=lambda word: (-len(word), word))
        return set(order[: len(order) - math.ceil(self._least * len(order)) + 1])


def _words(text: str) -> tuple[str, ...]:
    return tuple(normalised(" ".join(words(text))).split())


_NEEDS_MORE = re.compile(
    r"\b(image|picture|photo|graph|plot|chart|video|audio|song file|attached|screenshot|map below|draw|sketch|"
    r"go to|click|browse|download|send an? e-?mail|set an? (?:alarm|timer)|play (?:a|the) (?:song|video))\b",
    re.IGNORECASE,
)


def for_text(draft: Draft) -> Finding:
    """The task can be done with words alone: nothing has to be seen, heard, drawn or sent."""
    found = _NEEDS_MORE.search(draft.question)
    if found:
        detail = f"A model of text cannot do it: {found.group()!r}."
        return Finding("for_text", repr(found.group()), "rejected", "not_for_text", detail)
    return Finding("for_text", "words will do")


def label_of_set(draft: Draft) -> Finding:
    """The answer to a task that names its labels is one of them, to the letter."""
    if not draft.labels:
        return Finding("label", "no set of labels")
    told = ", ".join(draft.labels)
    if draft.answer in draft.labels:
        return Finding("label", f"one of {told}")
    return Finding("label", told, "rejected", "label_not_in_set", f"{draft.answer!r} is none of its labels: {told}.")
