"""How sure a number is: intervals of shares and means, pairs of answers compared, and tries that succeed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from pydantic import BaseModel, ConfigDict, Field

Z = 1.959964
"""Of the normal distribution, two-sided 95 %."""
RESAMPLES = 1000
FEWEST_SAMPLES = 20
"""Of one question, before a share of tries is told: with five, one success may mean anything from 4 to 62 percent."""


class Measure(BaseModel):
    """One number with its sample size and 95 % interval; all but `n` are null where nothing was measured.

    A number that is no share and no mean (distinct words of a whole set) has no interval.
    """

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = Field(default=None)


class Paired(BaseModel):
    """Two that answered the same questions: how often only one of them was right, and how likely chance does that."""

    model_config = ConfigDict(frozen=True)

    n: int
    only_first: int
    only_second: int
    p: float = Field(description="of McNemar's exact test, two-sided: 1 where they differ nowhere")


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


def mean(values: Sequence[float], groups: Sequence[Hashable] = ()) -> Measure:
    """A mean with its bootstrap interval: percentiles over seeded resamples, drawn by whole groups.

    What belongs to one group (a document, a passage, a fact) is not independent: drawn value by value, the interval
    would be too narrow. Without groups every value is one of its own. One group alone gives no interval.
    """
    import numpy

    n = len(values)
    if not n:
        return Measure()
    places: dict[Hashable, int] = {}
    group_of = [places.setdefault(group, len(places)) for group in (groups or range(n))]
    if len(places) == 1 < n:
        return number(sum(values) / n, n)
    sums = numpy.bincount(group_of, weights=numpy.asarray(values, dtype=float))
    sizes = numpy.bincount(group_of)
    dice = numpy.random.default_rng(n)
    drawn = dice.multinomial(len(places), [1 / len(places)] * len(places), size=RESAMPLES)
    low, high = numpy.percentile((drawn @ sums) / (drawn @ sizes), [2.5, 97.5])
    return _measure(float(sums.sum()) / n, n, float(low), float(high))


def number(value: float, n: int) -> Measure:
    """A number of a whole set, which has no interval."""
    return Measure(value=round(value, 4), n=n) if n else Measure()


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """McNemar's test in its exact form: of the questions that only one got right, each is a toss of a fair coin
    if both are equally good (McNemar, Psychometrika 12, 1947)."""
    only_first = sum(one and not other for one, other in zip(first, second, strict=True))
    only_second = sum(other and not one for one, other in zip(first, second, strict=True))
    tosses = only_first + only_second
    tail = sum(math.comb(tosses, heads) for heads in range(min(only_first, only_second) + 1))
    p = min(1.0, 2 * tail / 2**tosses) if tosses else 1.0
    return Paired(n=len(first), only_first=only_first, only_second=only_second, p=float(f"{p:.3g}"))


def pass_at(tries: int, samples: int, right: int) -> float:
    """How likely one of `tries` answers is right, if `right` of so many samples were: 1 - C(n-c,k) / C(n,k).

    Without bias, unlike the share of right samples raised to a power (Chen and others, 2021, arXiv:2107.03374).
    """
    return 1 - math.comb(samples - right, tries) / math.comb(samples, tries)


def _measure(value: float, n: int, low: float, high: float) -> Measure:
    return Measure(value=round(value, 4), n=n, low=round(low, 4), high=round(high, 4))
