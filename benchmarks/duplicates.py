"""What the index of questions finds, spares and costs, on planted duplicates and minimal pairs.

    python benchmarks/duplicates.py                the whole table (about ten minutes)
    python benchmarks/duplicates.py --most 100000  no cell larger than this

Every cell runs in a process of its own. Rates are of CPU seconds of one core, and stand beside that of a bare loop over
`normalised` in the same process, for a busy machine slows both. Memory is the peak of the process above what it had
before the index; the questions themselves are made as they are fed.
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
from collections.abc import Iterable, Iterator
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


def bare_loop() -> float:
    """Records a CPU second that `normalised` alone does here and now."""
    texts = [one.question for one in made_up(20_000, seed=9)]
    begun = time.process_time()
    for text in texts:
        normalised(text)
    return len(texts) / (time.process_time() - begun)


def fill(count: int, path: Path | None) -> dict[str, float]:
    """Near: so many questions into an index that was empty."""
    from pipeline.curate.duplicates.index import Duplicates

    loop, before, spent = bare_loop(), peak(), 0.0
    with Duplicates(path, terms()) as index:
        for _, entries in shards(made_up(count)):
            begun = time.process_time()
            index.compare(entries)
            spent += time.process_time() - begun
        begun = time.process_time()
    spent += time.process_time() - begun
    return {"rate": count / spent, "loop": loop, "mib": peak() - before}


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
    """Exact: the first thing done with a question, up to knowing which earlier ones have its very text."""
    import numpy as np

    from pipeline.curate.duplicates.candidates import Runs
    from pipeline.curate.duplicates.wording import text_key

    texts = [one.question for one in made_up(count)]
    loop, before, begun = bare_loop(), peak(), time.process_time()
    runs, known, found = Runs(), list[str](), 0
    here: dict[str, int] = {}
    for at in range(0, count, 2048):
        plain = [normalised(text) for text in texts[at : at + 2048]]
        keys = np.array([text_key(one, 1) for one in plain], np.uint32)
        which, places = runs.find(keys, 1 << 32)
        old = {one for one, place in zip(which.tolist(), places.tolist(), strict=True) if known[place] == plain[one]}
        here.clear()
        fresh = [n for n, one in enumerate(plain) if n not in old and here.setdefault(one, n) == n]
        found += len(plain) - len(fresh)
        runs.add(keys[fresh], at + np.array(fresh, np.int64))
        known += plain
    return {"rate": count / (time.process_time() - begun), "loop": loop, "mib": peak() - before, "found": found}


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
    "near": lambda count, path: fill(count, None),
    "fill": lambda count, path: fill(count, Path(path)),
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


def table(most: int) -> None:
    sizes = [size for size in (10_000, 100_000, 1_000_000) if size <= most]
    print(f"{'':>12} {'questions':>10} {'a second':>10} {'bare loop':>10} {'ratio':>6} {'MiB':>6}")
    for cell in ("exact", "near"):
        for size in sizes:
            cost = apart(cell, size)
            ratio = cost["rate"] / cost["loop"]
            print(
                f"{cell:>12} {size:>10,} {cost['rate']:>10,.0f} {cost['loop']:>10,.0f} {ratio:>6.2f}"
                f" {cost['mib']:>6.0f}",
                flush=True,
            )
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = str(Path(folder) / f"{size}.sqlite")
            apart("fill", size, path)
            cost = apart("again", size, path)
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
