"""How long `coursework check` takes on 200,000 lines, and how many lines a second a run reads of its sheets.

    python benchmarks/check.py                      200,000 lines: untouched, judged, edited
    python benchmarks/check.py --lines 20000

CPU seconds of one core, the command with its start included, and beside them a bare loop that only parses the same
lines with orjson: a busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from pipeline.desk.beside import leave_material
from pipeline.desk.laid import Laid
from pipeline.recipe import Recipe
from pipeline.records import Passage, Record
from pipeline.review.sheets import lay_sheet
from pipeline.review.verdicts import read_sheets
from pipeline.teacher.ledger import Ledger

WORDINGS = 8
RECIPE = Recipe.model_validate({"name": "made-up", "documents": {"files": ["none"]}})


def passage_of(number: int) -> Passage:
    text = (
        f"The keeper of lighthouse number {number} is {20 + number % 60} years old, has a dog, and has kept the light"
        f" of Kalomirensta for {number % 19 + 1} years without a single night off."
    )
    return Passage(
        id=f"{number:016x}",
        document="lights.md",
        document_sha256="0",
        start=0,
        end=len(text),
        pages=((0, 1),),
        text=text,
    )


def records(lines: int) -> Iterator[Record]:
    for number in range(lines):
        passage = passage_of(number // WORDINGS)
        yield Record(
            id=f"{number + 2**60:016x}", kind="document",
            question=f"In wording {number % WORDINGS}, how old is the keeper of lighthouse {number // WORDINGS}?",
            answer=f"The keeper of lighthouse number {number // WORDINGS} is {20 + number // WORDINGS % 60} years old.",
            quote=passage.text, source="lights.md", page=1, span=(0, len(passage.text)), passage=passage.id,
            fact=passage.id, model="made-up-1", prompt="0", request="0" * 32, score=0.9,
        )  # fmt: skip


class Made:
    """An outputs folder with one sheet."""

    def __init__(self, folder: Path, lines: int) -> None:
        self.folder, self.lines = folder, lines
        leave_material(folder, RECIPE, map(passage_of, range(lines // WORDINGS + 1)))

        class Streamed:
            def __iter__(self) -> Iterator[Record]:
                return records(lines)

        begun = time.process_time()
        with Ledger(folder) as ledger:
            sheet = lay_sheet(folder / "review", Streamed(), {}, Laid(ledger).note)
        assert sheet is not None
        self.sheet = sheet
        self.laying = time.process_time() - begun

    def change(self, one_in: int, change: Callable[[dict], dict]) -> None:
        changed = (
            json.dumps(change(json.loads(line)), ensure_ascii=False) + "\n" if number % one_in == 0 else line
            for number, line in enumerate(self.sheet.open(encoding="utf-8"))
        )
        text = "".join(changed)
        self.sheet.write_text(text, encoding="utf-8")


def checked(made: Made) -> tuple[float, int, float]:
    """CPU seconds of the command, the problems it told, and its peak memory in MB."""
    command = [sys.executable, "-m", "pipeline", "check", str(made.folder)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode in (0, 65), done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, sum(1 for line in done.stdout.splitlines() if ".jsonl:" in line), after.ru_maxrss / 1024


def parsed(sheet: Path) -> float:
    begun = time.process_time()
    with sheet.open("rb") as lines:
        for line in lines:
            orjson.loads(line)
    return time.process_time() - begun


def read(made: Made) -> float:
    with Ledger.look(made.folder) as ledger:
        laid = Laid(ledger).lines
        begun = time.process_time()
        read_sheets(made.folder / "review", laid)
        return time.process_time() - begun


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=200_000)
    lines = options.parse_args().lines
    with tempfile.TemporaryDirectory() as scratch:
        made = Made(Path(scratch) / "made-up", lines)
        print(f"laid: {lines / made.laying:,.0f} lines/s\n")
        print("| the sheet | check: CPU s | problems | MB | read by a run: lines/s | orjson alone: lines/s |")
        print("|---|---|---|---|---|---|")
        stages: list[tuple[str, int, Callable[[dict], dict]]] = [
            ("as it was laid", lines + 1, lambda line: line),
            ("every line judged", 1, lambda line: line | {"review": "keep"}),
            ("and one in 100 edited well", 100, lambda line: line | {"question": f"Now: {line['question']}"}),
            ("and one in 100 edited badly", 100, lambda line: line | {"answer": "It says 987654 and 3 more."}),
        ]
        for name, one_in, change in stages:
            made.change(one_in, change)
            cpu, problems, memory = checked(made)
            rates = lines / read(made), lines / parsed(made.sheet)
            print(
                f"| {name} | {cpu:.2f} | {problems:,} | {memory:.0f} | {rates[0]:,.0f} | {rates[1]:,.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
