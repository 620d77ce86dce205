"""Supervised fine-tuning and training by preference: a dataset folder in, a trained student's folder out."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import CourseworkError, InputError, RecipeError, UsageError
from train.arguments import preference_arguments, training_arguments
from train.checkpoints import Checkpoints, keeping
from train.dataset import DatasetFolder, read_dataset
from train.devices import folder_to_fill, is_main, processes
from train.fit import Fit, Lesson, check_fit, lessons_of
from train.lesson_trainer import lesson_trainer
from train.loss_curve import write_loss
from train.methods import adapter_for, freeze, weights_of_model
from train.preference import choices_of, hold_every_choice, lessons_in, preference_trainer
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
    looks_like_path,
    make_student,
    need_training_stack,
    open_base,
    save_adapter,
    save_student,
    taught_as,
)


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
        fit, trainer = _prepared(student, data, wanted, folder, progress)
        say(f"{wanted.name}: {fit.rows} rows fit, the longest has {fit.longest} of {fit.context} tokens.")
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
    now = (data.sha256, wanted.spoken(), base_weights(base_of(home, wanted)), _pairs(data, wanted))
    return (there.dataset_sha256, there.settings, there.base_sha256, there.fit.pairs_sha256) == now


def _pairs(data: DatasetFolder, wanted: StudentSettings) -> str:
    """The hash of the pairs, where it is they that teach."""
    return data.pairs_sha256 if wanted.method == "dpo" else ""


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


def _prepared(
    student: Student, data: DatasetFolder, wanted: StudentSettings, folder: Path, progress: Progress
) -> tuple[Fit, Any]:
    """What is taught, and a trainer that is proven to hold it to the token."""
    if wanted.method == "dpo":
        choices = choices_of(data.pairs(), student)
        fit = check_fit(lessons_in(choices), student, wanted, data.pairs_sha256)
        arguments = preference_arguments(fit, wanted, folder, student.model)
        trainer = preference_trainer(student, choices, arguments, wanted, [_reporter(progress)])
        hold_every_choice(trainer, choices)
        return fit, trainer
    lessons = lessons_of(data.train, student)
    fit = check_fit(lessons, student, wanted)
    trainer = sft_trainer(student, lessons, training_arguments(fit, wanted, folder, student.model), wanted, progress)
    hold_every_lesson(trainer, lessons)
    return fit, trainer


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


def checkpoints_of(home: Path, data: DatasetFolder, wanted: StudentSettings) -> Checkpoints:
    """Where this training keeps its checkpoints, and all that one must have been made with to be gone on from."""
    run = {
        "dataset_sha256": data.sha256,
        "pairs_sha256": _pairs(data, wanted),
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
