"""Words of a question: which carry its content, and when two questions are the same but for trifles.

English function words only: in other languages every word counts as content, so fewer questions are
called alike and none is called alike wrongly.
"""

from __future__ import annotations

import re

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
