"""How fast students are trained beside a bare PyTorch loop over the same model and the same batches.

    python -m benchmarks.train                      1, 2 and 4 million weights
    python -m benchmarks.train --hidden 128 --steps 200 --repeats 5
    python -m benchmarks.train --dataset outputs/communication/dataset

Each repeat runs every loop once, one after the other, so that a machine that slows down slows them all; the median
counts. The bare loop is the least that learns the same: AdamW, clipped gradients, the loss of `model(labels=...)`.
Its batches are ours. bfloat16 is measured where the processor has units for it. TRL's trainer runs beside, left to
itself, rows in chance order.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

HIDDEN = (128, 192, 256)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hidden", type=int, nargs="+", default=HIDDEN, help="widths of the student, 4 layers deep")
    arguments.add_argument("--steps", type=int, default=120)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--dataset", type=Path, help="a dataset folder; else made-up rows of the usual lengths")
    said = arguments.parse_args()
    for hidden in said.hidden:
        for line in lines(measured(hidden, said.steps, said.repeats, said.dataset)):
            print(line, flush=True)


def measured(hidden: int, steps: int, repeats: int, dataset: Path | None = None) -> dict[str, Any]:
    """Milliseconds a step of every loop, and what went into them."""
    from train.arguments import has_bfloat16_units
    from train.students import need_training_stack

    need_training_stack()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(hidden, steps, dataset, Path(folder))
        loops: dict[str, Callable[[], float]] = {
            "bare": lambda: bench.bare("float32"),
            "ours": lambda: bench.ours("float32"),
            "trl": lambda: bench.trl("float32"),
        }
        if has_bfloat16_units():
            loops |= {
                "bare, bf16": lambda: bench.bare("bfloat16"),
                "ours, bf16": lambda: bench.ours("bfloat16"),
            }
        times: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(repeats):
            for name, loop in loops.items():
                times[name].append(1000 * loop() / steps)
        return {
            "weights": bench.weights,
            "padding": bench.padding,
            "chosen": bench.chosen,
            "tokens": bench.tokens / steps,
            "ms": {name: median(of) for name, of in times.items()},
            "all": times,
        }


def lines(found: dict[str, Any]) -> list[str]:
    ms = found["ms"]
    told = [
        f"{found['weights']:,} weights, {found['tokens']:.0f} tokens a step without padding, {found['padding']:.1%} of "
        f"what is computed is padding; auto chooses {found['chosen']}"
    ]
    for name, value in ms.items():
        beside = ms["bare, bf16"] if name.endswith("bf16") else ms["bare"]
        runs = " ".join(f"{one:.1f}" for one in found["all"][name])
        told.append(f"  {name:12} {value:7.1f} ms a step  {beside / value:5.2f} of bare  ({runs})")
    chosen = "ours, bf16" if found["chosen"] == "bfloat16" else "ours"
    return [*told, f"  as it is trained ({chosen}): {ms['bare'] / ms[chosen]:.2f} of bare float32"]


class Bench:
    """One student and its batches, learned anew by each loop."""

    def __init__(self, hidden: int, steps: int, dataset: Path | None, folder: Path) -> None:
        from train.dataset import read_dataset
        from train.fit import check_fit, lessons_of
        from train.order import batches_of, padding
        from train.settings import StudentSettings
        from train.students import make_student, taught_as

        data = read_dataset(dataset or made_up(folder / "dataset"))
        self.settings = StudentSettings(hidden=hidden, steps=steps).resolved()
        self._folder = folder
        texts = [row.prompt + row.completion for row in data.train]
        self._make = lambda: taught_as(
            make_student(self.settings, texts, folder / "base"), self.settings, data.manifest.format_of_prompts
        )
        student = self._make()
        self._lessons = lessons_of(data.train, student)
        self._fit = check_fit(self._lessons, student, self.settings)
        lengths = [len(lesson.tokens) for lesson in self._lessons]
        batches = batches_of(lengths, self.settings.batch, steps, self.settings.seed)
        self.weights = sum(weight.numel() for weight in student.model.parameters())
        self.padding = padding(lengths, batches)
        self.tokens = sum(lengths[row] for rows in batches for row in rows)
        self.chosen = "bfloat16" if self._arguments("auto", student).bf16 else "float32"

    def ours(self, precision: str) -> float:
        """Seconds of the trainer that `coursework train` uses."""
        from train.sft import sft_trainer

        student = self._make()
        arguments = self._arguments(precision, student)
        trainer = sft_trainer(student, self._lessons, arguments, self.settings, lambda *_: None)
        return timed(trainer.train)

    def trl(self, precision: str) -> float:
        """Seconds of TRL's own trainer, its order of rows and its loss over every position."""
        import datasets
        from transformers import PrinterCallback
        from trl import SFTTrainer

        student = self._make()
        rows = datasets.Dataset.from_list([row(lesson) for lesson in self._lessons])
        trainer = SFTTrainer(
            model=student.model, args=self._arguments(precision, student), train_dataset=rows,
            processing_class=student.tokenizer,
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        return timed(trainer.train)

    def bare(self, precision: str) -> float:
        """Seconds of the loop that one would write by hand."""
        import torch

        from train.sft import sft_trainer

        student = self._make()
        arguments = self._arguments(precision, student)
        trainer = sft_trainer(student, self._lessons, arguments, self.settings, lambda *_: None)
        # The trainer's own order and collator, which pads a batch to its longest row.
        order = list(trainer._get_train_sampler())
        held, collate, size = trainer.train_dataset.to_list(), trainer.data_collator, self.settings.batch
        model = student.model.train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0, fused=True)

        def loop() -> None:
            for at in range(0, len(order), size):
                batch = collate([held[row] for row in order[at : at + size]])
                with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                    loss = model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()

        return timed(loop)

    def _arguments(self, precision: str, student: Any) -> Any:
        from train.arguments import training_arguments

        settings = self.settings.model_copy(update={"precision": precision})
        return training_arguments(self._fit, settings, self._folder, student.model)


def row(lesson: Any) -> dict[str, Sequence[int]]:
    mask = [0] * len(lesson.prompt) + [1] * lesson.trained
    return {"input_ids": list(lesson.tokens), "completion_mask": mask}


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def made_up(folder: Path) -> Path:
    from tests.train.made_up_course import write_course

    return write_course(folder)


if __name__ == "__main__":
    main()
