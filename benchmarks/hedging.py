"""What a second purchase of stragglers would bring: the pool simulated with and without it, on the same draws.

    python benchmarks/hedging.py

Replies take a lognormal time (median 8 s, slowest percent from 25.6 s); a share never comes and a share takes six
times as long. A try is given up after four times the slowest percent, as `Patience` does. A hedged request is put a
second time after twice the slowest percent, and the earlier reply counts; the later one is paid too.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
from math import inf
from random import Random
from typing import NamedTuple

from pipeline.teacher.pace import Patience

SLOWEST_PERCENT = 25.6
IN_FLIGHT = 64
HEDGED_AFTER = 2 * SLOWEST_PERCENT


class Outcome(NamedTuple):
    """Seconds to the last reply, and requests that were paid twice, as a share of all."""

    last: float
    paid_twice: float


def simulated(requests: int, hanging: float, slow: float, hedged: bool, seed: int) -> Outcome:
    dice = Random(seed)
    under_way: list[tuple[float, bool, int]] = []
    twice = 0

    def drawn() -> float:
        fate = dice.random()
        if fate < hanging:
            return inf
        seconds = dice.lognormvariate(2.08, 0.5)
        return seconds * 6 if fate < hanging + slow else seconds

    def put(now: float, tries: int) -> None:
        nonlocal twice
        patience, seconds = Patience.TIMES * SLOWEST_PERCENT * 2**tries, drawn()
        if hedged and seconds > HEDGED_AFTER:
            twice += seconds < inf
            seconds = min(seconds, HEDGED_AFTER + drawn())
        heapq.heappush(under_way, (now + min(seconds, patience), seconds <= patience, tries))

    left = requests
    while left and len(under_way) < IN_FLIGHT:
        left -= 1
        put(0, 0)
    now = 0.0
    while under_way:
        now, replied, tries = heapq.heappop(under_way)
        if not replied:
            put(now, tries + 1)
        elif left:
            left -= 1
            put(now, 0)
    return Outcome(now, twice / requests)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for requests in (81, 2_000, 20_000):
        for hanging, slow in ((0, 0), (0, 0.005), (0.002, 0.005), (0.02, 0)):
            runs = {
                hedged: [simulated(requests, hanging, slow, hedged, seed) for seed in range(21)]
                for hedged in (False, True)
            }
            last = {hedged: statistics.median(run.last for run in of) for hedged, of in runs.items()}
            twice = statistics.median(run.paid_twice for run in runs[True])
            print(
                f"{requests:>6} requests, {hanging:.1%} hang, {slow:.1%} slow: last reply after {last[False]:.0f} s,"
                f" hedged {last[True]:.0f} s; paid twice {twice:.2%}"
            )


if __name__ == "__main__":
    main()
