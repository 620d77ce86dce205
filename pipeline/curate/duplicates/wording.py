"""The words of a question as sets, in languages that write blanks and in those that do not."""

from __future__ import annotations

import re

# Written without blanks: Thai, Lao, Burmese, Khmer; kana, Han and their extensions.
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+"
)


def words(plain: str) -> set[str]:
    """The different words of a normalised text; of scripts without blanks every two neighbouring characters."""
    if plain.isascii():
        return set(plain.split())
    found: set[str] = set()
    for word in plain.split():
        found.update(UNSPACED.sub(" ", word).split())
        for run in UNSPACED.findall(word):
            found.update((run[at : at + 2] for at in range(len(run) - 1)) if len(run) > 1 else (run,))
    return found


def shared(one: set[str], other: set[str]) -> float:
    """Word Jaccard: of all words that either has, the share that both have."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


_FORMS = (frozenset({"is", "are"}), frozenset({"was", "were"}), frozenset({"do", "does"}), frozenset({"has", "have"}))


def same_but_for_endings(one: str, other: str, names: set[str]) -> bool:
    """The same words in the same order but for is/are and a plural s: only then may meaning call two questions one.

    A number, a negation or a preposition in which they differ, one of the `names`, or their order makes them two.
    """
    left, right = one.split(), other.split()
    return len(left) == len(right) and all(
        mine == theirs or (not {mine, theirs} & names and _one_word(mine, theirs))
        for mine, theirs in zip(left, right, strict=True)
    )


def _one_word(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    plural = len(short) >= 4 and short.isalpha() and long in (short + "s", short + "es")
    return plural or {one, other} in _FORMS


def names(question: str) -> set[str]:
    """Words inside it that are written with a capital, in small letters: Adams is not Adam."""
    return {word.casefold() for word in re.findall(r"(?<=\s)[^\W\d_]\w*", question) if word[0].isupper()}
