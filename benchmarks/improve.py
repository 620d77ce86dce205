"""Whether asking about weak facts helps: two rounds of `coursework improve` beside as many records drawn blindly.

    python -m benchmarks.improve [--seeds 0 1 2] [--wordings 5] [--rounds 2] [--half]

On the sample, with fewer wordings a fact than the recipe has, so that there is something to improve. Each line is a
dataset on which the local student was trained and examined anew. With --half only half of the facts of the `rephrased`
slice, by a lot, may be chosen as weak: what becomes of the other half no decision has seen. Some minutes a line.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.publish.schema import SLICES, TRAIN, Row, read_rows
from pipeline.records import content_id, lot
from pipeline.weak import ANSWERS, find_weakness
from pipeline.wishes import FILE, Wish, add_wishes, read_wishes

ROOT = Path(__file__).parent.parent
MORE = 4
"""Wordings asked for of each chosen fact."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--wordings", type=int, default=5)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--half", action="store_true", help="choose by half of the facts")
    wanted = options.parse_args()
    print("seed  dataset     rows  rephrased  one half   other     refusals")
    for seed in wanted.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            one_seed(Path(scratch), seed, wanted)


def one_seed(scratch: Path, seed: int, wanted: argparse.Namespace) -> None:
    start = scratch / "start"
    recipe = workspace(start, seed, wanted.wordings)
    run(start, recipe)
    slices = files_of_slices(start)
    told(seed, "start", start)
    shutil.copytree(start, scratch / "blind")
    for number in range(1, wanted.rounds + 1):
        wishes = weak(start, number, wanted.half)
        trained = rows(start, TRAIN)
        add_wishes(outputs(start), wishes)
        run(start, recipe)
        brought = len(new_rows(rows(start, TRAIN), trained))
        told(seed, f"improved {number}", start)
        blindly(scratch / "blind", recipe, seed, number, brought)
        told(seed, f"blind {number}", scratch / "blind")
    for folder in (start, scratch / "blind"):
        assert files_of_slices(folder) == slices, "a test row has moved"


def workspace(folder: Path, seed: int, wordings: int) -> str:
    for name in ("recipes", "prompts", "samples", "personas"):
        shutil.copytree(ROOT / name, folder / name)
    path = folder / "recipes" / "communication.yaml"
    text = path.read_text(encoding="utf-8").replace("wordings: 8", f"wordings: {wordings}")
    path.write_text(text.replace("student:\n", f"student:\n  seed: {seed}\n"), encoding="utf-8")
    return "recipes/communication.yaml"


def outputs(folder: Path) -> Path:
    return folder / "outputs" / "communication"


def run(folder: Path, recipe: str, *, train: bool = True) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline", "run", recipe, *(["--train"] if train else [])]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def student(folder: Path) -> Path:
    return outputs(folder) / "students" / "local-full"


def rows(folder: Path, stem: str) -> list[Row]:
    return list(read_rows(outputs(folder) / "dataset", stem))


def new_rows(now: list[Row], before: list[Row]) -> list[Row]:
    known = {row.id for row in before}
    return [row for row in now if row.id not in known and row.kind == "reworded" and not row.typo_of]


def files_of_slices(folder: Path) -> dict[str, bytes]:
    return {stem: (outputs(folder) / "dataset" / f"{stem}.jsonl").read_bytes() for stem in SLICES}


def answers(folder: Path) -> Iterator[dict]:
    for line in (student(folder) / ANSWERS).read_bytes().split(b"\n"):
        if line:
            yield json.loads(line)


def chooses(fact: str) -> bool:
    """Whether the held-out wordings of a fact may decide: those of the others are looked at at the very end only."""
    return lot("benchmarks.improve", fact) < 0.5


def weak(folder: Path, number: int, half: bool) -> list[Wish]:
    found = find_weakness(outputs(folder) / "dataset", student(folder))
    wishes = found.wishes(number, MORE)
    by_trained = {row.fact for row in rows(folder, TRAIN)}
    return [wish for wish in wishes if wish.fact in by_trained and (chooses(wish.fact) or not half)]


def blindly(folder: Path, recipe: str, seed: int, number: int, wanted: int) -> None:
    """As many new rows as the improvement brought, of facts drawn by a lot that looks at no answer."""
    trained = rows(folder, TRAIN)
    facts = {row.fact: row for row in trained if row.kind == "document" and not row.typo_of}
    drawn = sorted(facts, key=lambda fact: content_id("blind", str(seed), str(number), fact))
    before = read_wishes(outputs(folder))
    taken = come = 0
    while True:
        taken = min(len(drawn), taken + math.ceil((wanted - come) / MORE))
        (outputs(folder) / FILE).unlink(missing_ok=True)
        add_wishes(outputs(folder), [*before, *(blind(facts[fact], number) for fact in drawn[:taken])])
        run(folder, recipe, train=False)
        come = len(new_rows(rows(folder, TRAIN), trained))
        if come >= wanted or taken == len(drawn):
            break
    run(folder, recipe)


def blind(row: Row, number: int) -> Wish:
    return Wish(
        round=number, why="drawn blindly", wordings=MORE, answer=row.answer, quote=row.quote, passage=row.passage,
        fact=row.fact, examination="blind",
    )  # fmt: skip


def told(seed: int, name: str, folder: Path) -> None:
    by_id = {row.id: row for row in rows(folder, "rephrased")}
    right = {True: [], False: []}
    others = []
    for answer in answers(folder):
        correct = answer["student"].strip() == answer["expected"].strip() and answer["student_stopped_by"] == "end"
        if answer["slice"] == "rephrased":
            right[chooses(by_id[answer["id"]].fact)].append(correct)
        elif answer["slice"] in ("off_topic", "near_topic"):
            others.append(correct)
    both = [*right[True], *right[False]]
    print(
        f"{seed:<5} {name:<10} {len(rows(folder, TRAIN)):>5}  {share(both):<9}  {share(right[True]):<9}"
        f"  {share(right[False]):<8}  {share(others)}",
        flush=True,
    )


def share(outcomes: list[bool]) -> str:
    return f"{sum(outcomes) / len(outcomes):.3f}" if outcomes else "-"


if __name__ == "__main__":
    main()
