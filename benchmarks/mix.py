"""A million foreign rows beside a thousand own ones: peak memory of the whole process, rate, and the same bytes again.

    python benchmarks/mix.py                 1,000,000 rows: a tenth of train.jsonl, then a cap, then all that pass
    python benchmarks/mix.py --rows 50000    the same, smaller
    python benchmarks/mix.py --meaning       with the model of meaning, which alone takes some hundred megabytes

The rows are made up in the manner of ShareGPT, one to three turns each, in four files: JSON Lines, packed ones, a
JSON array and Parquet. Planted among them are exact duplicates, rows in another language, assistant's phrases, rows
that ask what the dataset's own slices ask, and lines that are no JSON. Each way of mixing is a `coursework run` in a
process of its own, twice: the second time with the files named in another order and into another folder.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from pipeline.publish.schema import SLICES, read_manifest, read_rows

ROOT = Path(__file__).parent.parent
RECIPE = """\
name: own
meaning: {{enabled: {meaning}}}
documents:
  files: [{root}/samples/good_and_bad_communication.md]
  wordings: 6
refusals:
  topic: good or bad communication
  sentence: Please let's keep our discussion related to good or bad communication.
  share: 0.1
  off_topic: {{per_field: 12, fields: [astronomy, cooking, geography, chemistry, football, music, weather, history]}}
{mix}"""
MIX = """\
mix:
  {share}
  sets:
    foreign: {{files: [{files}], licence: MIT{cap}}}
"""
_WHO = "Ada Ben Cleo Dan Eva Finn Gina Hugo Ida Jon Kim Lou Mia Ned Ola Pia Quin Rosa Sam Tess".split()
_THINGS = "kettle ladder violin garden bridge bicycle letter window engine market harbour lantern river ticket".split()
_DOES = "repair paint move sell measure clean compare store lift carry plan open weigh test borrow".split()
_ASK = (
    "{who} wants to {does} {number} {thing}s before {hour} o'clock, what should come first?",
    "How would you {does} a {thing} if {who} had only {number} minutes?",
    "Write a short note in which {who} asks {other} to {does} the {thing} number {number}.",
    "Why might {who} rather {does} the {thing} than leave it with {other} for {number} days?",
    "{number} people share one {thing} with {who}. Explain how they can {does} it fairly.",
)
_TELL = (
    "Start with the {thing} itself, because nobody can {does} what was never looked at. Then ask {other} for help.",
    "It takes about {number} minutes: first clear the table, then {does} the {thing}, and have {other} look again.",
    "1. Put the {thing} where there is light.\n2. Let {who} {does} it slowly.\n3. Note what {number} trials show.",
    "Most people {does} a {thing} in a hurry and regret it, so {who} should leave {number} minutes for the last step.",
)


def made_up(number: int) -> tuple[list[str], str]:
    """The turns of a row, question and answer in turn, and what was planted in it."""
    dice = Random(number)
    if dice.random() < 0.03:
        return made_up(dice.randrange(max(1, number)))[0], "duplicate"
    turns = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        words = {
            "who": dice.choice(_WHO), "other": dice.choice(_WHO), "thing": f"{dice.choice(_THINGS)} of {number}",
            "does": dice.choice(_DOES), "number": dice.randint(2, 990), "hour": dice.randint(1, 12),
        }  # fmt: skip
        told = " ".join(line.format(**words) for line in dice.sample(_TELL, dice.randint(1, 3)))
        turns += [dice.choice(_ASK).format(**words), told]
    kind = dice.random()
    if kind < 0.01:
        turns[-1] = "As an AI language model, I cannot do that, but " + turns[-1]
        return turns, "assistant"
    if kind < 0.02:
        turns[-2] = f"Warum sollte man den Brief Nummer {number} heute noch einmal lesen und dann erst beantworten?"
        turns[-1] = "Weil man am Abend vieles anders sieht als am Morgen und die Antwort dann freundlicher ausfällt."
        return turns, "german"
    return turns, ""


def row(number: int, asked: list[str]) -> tuple[dict, str]:
    turns, planted = made_up(number)
    if asked and number % 997 == 0:
        turns, planted = [asked[number // 997 % len(asked)], "It is what everybody says it is, and no more."], "slice"
    said = [{"from": ("human", "gpt")[at % 2], "value": text} for at, text in enumerate(turns)]
    return {"id": f"row-{number}", "conversations": said}, planted


def write_rows(folder: Path, count: int, asked: list[str]) -> dict[str, int]:
    """Four files of about the same size, each in another format; how many rows of each kind were planted."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    planted: dict[str, int] = {}

    def some(part: int) -> Iterator[dict]:
        for number in range(part, count, 4):
            made, kind = row(number, asked)
            planted[kind] = planted.get(kind, 0) + 1
            yield made

    with (folder / "a.jsonl").open("w") as file:
        for place, made in enumerate(some(0)):
            if place % 1000 == 500:
                planted["unreadable"] = planted.get("unreadable", 0) + 1
                file.write('{"id": "cut off", "conversations": [{"fr\n')
            file.write(json.dumps(made) + "\n")
    with gzip.open(folder / "b.jsonl.gz", "wt", compresslevel=1) as file:
        for made in some(1):
            file.write(json.dumps(made) + "\n")
    with (folder / "c.json").open("w") as file:
        for place, made in enumerate(some(2)):
            file.write(("[" if place == 0 else ",") + json.dumps(made, indent=1))
        file.write("]")
    turn = pyarrow.struct([("from", pyarrow.string()), ("value", pyarrow.string())])
    schema = pyarrow.schema([("id", pyarrow.string()), ("conversations", pyarrow.list_(turn))])
    with ParquetWriter(folder / "d.parquet", schema) as file:
        block: list[dict] = []
        for made in some(3):
            block.append(made)
            if len(block) == 10_000:
                file.write_table(pyarrow.Table.from_pylist(block, schema))
                block = []
        file.write_table(pyarrow.Table.from_pylist(block, schema))
    planted.pop("", None)
    return planted


def run(folder: Path, out: str, mix: str, meaning: bool) -> dict:
    """One `coursework run` in a process of its own: what it said, peak memory, time, the hash of what it made."""
    recipe = folder / "recipes" / "own.yaml"
    recipe.parent.mkdir(exist_ok=True)
    recipe.write_text(RECIPE.format(root=ROOT, mix=mix, meaning=str(meaning).lower()))
    command = [sys.executable, "-m", "pipeline", "run", str(recipe), "--out", str(folder / out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    begun = time.perf_counter()
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(text)
    dataset = folder / out / "own" / "dataset"
    return {
        "said": text, "mb": usage.ru_maxrss / 1024, "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.perf_counter() - begun, "dataset": dataset,
        "hash": hashlib.sha256((dataset / "train.jsonl").read_bytes()).hexdigest()[:16],
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--meaning", action="store_true")
    options.add_argument("--only", choices=("share", "cap", "all"))
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        alone = run(folder, "alone", "", chosen.meaning)
        asked = [one.question for stem in SLICES for one in read_rows(alone["dataset"], stem)]
        counts = read_manifest(alone["dataset"]).counts
        print(f"own rows: {counts}; {alone['mb']:.0f} MB, {alone['cpu']:.0f} s of CPU", flush=True)
        planted = write_rows(folder, chosen.rows, asked)
        size = sum(path.stat().st_size for path in folder.glob("?.*")) / 1e6
        print(f"{chosen.rows:,} rows, {size:,.0f} MB in four files; planted: {planted}\n", flush=True)
        print("| taken | rows taken | rows read | checked | peak MB | CPU s | of it own | wall s | same bytes again |")
        print("|---|---|---|---|---|---|---|---|---|")
        ways = {
            "share": ("share: 0.5", ""),
            "cap": ("sample: 20", f", cap: {chosen.rows // 10}"),
            "all": ("sample: 20", ""),
        }
        for name, (share, cap) in ways.items():
            if chosen.only in (None, name):
                show(folder, name, share, cap, alone["cpu"], chosen.meaning)


def show(folder: Path, name: str, share: str, cap: str, own: float, meaning: bool) -> None:
    files = ["../a.jsonl", "../b.jsonl.gz", "../c.json", "../d.parquet"]
    ends = [
        run(folder, f"{name}{turn}", MIX.format(share=share, cap=cap, files=", ".join(order)), meaning)
        for turn, order in enumerate((files, files[::-1]))
    ]
    first = ends[0]
    mixed = read_manifest(first["dataset"]).mix["foreign"]
    assert mixed.read == mixed.taken + sum(mixed.rejected.values()) + mixed.read - mixed.checked - unreadable(mixed)
    held = {one.question for stem in SLICES for one in read_rows(first["dataset"], stem)}
    leaked = sum(one.question in held for one in read_rows(first["dataset"], "train"))
    print(
        f"| {name} | {mixed.taken:,} | {mixed.read:,} | {mixed.checked:,} | {max(end['mb'] for end in ends):.0f}"
        f" | {first['cpu']:.0f} | {own:.0f} | {first['wall']:.0f} | {len({end['hash'] for end in ends}) == 1} |"
    )
    print(f"  rejected: {mixed.rejected}; questions of slices that are trained: {leaked}")
    print(
        "\n".join(f"  {line}" for line in first["said"].splitlines() if re.match("style|warning|refusals", line)),
        flush=True,
    )


def unreadable(mixed) -> int:
    return sum(count for cause, count in mixed.rejected.items() if cause == "unreadable_row")


if __name__ == "__main__":
    main()
