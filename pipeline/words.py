"""Words of a question: which carry its content, and when two questions are the same but for trifles.

English function words only: in other languages every word counts as content, so fewer questions are
called alike and none is called alike wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio

from pipeline.records import normalised

# Question words and negations are left out on purpose: "why" is not "how", "is" is not "is not".
_FUNCTION_WORDS = frozenset(
    """a an the and or but if of in on at to for from by with about as into than then so that this these those it its
    is are was were be been being am do does did done has have had having will would shall should can could may might
    must i you he she we they me him her us them my your his our their one ones someone somebody anyone please tell
    explain say describe know there here just really actually exactly simply also too very some any""".split()
)
_QUESTION_WORDS = frozenset("what which who whom whose when where why how".split())


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry the content, in order, normalised; question words among them."""
    return tuple(word for word in normalised(text).split() if word not in _FUNCTION_WORDS)


def subject_words(text: str) -> frozenset[str]:
    """Crude stems of the content words less the question words: what a question is about."""
    return frozenset(_stem(word) for word in content_words(text) if word not in _QUESTION_WORDS)


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def same_word(one: str, other: str) -> bool:
    """Equal, or a slip of one letter inside a long word; numbers only if equal."""
    if one == other:
        return True
    if min(len(one), len(other)) < 6 or one[0] != other[0] or re.search(r"\d", one + other):
        return False
    return Levenshtein.distance(one, other, score_cutoff=1) <= 1


def alike(one: str, other: str, threshold: float) -> bool:
    """The same question but for spelling slips and function words.

    `threshold` is the least Indel ratio (0 to 100) of the normalised texts. Above it they still differ
    if any content word or number does ("limit for A?", "limit for B?"), or if the order of these does:
    no similarity alone tells a near-duplicate from a minimal pair.
    """
    first, second = normalised(one), normalised(other)
    if first == second:
        return True
    if ratio(first, second, score_cutoff=threshold) < threshold:
        return False
    left, right = content_words(one), content_words(other)
    return len(left) == len(right) and all(map(same_word, left, right))


_TRIFLES: dict[str, frozenset[str]] = {"en": frozenset("a an the please really actually exactly simply".split())}
"""By language. Prepositions, auxiliaries and `and` are none: may is not must, to Word is not from Word."""


def bare(question: str, language: str = "en") -> str:
    """The question less what nobody would miss. Two with the same bare text ask the same."""
    return less_trifles(normalised(question), question, language)


def less_trifles(plain: str, question: str, language: str) -> str:
    """`bare` of a question whose normalised form is `plain`.

    A capital A inside the question is a name (grade A, vitamin A), not an article.
    """
    trifles = _TRIFLES.get(language)
    if trifles is None or not plain.isascii():  # a Spanish a is a preposition, whatever the recipe's language
        return plain
    if " A" in question and re.search(r" A\b", question):
        trifles = trifles - {"a"}
    kept = [word for word in plain.split() if word not in trifles]
    if "one" in kept:
        kept = ["you" if word == "one" else word for word in kept]
    return " ".join(kept) or plain


class Questions:
    """Questions by name; each is found again by one that differs from it in trifles only."""

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._names: dict[str, str] = {}

    def add(self, name: str, question: str) -> None:
        """Remember a question under a name, unless one like it is known."""
        self._names.setdefault(bare(question, self._language), name)

    def like(self, question: str) -> str | None:
        """Name of the first question added that is this one but for trifles; None if there is none."""
        return self._names.get(bare(question, self._language))


class AlikeQuestions:
    """An index of questions that finds those `alike` to another.

    Candidates share all content words, or all but one of them; each is then compared exactly, so the
    index decides nothing itself.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._known: list[tuple[str, str]] = []
        self._blocks: dict[int, int | list[int]] = {}
        """Hash of the words to the places of the questions that have them; most have one, and a list takes room."""

    def add(self, name: str, question: str) -> None:
        """Remember a question under a name."""
        place = len(self._known)
        for key in _keys(question):
            block = self._blocks.setdefault(key, place)
            if isinstance(block, list):
                block.append(place)
            elif block != place:
                self._blocks[key] = [block, place]
        self._known.append((name, question))

    def like(self, question: str) -> tuple[str, str] | None:
        """Name and text of the first question added that is alike to this one; None if there is none."""
        return next(self.every_like(question), None)

    def every_like(self, question: str) -> Iterator[tuple[str, str]]:
        """Name and text of every question that is alike to this one, in the order added."""
        candidates: set[int] = set()
        for key in _keys(question):
            block = self._blocks.get(key, ())
            candidates.update((block,) if isinstance(block, int) else block)
        for place in sorted(candidates):
            if alike(question, self._known[place][1], self._threshold):
                yield self._known[place]


def _keys(question: str) -> Iterable[int]:
    words = content_words(question)
    yield hash(words)
    if len(words) >= 3:
        for index in range(len(words)):
            yield hash((*words[:index], "", *words[index + 1 :]))
