"""Questions that another one is similar to, by their words; or by their meaning, where the words come near.

Two sets of words whose Jaccard is at least t share at least ceil(t·n) of the n words of either, so one of any
n - ceil(t·n) + 1 words of a question stands in every question that similar to it: it is enough to look under the
rarest (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE 2006). A question of which more words than that stand
nowhere is similar to none, and most rows of a foreign set end there.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.fuzz import ratio

from pipeline.curate.decontaminate import HeldOutText
from pipeline.curate.duplicates.wording import shared, words
from pipeline.curate.findings import Finding
from pipeline.recipe import Checks, Decontamination
from pipeline.records import Draft, normalised
from pipeline.words import subject_words

if TYPE_CHECKING:
    from pipeline.curate.meaning import Embedder

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MEANT = 0.4
"""Jaccard of the words of two questions from which they are compared by meaning."""
_QUESTION = 100
"""Words up to which a text is compared by meaning: longer ones are told by runs of their words."""


class Bags:
    """Sets of words, of which those are found that share most of their words with another."""

    def __init__(self, bags: Iterable[set[str] | frozenset[str]], share: float) -> None:
        self.share = share
        self.bags = list(bags)
        self._holding: dict[str, array[int]] = {}
        for place, bag in enumerate(self.bags):
            for word in bag:
                self._holding.setdefault(word, array("I")).append(place)

    def near(self, bag: set[str] | frozenset[str]) -> list[int]:
        """Places of all bags whose Jaccard with this one may be at least the share, in order."""
        rare = len(bag) - ceil(self.share * len(bag) - 1e-9) + 1
        known = [word for word in bag if word in self._holding]
        rare -= len(bag) - len(known)
        if rare <= 0:
            return []
        known.sort(key=lambda word: (len(self._holding[word]), word))
        places = {place for word in known[:rare] for place in self._holding[word]}
        least, most = self.share * len(bag) - 1e-9, len(bag) / self.share + 1e-9
        return sorted(place for place in places if least <= len(self.bags[place]) <= most)


class Own(NamedTuple):
    """A question of the dataset's own."""

    id: str
    question: str
    held_out: bool
    """It is not trained: it stands in a slice, or may come to stand there."""


class Similar:
    """The dataset's own questions, and whether another one is similar to any."""

    def __init__(self, own: Iterable[Own], checks: Checks) -> None:
        self._own = list(own)
        self._checks = checks
        self._plain = [normalised(one.question) for one in self._own]
        self._bags = Bags(map(words, self._plain), checks.similar_question)

    def finding(self, draft: Draft) -> Finding:
        """A rejection if the question is so similar to an own one, in words or letters, that a record would be flagged.

        A trained question that asks with other numbers is another one: a made-up problem has many a brother.
        """
        check = "similar_question"
        if draft.context or draft.earlier:
            return Finding(check, "not looked for, as it does not stand alone")
        plain = normalised(draft.question)
        best = max((one for place in self._bags.near(words(plain)) if (one := self._alike(plain, place))), default=None)
        if best is None:
            return Finding(check, f"no own question shares {self._checks.similar_question:g} of its words")
        held_out, alike, name, question = best
        measured = (
            f"{alike:.2f} of the words shared with {question!r} (rejected from {self._checks.similar_question:g})"
        )
        if held_out:
            detail = f"It asks what {question!r} does, which is held out."
            return Finding(check, measured, "rejected", "near_held_out", detail, name)
        detail = f"The dataset has a record of its own for {question!r}."
        return Finding(check, measured, "rejected", "exact_duplicate" if alike == 1 else check, detail, name)

    def _alike(self, plain: str, place: int) -> tuple[bool, float, str, str] | None:
        own, other = self._own[place], self._plain[place]
        alike = shared(words(plain), set(self._bags.bags[place]))
        if alike < self._checks.similar_question and ratio(plain, other) < self._checks.near_duplicate:
            return None
        if not own.held_out and sorted(_NUMBER.findall(plain)) != sorted(_NUMBER.findall(other)):
            return None
        return own.held_out, alike, own.id, own.question


class Meant:
    """Held-out questions, and whether another one means the same.

    A model takes longer over a text than all other checks together, so only questions are put to it that have many
    words in common with a held-out one; what asks the same in other words altogether is not told.
    """

    def __init__(self, texts: Iterable[HeldOutText], wanted: Decontamination, embedder: Embedder) -> None:
        self._texts = [text for text in texts if len(text.text.split()) <= _QUESTION]
        self._bags = Bags((subject_words(text.text) for text in self._texts), _MEANT)
        self._wanted, self._embedder = wanted, embedder

    def finding(self, draft: Draft) -> Finding:
        """A rejection if it is near in meaning, for nobody looks at it afterwards."""
        check, places = "contaminated", self._bags.near(subject_words(draft.question))
        if not places:
            return Finding(check, "no held-out text has many of its words")
        vector, *others = self._embedder.encode([draft.question, *(self._texts[place].text for place in places)])
        cosine, nearest = max((float(vector @ other), -place) for other, place in zip(others, places, strict=True))
        measured = f"cosine {cosine:.3f} (rejected from {self._wanted.similar_meaning:g})"
        if cosine < self._wanted.similar_meaning:
            return Finding(check, measured)
        detail = f"Near in meaning to {self._texts[-nearest].place}, which is held out."
        return Finding(check, measured, "rejected", "near_held_out", detail)
