"""500 passages through a storm of faults, nothing set by hand, beside a reference client that knows the faults.

    python benchmarks/faults.py

The endpoint answers in 200 ms and fails 21 % of the time: 10 % 429 with Retry-After 1 s, 5 % 500, 3 % replies whose
JSON breaks off, 2 % that hang, 1 % connections reset. The reference is a bare aiohttp loop that is told all this: it
waits out a 429, repeats everything else at once, and gives up on a hanging request after exactly the seconds that
would be right for this endpoint.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.teacher import drafter
from pipeline.asking import Allowance, Asking
from pipeline.history import History
from pipeline.recipe import Budget as Caps
from pipeline.records import Draft, Rejection
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address, open_endpoint
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import Pool, Terms
from pipeline.teacher.prices import Price
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import RehearsingApart
from pipeline.teacher.speech import Speech

COUNT, IN_FLIGHT = 500, 64
STORM = Rehearsal(fixed=True, latency=0.2, too_many=0.10, error_500=0.05, truncated=0.03, hang_before=0.02, reset=0.01)
RIGHT_TIMEOUT = 5.0
"""Seconds. Ours has to find out; a careful person sets about this for an endpoint that answers in 0.2."""


def ours(url: str, folder: Path) -> tuple[int, int, float]:
    """Passages whose five facts all came, rejections, and seconds of the pool through both stages."""
    drafting = drafter(COUNT)
    with Ledger(folder) as ledger:
        price = Price(0.0, 0.0)
        endpoint = open_endpoint(Address("rehearsal", url, "none"))
        pool = Pool(endpoint, ledger, Budget(Caps(), price, ledger), price, Terms(in_flight=IN_FLIGHT))
        begun = time.monotonic()
        allowance = Allowance.open(Caps(), None, ledger)
        Asking([drafting], History(ledger, False), lambda *counts: None, allowance).run(pool, ledger)
        items = list(drafting.drafts(ledger.get))
        seconds = time.monotonic() - begun
    facts = Counter(passage for passage, _ in {(i.passage, i.fact) for i in items if isinstance(i, Draft)})
    return list(facts.values()).count(5), sum(isinstance(i, Rejection) for i in items), seconds


def reference(url: str) -> tuple[int, float]:
    """Replies that parse, and seconds, of a loop that knows what to expect."""
    import aiohttp

    bodies = [Speech().body(request) for request in drafter(COUNT).requests(0, lambda key: None)]

    async def run() -> tuple[int, float]:
        timeout = aiohttp.ClientTimeout(total=RIGHT_TIMEOUT)
        good = 0
        work = list(enumerate(bodies))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

            async def one(body: bytes) -> None:
                nonlocal good
                while True:
                    try:
                        async with session.post(f"{url}/chat/completions", data=body) as answer:
                            if answer.status == 429:
                                await asyncio.sleep(float(answer.headers["Retry-After"]))
                                continue
                            if answer.status != 200:
                                continue
                            json.loads(json.loads(await answer.read())["choices"][0]["message"]["content"])
                            good += 1
                            return
                    except (aiohttp.ClientError, TimeoutError, ValueError):
                        continue

            async def worker() -> None:
                while work:
                    await one(work.pop(0)[1])

            begun = time.monotonic()
            await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
            return good, time.monotonic() - begun

    return asyncio.run(run())


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    ratios = []
    for _ in range(3):
        with RehearsingApart(STORM) as server:
            good, known = reference(server.url)
        with RehearsingApart(STORM) as server, tempfile.TemporaryDirectory() as folder:
            whole, rejections, seconds = ours(server.url, Path(folder))
            counts = server.counts()
        ratios.append(seconds / known)
        print(
            f"reference {good} of {COUNT} in {known:.1f} s;"
            f" ours {whole} of {COUNT} in {seconds:.1f} s,"
            f" {rejections} rejections, {counts['bought_twice']} good replies bought twice,"
            f" {counts['requests']} requests"
        )
    print(f"wall, ours to the reference, median of {len(ratios)}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
