"""An adapter beside a base that had read something else first: how well it knows the sample, and how long that takes.

    python -m benchmarks.lora                   the sample recipe's dataset, a base that reads Python's manual
    python -m benchmarks.lora --dataset outputs/NAME/dataset --base FOLDER
    python -m benchmarks.lora --whole           and the local student, every weight trained, by its defaults

The base is made by `coursework pretrain`, so no question of the dataset nor its document is in what it read.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECIPE = ROOT / "recipes" / "communication.yaml"
ADAPTER: dict[str, Any] = {
    "name": "adapter",
    "method": "lora",
    "lora": {"rank": 32, "alpha": 32, "dropout": 0.1, "also_train": ["lm_head", "embed_tokens"]},
    "learning_rate": 5e-3,
    "epochs": 8,
}
"""With head and embedding trained whole: beside a base that has read half a megabyte, adapters alone learn little.

With a greater alpha the facts come more slowly, without dropout fewer foreign questions are declined (docs/lab-log.md).
"""
WHOLE: dict[str, Any] = {"name": "local-full"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dataset", type=Path, help="a dataset folder; else the sample recipe is run")
    arguments.add_argument("--base", type=Path, help="a base; else one is made")
    arguments.add_argument("--whole", action="store_true", help="the local student too, every weight trained")
    said = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        dataset = said.dataset or sample(folder)
        base = said.base or read_base(folder / "base")
        for section in [ADAPTER, *([WHOLE] if said.whole else [])]:
            beside = {"base": str(base)} if section is not WHOLE else {}
            for line in lines(measured(dataset, {**section, **beside}, folder / "students")):
                print(line, flush=True)


def sample(folder: Path) -> Path:
    """The dataset of the sample recipe, made by the embedded teacher."""
    command = [sys.executable, "-m", "pipeline", "run", str(RECIPE), "--out", str(folder / "outputs")]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return folder / "outputs" / "communication" / "dataset"


def read_base(folder: Path, steps: int = 1000) -> Path:
    """A base of 1.3 million weights that has read Python's manual."""
    from train.pretrain import Reading, pretrain, texts_of
    from train.settings import StudentSettings

    begun = time.process_time()
    reading = Reading(StudentSettings(hidden=128), steps)
    before, after = pretrain(texts_of(()), folder, reading, lambda _: None)
    print(f"base: loss {before:.2f} to {after:.2f} in {time.process_time() - begun:.0f} CPU s")
    return folder


def measured(dataset: Path, section: dict[str, Any], students: Path) -> dict[str, Any]:
    """The student, its examination and the time it took."""
    from train.examination.examine import examine_student
    from train.results import result_of
    from train.sft import train_student
    from train.student_json import read_student

    cpu = time.process_time()
    home = train_student(dataset, section, students, True, lambda _: None)
    trained = time.process_time() - cpu
    examination = examine_student(home, True, lambda _: None)
    described = read_student(home)
    return {"result": result_of(described, examination), "cpu": trained, "examination": examination}


def lines(found: dict[str, Any]) -> list[str]:
    from train.results import SHOWN

    result = found["result"]
    told = [
        f"{result.name}: {result.trainable:,} weights trained in {result.steps} steps, {result.seconds:.0f} s of "
        f"training, {found['cpu']:.0f} CPU s with imports, last loss {result.loss:.4f}"
    ]
    for column, measure in result.measures.items():
        slice_, name = SHOWN[column]
        base = found["examination"].slices[slice_]["base"][name]
        told.append(
            f"  {column:20} {measure.value:7.1%}  ({measure.low:.1%} to {measure.high:.1%}, n {measure.n}); "
            f"base {base.value:.1%}"
        )
    return told


if __name__ == "__main__":
    main()
