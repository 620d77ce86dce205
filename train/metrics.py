"""What is measured about an answer, and how sure a number is: plain functions of texts and counts."""

from __future__ import annotations

import math
import random
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Z = 1.959964
"""Of the normal distribution, two-sided 95 %."""
RESAMPLES = 1000
OUTER_PUNCTUATION = ".,;:!?\"'`()[]{}*_“”‘’„«»…"

Refusing = Literal["no", "partial", "full"]


class Measure(BaseModel):
    """One number with its sample size and 95 % interval; all but `n` are null where nothing was measured."""

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = Field(default=None)


def normalised(text: str) -> str:
    """Text without what two readers would not call a difference: case, spacing, outer punctuation.

    Punctuation inside a word or number stays, for 1.5 is not 15; so does a sign before a number.
    """
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(kept for word in words if (kept := word.strip(OUTER_PUNCTUATION)))


def is_exact(answer: str, expected: str) -> bool:
    """The same words in the same order."""
    return normalised(answer) == normalised(expected)


def token_f1(answer: str, expected: str) -> float:
    """The harmonic mean of precision and recall over words, each counted as often as it occurs (SQuAD)."""
    given, wanted = Counter(normalised(answer).split()), Counter(normalised(expected).split())
    shared = (given & wanted).total()
    return 2 * shared / (given.total() + wanted.total()) if shared else 0.0


def refusing(answer: str, refusals: Collection[str]) -> Refusing:
    """Whether an answer is a refusal sentence, holds one beside other text (also a second one), or neither."""
    text = normalised(answer)
    sentences = [normalised(sentence) for sentence in refusals]
    if text in sentences:
        return "full"
    padded = f" {text} "
    return "partial" if any(f" {sentence} " in padded for sentence in sentences if sentence) else "no"


def repetition(answer: str) -> float:
    """seq-rep-4: the share of an answer's four-word runs that occurred in it before; 0 below five words."""
    words = normalised(answer).split()
    runs = [tuple(words[start : start + 4]) for start in range(len(words) - 3)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def rate(hits: Sequence[bool]) -> Measure:
    """A share with its Wilson interval, which stays honest near 0, near 1 and for few rows."""
    n = len(hits)
    if not n:
        return Measure()
    share = sum(hits) / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    # At the edges the formula gives 0 and 1 but for rounding.
    return _measure(share, n, 0.0 if share == 0 else low, 1.0 if share == 1 else high)


def mean(values: Sequence[float]) -> Measure:
    """A mean with its bootstrap interval: percentiles of the means of seeded resamples."""
    n = len(values)
    if not n:
        return Measure()
    dice = random.Random(n)
    means = sorted(sum(dice.choices(values, k=n)) / n for _ in range(RESAMPLES))
    cut = round(RESAMPLES * 0.025)
    return _measure(sum(values) / n, n, means[cut], means[-cut - 1])


def _measure(value: float, n: int, low: float, high: float) -> Measure:
    return Measure(value=round(value, 4), n=n, low=round(low, 4), high=round(high, 4))
