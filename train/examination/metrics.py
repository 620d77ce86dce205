"""What is measured about an answer: plain functions of texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import Literal

from rapidfuzz.distance import LCSseq

OUTER_PUNCTUATION = ".,;:!?\"'`()[]{}*_“”‘’„«»…"

Refusing = Literal["no", "partial", "full"]
_NUMBER = re.compile(r"(?<![\w.,])[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?")
_CLOSE = Fraction(1, 10**6)
"""Numbers that differ by less than so much of themselves are the same number, rounded."""


def normalised(text: str) -> str:
    """Text without what two readers would not call a difference: case, spacing, outer punctuation.

    Punctuation inside a word or number stays, for 1.5 is not 15; so does a sign before a number.
    """
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(kept for word in words if (kept := word.strip(OUTER_PUNCTUATION)))


def words_of(text: str) -> list[str]:
    """The words that texts are compared by."""
    return normalised(text).split()


def is_exact(answer: str, expected: str) -> bool:
    """The same words in the same order."""
    return normalised(answer) == normalised(expected)


def token_f1(answer: str, expected: str) -> float:
    """The harmonic mean of precision and recall over words, each counted as often as it occurs (SQuAD)."""
    given, wanted = Counter(words_of(answer)), Counter(words_of(expected))
    shared = (given & wanted).total()
    return 2 * shared / (given.total() + wanted.total()) if shared else 0.0


def rouge_l(answer: str, expected: str) -> float:
    """ROUGE-L: like F1, but of the longest sequence of words that both have in this order (Lin, 2004)."""
    given, wanted = words_of(answer), words_of(expected)
    shared = LCSseq.similarity(given, wanted)
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0


def refusing(answer: str, refusals: Collection[str]) -> Refusing:
    """Whether an answer is a refusal sentence, holds one beside other text (also a second one), or neither."""
    text = normalised(answer)
    sentences = [normalised(sentence) for sentence in refusals]
    if text in sentences:
        return "full"
    padded = f" {text} "
    return "partial" if any(f" {sentence} " in padded for sentence in sentences if sentence) else "no"


def numbers_in(text: str) -> list[Fraction]:
    """The numbers that a text names, in order: 1,250 and 2.5 and 3/4, with their signs."""
    found = []
    for match in _NUMBER.finditer(text):
        written = match.group().replace(",", "").replace("−", "-").lstrip("+")
        above, _, below = written.partition("/")
        found.append(Fraction(above) / int(below) if below and int(below) else Fraction(above))
    return found


def comes_to(answer: str, result: str) -> bool:
    """Whether a worked answer ends in the result: its last numbers are the result's, or its last words are."""
    wanted = numbers_in(result)
    if not wanted:
        return f" {normalised(answer)}".endswith(f" {normalised(result)}")
    last = numbers_in(answer)[-len(wanted) :]
    return len(last) == len(wanted) and all(
        abs(one - other) <= _CLOSE * abs(other) for one, other in zip(last, wanted, strict=True)
    )


def repetition(answer: str) -> float:
    """seq-rep-4: the share of an answer's four-word runs that occurred in it before; 0 below five words.

    Welleck and others, 2020, arXiv:1908.04319.
    """
    runs = _runs(words_of(answer), 4)
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def longest_repeat(answer: str) -> float:
    """The longest run of words that stands in an answer twice (the two may overlap), as a share of its words."""
    words = words_of(answer)
    low, high = 0, max(0, len(words) - 1)
    while low < high:  # a run that stands twice holds shorter ones that do too
        length = (low + high + 1) // 2
        runs = _runs(words, length)
        low, high = (length, high) if len(set(runs)) < len(runs) else (low, length - 1)
    return low / len(words) if words else 0.0


def distinct(answers: Iterable[str], size: int) -> tuple[float, int]:
    """distinct-n: of all runs of `size` words in all answers the share that are different, and how many runs there
    are. A set of one answer over and over comes near 0 (Li and others, 2016, arXiv:1510.03055)."""
    runs = [run for answer in answers for run in _runs(words_of(answer), size)]
    return (len(set(runs)) / len(runs) if runs else 0.0), len(runs)


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]
