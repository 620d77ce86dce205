"""A local base that has read something: a small Llama taught plain text, for students that are adapters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, UsageError
from train.files import appearing_whole
from train.progress import Progress, Say, no_progress
from train.settings import StudentSettings
from train.students import Student, has_gpu, make_student, need_training_stack, save_student

BLOCK = 128
"""Tokens read at once; a question with its answer is shorter."""
LEAST_BLOCKS = 16


@dataclass(frozen=True)
class Reading:
    """How a base reads: the shape is the one of a local student."""

    shape: StudentSettings = field(default_factory=StudentSettings)
    steps: int = 400
    batch: int = 16
    learning_rate: float = 3e-3


def pretrain(
    texts: Sequence[str], folder: Path, reading: Reading, say: Say, progress: Progress = no_progress
) -> tuple[float, float]:
    """Makes a base that has read `texts` in `folder`; returns the loss per token before and after.

    The same texts and settings give the same bytes. Raises UsageError if `folder` exists: it may be the base of
    somebody's adapter.
    """
    need_training_stack()
    if folder.exists():
        raise UsageError(f"{folder} exists, and may be a base that an adapter needs.", remedy="Name another folder.")
    with appearing_whole(folder) as aside:
        student = make_student(reading.shape, texts, aside)
        blocks = _blocks(texts, student)
        say(f"{len(blocks):,} blocks of {BLOCK} tokens to read, {reading.steps * reading.batch:,} are read.")
        losses = _read(student, blocks, reading, aside, progress)
        save_student(student, aside)
    return losses


def texts_of(files: Sequence[Path]) -> list[str]:
    """The files' texts; without any, Python's own manual, which every machine has."""
    if not files:
        from pydoc_data.topics import topics

        return [topics[name] for name in sorted(topics)]
    try:
        return [file.read_text(encoding="utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"A text to read could not be read: {fault}.", remedy="Name files of UTF-8 text.") from fault


def _blocks(texts: Sequence[str], student: Student) -> list[list[int]]:
    """All texts one after the other, end-of-text between them, cut into blocks of equal length."""
    end = student.tokenizer.eos_token_id
    tokens = [token for ids in student.tokenizer(list(texts))["input_ids"] for token in (*ids, end)]
    blocks = [tokens[at : at + BLOCK] for at in range(0, len(tokens) - BLOCK + 1, BLOCK)]
    if len(blocks) < LEAST_BLOCKS:
        raise InputError(
            f"The texts have {len(tokens)} tokens: too few to learn a language from.",
            remedy=f"Name texts of at least {LEAST_BLOCKS * BLOCK} tokens.",
        )
    return blocks


def _read(
    student: Student, blocks: list[list[int]], reading: Reading, folder: Path, progress: Progress
) -> tuple[float, float]:
    import datasets
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, default_data_collator

    class Told(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress("reading", state.global_step, state.max_steps)

    arguments = TrainingArguments(
        output_dir=str(folder), save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=not has_gpu(),
        max_steps=reading.steps, per_device_train_batch_size=reading.batch, learning_rate=reading.learning_rate,
        lr_scheduler_type="cosine", warmup_steps=0.05, seed=reading.shape.seed, logging_steps=0.05,
    )  # fmt: skip
    rows = datasets.Dataset.from_dict({"input_ids": blocks, "labels": blocks})
    trainer = Trainer(
        model=student.model, args=arguments, train_dataset=rows, data_collator=default_data_collator, callbacks=[Told()]
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if not math.isfinite(losses[-1]):
        raise UsageError(f"Reading ended with a loss of {losses[-1]}.", remedy="Lower --learning-rate.")
    return losses[0], losses[-1]
