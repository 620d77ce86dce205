"""Supervised fine-tuning: a dataset folder in, a trained student's folder out."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import CourseworkError, InputError, RecipeError, UsageError
from train.checkpoints import Checkpoints, keeping
from train.dataset import DatasetFolder, read_dataset
from train.devices import folder_to_fill, is_main, processes, rows_for_each
from train.fit import Fit, Lesson, check_fit, lessons_of
from train.lesson_trainer import lesson_trainer
from train.loss_curve import write_loss
from train.methods import adapter_for, freeze, saves_memory, weights_of_model
from train.progress import Progress, Say, no_progress, no_words
from train.settings import LOCAL, StudentSettings, settings_of
from train.student_json import (
    FILE,
    LossPoint,
    Parameters,
    StudentFile,
    base_of,
    base_weights,
    hardware,
    read_student,
    versions,
    weights_of,
    write_student,
)
from train.students import (
    Student,
    gpu_bytes,
    has_gpu,
    looks_like_path,
    make_student,
    need_training_stack,
    open_base,
    save_adapter,
    save_student,
    taught_as,
)

LEAST_FOR_BFLOAT16 = 3_000_000
"""Weights below which converting costs a processor more than its units for bfloat16 save."""


def train_student(
    dataset: Path,
    settings: StudentSettings | Mapping[str, Any] | None,
    out: Path | None,
    again: bool,
    say: Say,
    progress: Progress = no_progress,
) -> Path:
    """Trains a student on a dataset folder and returns its folder, `<out or students>/<name>`.

    `settings` is a recipe's `student` section; without it the manifest's own is taken. What was
    trained before on the same rows with the same settings is not trained again unless `again`.
    Interrupted at any point it leaves either the student that was there before or none, and
    checkpoints from which the same call goes on. Started by `accelerate launch` or torchrun, each
    process takes its part of every step, and only the main one speaks and writes.
    """
    if not is_main():
        say, progress = no_words, no_progress
    need_training_stack()
    data = read_dataset(dataset)
    wanted = _wanted(data, settings)
    home = (out or dataset.resolve().parent / "students") / str(wanted.name)
    if not again and _is_trained(home, data, wanted):
        say(f"{wanted.name}: already trained on this dataset with these settings ({home}).")
        return home
    _may_be_replaced(home, wanted)
    with folder_to_fill(home) as folder:
        student = _student_for(wanted, data, folder)
        lessons = lessons_of(data.train, student)
        fit = check_fit(lessons, student, wanted)
        say(f"{wanted.name}: {fit.rows} rows fit, the longest has {fit.longest} of {fit.context} tokens.")
        trainer = sft_trainer(
            student, lessons, training_arguments(fit, wanted, folder, student.model), wanted, progress
        )
        hold_every_lesson(trainer, lessons)
        say(f"{wanted.name}: {weights_of_model(trainer.model)}")
        checkpoints = checkpoints_of(home, data, wanted)
        run_training(trainer, checkpoints, say)
        _converged(trainer)
        trained, state = replace(student, model=trainer.accelerator.unwrap_model(trainer.model)), whole_state(trainer)
        if not is_main():
            return home
        if wanted.is_adapter:
            save_adapter(trained, folder / wanted.place, base_of(home, wanted), state)
        else:
            save_student(trained, folder / wanted.place, state)
        described = _account((home, folder), data, wanted, fit, trainer, checkpoints)
        write_loss(folder, described)
        write_student(folder, described)
    checkpoints.forget()
    return home


def _wanted(data: DatasetFolder, settings: StudentSettings | Mapping[str, Any] | None) -> StudentSettings:
    if isinstance(settings, StudentSettings):
        return settings.resolved()
    section = data.manifest.student if settings is None else settings
    return settings_of(section, data.folder / "manifest.json")


def _is_trained(home: Path, data: DatasetFolder, wanted: StudentSettings) -> bool:
    if not (home / FILE).exists():
        return False
    try:
        there = read_student(home)
    except InputError:
        return False  # of another version: training anew is the remedy it names
    base = base_weights(base_of(home, wanted))
    return (there.dataset_sha256, there.settings, there.base_sha256) == (data.sha256, wanted.spoken(), base)


def _may_be_replaced(home: Path, wanted: StudentSettings) -> None:
    """A student's folder may be replaced by a newer student; nothing else that bears its name may."""
    if home.exists() and any(home.iterdir()) and not (home / FILE).exists():
        raise UsageError(
            f"{home} exists and is not a student: training would put one in its place.",
            remedy="Give the student another name, or move the folder away.",
        )
    if looks_like_path(wanted.base) and Path(wanted.base).expanduser().resolve().is_relative_to(home.resolve()):
        raise UsageError(
            f"base {wanted.base} lies in {home}, which this training would replace.",
            remedy="Give the student another name.",
        )


def _student_for(wanted: StudentSettings, data: DatasetFolder, folder: Path) -> Student:
    prompts = data.manifest.format_of_prompts
    if wanted.base == LOCAL:
        made = make_student(wanted, [row.prompt + row.completion for row in data.train], folder / "base")
        return taught_as(made, wanted, prompts)
    student = open_base(wanted, prompts)
    if wanted.last_layers is not None:
        freeze(student.model, wanted.last_layers)
    return student


def sft_trainer(
    student: Student, lessons: Sequence[Lesson], arguments: Any, wanted: StudentSettings, progress: Progress
) -> Any:
    """TRL's trainer over the tokens that were checked: the loss is on the answer and its end alone."""
    import datasets
    from transformers import PrinterCallback, set_seed

    rows = datasets.Dataset.from_dict(
        {
            "input_ids": [lesson.tokens for lesson in lessons],
            "completion_mask": [[0] * len(lesson.prompt) + [1] * lesson.trained for lesson in lessons],
        }
    )
    set_seed(wanted.seed)
    trainer = lesson_trainer()(
        model=student.model,
        args=arguments,
        train_dataset=rows,
        processing_class=student.tokenizer,
        peft_config=adapter_for(wanted.lora, student.model) if wanted.lora else None,
        callbacks=[_reporter(progress)],
    )
    trainer.remove_callback(PrinterCallback)
    steps = wanted.steps_for(len(lessons))
    trainer.lay_down([len(lesson.tokens) for lesson in lessons], wanted.batch, steps, wanted.seed)
    return trainer


def training_arguments(fit: Fit, wanted: StudentSettings, folder: Path, model: Any) -> Any:
    """Every argument whose default would be wrong here, said out loud."""
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(folder / wanted.place),
        save_strategy="no",  # what is saved is saved once, at the end, without the trainer's pickled arguments
        use_cpu=not has_gpu(),
        bf16=wanted.precision == "bfloat16" or (wanted.precision == "auto" and bfloat16_is_faster(model)),
        activation_checkpointing=saves_memory(wanted, weights_of_model(model), gpu_bytes()),
        max_length=fit.longest,  # chosen from the data: a row above it would be cut or dropped in silence
        completion_only_loss=True,
        packing=False,
        max_steps=wanted.steps_for(fit.rows),
        per_device_train_batch_size=rows_for_each(wanted.batch),
        learning_rate=wanted.learning_rate,
        lr_scheduler_type=wanted.schedule if wanted.schedule != "constant" else "constant_with_warmup",
        warmup_steps=wanted.warmup,
        weight_decay=wanted.weight_decay,
        seed=wanted.seed,
        ddp_find_unused_parameters=False,  # all that is trained has a say in every loss
        logging_steps=0.02,  # of all steps, so that a short training has a loss curve as well
        logging_nan_inf_filter=False,  # a loss that is no number is to be seen, see `_converged`
        report_to="none",
        disable_tqdm=True,
    )


def checkpoints_of(home: Path, data: DatasetFolder, wanted: StudentSettings) -> Checkpoints:
    """Where this training keeps its checkpoints, and all that one must have been made with to be gone on from."""
    run = {
        "dataset_sha256": data.sha256,
        "settings": wanted.spoken(),
        "base_sha256": base_weights(base_of(home, wanted)) if wanted.base != LOCAL else "",
        "processes": processes(),
        "versions": versions(),
    }
    return Checkpoints(home.with_name(f".{home.name}.checkpoints"), run, wanted.checkpoint_minutes)


def run_training(trainer: Any, checkpoints: Checkpoints, say: Say) -> None:
    """Trains from the newest checkpoint there is, else from the beginning, and keeps checkpoints on the way."""
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        say("The weights are parted among the processes: no checkpoints are kept, a killed training begins anew.")
        trainer.train()
        return
    trainer.args.output_dir = str(checkpoints.folder)
    trainer.add_callback(keeping(checkpoints))
    newest = checkpoints.latest()
    if newest:
        say(f"Going on from step {checkpoints.resumed_at[-1]} ({newest.name}).")
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)


def whole_state(trainer: Any) -> dict[str, Any] | None:
    """The weights put together again where they are parted among processes, which all of them must ask for; None where
    each process has them all."""
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        return dict(trainer.accelerator.get_state_dict(trainer.model_wrapped))
    return None


def bfloat16_is_faster(model: Any) -> bool:
    """On a GPU that has it always; on a processor that has units for it, from a size on. A rule and not a stopwatch, so
    that the same training on the same machine has the same precision (docs/lab-log.md for the size)."""
    import torch

    if has_gpu():
        return bool(torch.cuda.is_bf16_supported())
    has_units = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))
    return has_units and sum(weight.numel() for weight in model.parameters()) >= LEAST_FOR_BFLOAT16


def _reporter(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress("training", state.global_step, state.max_steps)

    return Reporter()


def hold_every_lesson(trainer: Any, lessons: Sequence[Lesson]) -> None:
    """Raises unless the trainer's rows are the ones that were checked, token by token: none cut, none
    dropped, and the loss on the answer and its end alone."""
    held = trainer.train_dataset
    if len(held) != len(lessons):
        raise CourseworkError(f"The trainer holds {len(held)} of {len(lessons)} rows; it dropped the rest in silence.")
    for lesson, tokens, labels in zip(lessons, held["input_ids"], held["labels"], strict=True):
        answer = (*[-100] * len(lesson.prompt), *lesson.tokens[len(lesson.prompt) :])
        if tuple(tokens) != lesson.tokens or tuple(labels) != answer:
            raise CourseworkError(f"The trainer renders row {lesson.row.id} in another way than the check did.")


def _converged(trainer: Any) -> None:
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if not losses or not math.isfinite(losses[-1]):
        raise RecipeError(
            f"The training ended with a loss of {losses[-1] if losses else 'nothing'}: its weights are useless.",
            remedy="Lower student.learning_rate, or train in float32.",
        )


def _account(
    places: tuple[Path, Path],
    data: DatasetFolder,
    wanted: StudentSettings,
    fit: Fit,
    trainer: Any,
    checkpoints: Checkpoints,
) -> StudentFile:
    """What student.json says about a training that has just ended; `places` are the student's folder and the one that
    becomes it."""
    home, folder = places
    model = trainer.model
    return StudentFile(
        name=str(wanted.name),
        dataset=os.path.relpath(data.folder.resolve(), home.resolve()),
        dataset_name=data.manifest.name,
        dataset_sha256=data.sha256,
        recipe_sha256=data.manifest.recipe_sha256,
        settings=wanted.spoken(),
        base_sha256=base_weights(base_of(folder, wanted)),
        base_revision=getattr(model.config, "_commit_hash", None) or "",
        weights_sha256=weights_of(folder / wanted.place),
        parameters=Parameters(**weights_of_model(model)._asdict()),
        fit=fit,
        steps=trainer.state.global_step,
        loss=[
            LossPoint(
                step=entry["step"],
                loss=entry["loss"],
                learning_rate=entry["learning_rate"],
                token_accuracy=entry.get("mean_token_accuracy"),
            )
            for entry in trainer.state.log_history
            if "loss" in entry
        ],
        precision="bfloat16" if trainer.args.bf16 else "float32",
        hardware=hardware(),
        processes=processes(),
        versions=versions(),
        seconds=round(checkpoints.seconds, 2),
        padding=round(trainer.padding, 4),
        resumed_at=checkpoints.resumed_at,
    )
