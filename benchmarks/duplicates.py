"""What the index of questions finds, spares and costs, on planted duplicates and minimal pairs.

    python benchmarks/duplicates.py                the whole table (about ten minutes)
    python benchmarks/duplicates.py --most 100000  no cell larger than this

Every cell runs in a process of its own. Rates are of CPU seconds of one core, and stand beside that of a bare loop over
`normalised` between the shards, for a busy machine slows both; `growth` is how many times the CPU time is that of the
size before, `in loops` the same with CPU time counted in bare loops. Memory is the peak of the process above what
it had before the index; the questions themselves are made as they are fed.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.planted import Planted, made_up, planted_into
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.recipe import Checks
from pipeline.records import normalised

SHARD = 1000
GSM8K = Path(__file__).parent.parent.parent / "shared" / "data" / "gsm8k_test.jsonl"
CAPS = (16, 64, 256, 1 << 30)


def terms(cap: int | None = None) -> Terms:
    checks = Checks() if cap is None else Checks(candidates_per_word=cap)
    return Terms.of(checks, "en")


def entry(place: int, planted: Planted) -> Entry:
    return Entry(f"{place:016x}", planted.question, f"fact {place}")


def shards(planted: Iterable[Planted], first: int = 0) -> Iterator[tuple[list[Planted], list[Entry]]]:
    rest = iter(planted)
    while some := list(islice(rest, SHARD)):
        yield some, [entry(place, one) for place, one in enumerate(some, first)]
        first += len(some)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock:
    """CPU seconds of what is measured, and beside them those of the bare loop."""

    def __init__(self) -> None:
        self.spent = self.looped = 0.0
        self.texts = 0

    def __call__(self, work: Callable[[], object]) -> None:
        begun = time.process_time()
        work()
        self.spent += time.process_time() - begun

    def loop(self, texts: Sequence[str]) -> None:
        begun = time.process_time()
        for text in texts:
            normalised.__wrapped__(text)  # without its memory, in which most of them stand
        self.looped += time.process_time() - begun
        self.texts += len(texts)

    def cost(self, count: int, before: float) -> dict[str, float]:
        """Of so many questions; `before` is the memory that there was."""
        loop = self.texts / self.looped
        return {"rate": count / self.spent, "loop": loop, "mib": peak() - before}


def near(count: int, path: Path) -> dict[str, float]:
    """So many questions into an index on disk that was empty."""
    from pipeline.curate.duplicates.index import Duplicates

    clock, before = Clock(), peak()
    index = Duplicates(path, terms())
    for number, (planted, entries) in enumerate(shards(made_up(count))):
        clock(lambda entries=entries: index.compare(entries))
        if number % 4 == 0:
            clock.loop([one.question for one in planted])
    clock(index.__exit__)
    return clock.cost(count, before)


def again(path: Path, count: int, more: int) -> dict[str, float]:
    """The same questions once more, then some new ones."""
    texts = [one.question for one in made_up(count + more)]
    gc.collect()
    before, begun, wall = peak(), time.process_time(), time.monotonic()
    from pipeline.curate.duplicates.index import Duplicates

    index = Duplicates(path, terms())
    opened = time.monotonic() - wall
    for at in range(0, count, SHARD):
        index.compare([Entry(f"{n:016x}", texts[n], f"fact {n}") for n in range(at, min(at + SHARD, count))])
    replayed = time.process_time() - begun
    wall = time.monotonic()
    with index:
        index.compare([Entry(f"{n:016x}", texts[n], f"fact {n}") for n in range(count, count + more)])
    seconds = time.monotonic() - wall
    size = path.stat().st_size / 2**20
    return {"opened": opened, "replay": count / replayed, "new": seconds, "mib": peak() - before, "disk": size}


def exact(count: int) -> dict[str, float]:
    """The first thing done with a question, up to knowing which earlier ones have its very text."""
    texts = [one.question for one in made_up(count)]
    clock, before, known = Clock(), peak(), Texts()
    for at in range(0, count, 2048):
        some = texts[at : at + 2048]
        clock(lambda some=some: known.add(some))
        if at // 2048 % 4 == 0:
            clock.loop(some)
    return clock.cost(count, before) | {"found": known.found}


class Texts:
    """What the index does for exact duplicates alone, with its own parts."""

    def __init__(self) -> None:
        from pipeline.curate.duplicates.candidates import Counts
        from pipeline.curate.duplicates.hashing import text_keys
        from pipeline.curate.duplicates.runs import Runs

        self.runs, self.counts, self.text_keys = Runs(), Counts(), text_keys
        self.texts: list[str] = []
        self.found = 0

    def add(self, texts: Sequence[str]) -> None:
        import numpy as np

        first, keys = len(self.texts), self.text_keys(texts)
        self.texts += texts
        met = np.flatnonzero(self.counts.of(keys))
        old = {
            number
            for which, places in self.runs.find(keys[met], 1 << 32)
            for number, place in zip(met[which].tolist(), places.tolist(), strict=True)
            if normalised(self.texts[place]) == normalised(texts[number])
        }
        _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
        here: dict[str, int] = {}
        for number in np.flatnonzero(counts[which] > 1).tolist():
            if here.setdefault(normalised(texts[number]), number) != number:
                old.add(number)
        fresh = np.delete(np.arange(len(texts)), list(old))
        self.found += len(old)
        self.runs.add(keys[fresh], first + fresh)
        self.counts.add(np.sort(keys[fresh]))


def quality(planted: list[Planted], cap: int | None = None) -> dict[str, float]:
    """Shares of what was planted that were dropped or flagged."""
    from pipeline.curate.duplicates.index import Duplicates
    from pipeline.curate.duplicates.wording import shared, words

    with Duplicates(None, terms(cap)) as index:
        verdicts = [f.verdict for _, entries in shards(planted) for f in index.compare(entries)]
    counts: Counter[tuple[str, str]] = Counter()
    for one, verdict in zip(planted, verdicts, strict=True):
        kind = one.kind
        if kind == "near":
            of = words(normalised(planted[one.parent].question))
            kind = "near" if shared(of, words(normalised(one.question))) >= 0.7 else "farther"
        counts[kind, verdict] += 1

    def share(kind: str, *wanted: str) -> float:
        total = sum(number for (one, _), number in counts.items() if one == kind)
        return sum(counts[kind, verdict] for verdict in wanted) / total if total else float("nan")

    dropped = sum(number for (_, verdict), number in counts.items() if verdict == "rejected")
    wrong = counts["base", "rejected"] + counts["minimal", "rejected"]
    return {
        "exact dropped": share("exact", "rejected"),
        "near dropped": share("near", "rejected"),
        "near dropped or flagged": share("near", "rejected", "flagged"),
        "farther than 0.7 dropped or flagged": share("farther", "rejected", "flagged"),
        "minimal pairs dropped": share("minimal", "rejected"),
        "minimal pairs flagged": share("minimal", "flagged"),
        "others flagged": share("base", "flagged"),
        "precision of drops": 1 - wrong / dropped if dropped else float("nan"),
    }


def gsm8k() -> list[Planted]:
    with GSM8K.open("rb") as file:
        questions = [json.loads(line)["question"] for line in file]
    return list(planted_into(questions, 4 * len(questions), seed=3))


CELLS = {
    "exact": lambda count, path: exact(count),
    "near": lambda count, path: near(count, Path(path)),
    "again": lambda count, path: again(Path(path), count, 500),
    "planted": lambda count, path: quality(list(made_up(count, seed=1))),
    "gsm8k": lambda count, path: quality(gsm8k()),
    "cap": lambda count, path: {str(cap): quality(list(made_up(count, seed=1)), cap) for cap in CAPS},
}


def apart(cell: str, count: int = 0, path: str = "") -> dict:
    """A cell in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.duplicates", "--cell", cell, str(count), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    if done.returncode:
        raise SystemExit(f"{cell} {count}: {done.stderr}")
    return json.loads(done.stdout)


def rates(cell: str, sizes: Sequence[int], folder: str) -> None:
    """Lines of the table, each as its cell ends. What `near` leaves in the folder is for `again`."""
    last: dict[str, float] = {}
    for size in sizes:
        cost = apart(cell, size, f"{folder}/{size}.sqlite")
        cost |= {"cpu": size / cost["rate"], "loops": size / cost["rate"] * cost["loop"]}
        growth = [f"{cost[what] / last[what]:.1f}" if last else "" for what in ("cpu", "loops")]
        print(
            f"{cell:>6} {size:>10,} {cost['rate']:>10,.0f} {cost['loop']:>10,.0f} {growth[0]:>7} {growth[1]:>9}"
            f" {cost['mib']:>6.0f}",
            flush=True,
        )
        last = cost


def table(most: int) -> None:
    sizes = [size for size in (10_000, 100_000, 1_000_000) if size <= most]
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':>6} {'questions':>10} {'a second':>10} {'bare loop':>10} {'growth':>7} {'in loops':>9} {'MiB':>6}")
        for cell in ("exact", "near"):
            rates(cell, sizes, folder)
        for size in sizes:
            cost = apart("again", size, f"{folder}/{size}.sqlite")
            print(
                f"500 against {size:>10,} on disk: {cost['new']:.2f} s, {cost['mib']:.0f} MiB; opened in"
                f" {cost['opened']:.2f} s, the old ones again at {cost['replay']:,.0f} a second;"
                f" {cost['disk']:.0f} MiB of disk",
                flush=True,
            )
    for cell, what in (("planted", f"made up, {sizes[-1]:,}"), ("gsm8k", "GSM8K questions")):
        if cell == "gsm8k" and not GSM8K.exists():
            print(f"{what}: skipped, {GSM8K} is not here")
            continue
        print(what)
        for name, value in apart(cell, sizes[-1]).items():
            print(f"  {name:<38} {value:>8.2%}", flush=True)
    print(f"cap on candidates a word, {sizes[min(1, len(sizes) - 1)]:,} made up: near found, others flagged")
    for cap, found in apart("cap", sizes[min(1, len(sizes) - 1)]).items():
        print(f"  {int(cap):>10} {found['near dropped or flagged']:>8.2%} {found['others flagged']:>8.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--cell", nargs=3, metavar=("NAME", "COUNT", "PATH"))
    given = parser.parse_args()
    if given.cell:
        print(json.dumps(CELLS[given.cell[0]](int(given.cell[1]), given.cell[2])))
    else:
        table(given.most)


if __name__ == "__main__":
    main()
