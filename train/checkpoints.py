"""Checkpoints: what a killed training goes on from, and the proof that what is loaded is what was saved."""

from __future__ import annotations

import os
import shutil
import time
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError
from train.devices import is_main, processes
from train.files import write_whole

WEIGHTS = "weights.safetensors"
MARK = "complete.json"
REMEDY = "Remove that folder, and training begins anew."


class Mark(BaseModel):
    """Written last into a checkpoint, so that one without it was cut off and is never read."""

    model_config = ConfigDict(frozen=True)

    run: dict[str, Any]
    step: int
    seconds: float
    resumed_at: list[int]


class Checkpoints:
    """The checkpoints of one training, in a folder beside the student that is not there yet.

    `run` is all that shapes the weights: a checkpoint of another run is thrown away, not continued.
    """

    def __init__(self, folder: Path, run: dict[str, Any], minutes: float) -> None:
        self.folder = folder
        self.minutes = minutes
        self.resumed_at: list[int] = []
        self._run = run
        self._seconds_before = 0.0
        self._begun = self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        """That training has taken, before a kill and after it."""
        return self._seconds_before + time.monotonic() - self._begun

    def latest(self) -> Path | None:
        """The newest whole checkpoint of this run. What is there of another run is removed."""
        marks = {folder: mark for folder in self.folder.glob("checkpoint-*") if (mark := _mark(folder))}
        own = {folder: mark for folder, mark in marks.items() if mark.run == self._run}
        if not own:
            self.forget()
            return None
        newest = max(own, key=lambda folder: own[folder].step)
        self.resumed_at = [*own[newest].resumed_at, own[newest].step]
        self._seconds_before = own[newest].seconds
        return newest

    def forget(self) -> None:
        """Removes them all."""
        if is_main():
            shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self) -> None:
        """The clock of the first checkpoint starts when training does."""
        self._begun = self._last = time.monotonic()

    def due(self) -> bool:
        """Whether so many minutes have passed since the last one."""
        return time.monotonic() - self._last >= 60 * self.minutes

    def saved(self, step: int) -> None:
        """Marks the checkpoint of `step` as whole, and removes the ones before it."""
        self._last = time.monotonic()
        folder = self.folder / f"checkpoint-{step}"
        for path in folder.iterdir():
            _sync(path)
        mark = Mark(run=self._run, step=step, seconds=round(self.seconds, 2), resumed_at=self.resumed_at)
        write_whole(folder / MARK, mark.model_dump_json() + "\n")
        for other in self.folder.glob("checkpoint-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


@cache
def resumable(trainer: Any) -> Any:
    """A trainer of TRL's whose checkpoints hold weights under the names they have in memory.

    Its own hold them under the names of the file format, which for GPT-NeoX are others (`embed_out` for `lm_head`), and
    a name that is not found when they are loaded is passed over: the training went on from a random head.
    """
    from transformers import Trainer

    class Resumable(trainer):  # type: ignore[misc]
        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            Trainer._save_checkpoint(self, model, trial)  # without TRL's model card

        def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
            if is_main():
                save_weights(self.accelerator.unwrap_model(self.model), Path(str(output_dir)))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            load_weights(model or self.model, Path(resume_from_checkpoint))

    return Resumable


def keeping(checkpoints: Checkpoints) -> Any:
    """The trainer's callback that asks for a checkpoint when one is due, and marks it when it is whole."""
    import torch
    from transformers import TrainerCallback

    def all_agree(due: bool, args: Any) -> bool:
        """The main process's clock decides for all: whoever saved alone would wait for the others for ever."""
        if processes() == 1:
            return due
        told = torch.tensor([due], dtype=torch.uint8, device=args.device)
        torch.distributed.broadcast(told, 0)
        return bool(told.item())

    class Keeper(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            checkpoints.begin()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step < state.max_steps and all_agree(checkpoints.due(), args):
                control.should_save = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if processes() > 1:
                torch.distributed.barrier()  # the others write the state of their dice
            if is_main():
                checkpoints.saved(state.global_step)

    return Keeper()


def save_weights(model: Any, folder: Path) -> None:
    """Writes all that training moves, under the names it has in memory."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: one.detach().contiguous() for name, one in _moved(model).items()}, folder / WEIGHTS)


def load_weights(model: Any, folder: Path) -> None:
    """Puts a checkpoint's weights into `model`, and compares each with the file afterwards. Raises InputError unless
    all that training moves is there, no more and no less, and stands in the model bit for bit."""
    import torch
    from safetensors.torch import load_file

    saved, moved = load_file(folder / WEIGHTS), _moved(model)
    different = sorted(saved.keys() ^ moved.keys())
    if different:
        raise InputError(
            f"{folder} holds other weights than this training moves: {', '.join(different[:3])}. Going on from it "
            "would train the rest from where the base stands.",
            remedy=REMEDY,
        )
    with torch.no_grad():
        for name, one in moved.items():
            if one.shape != saved[name].shape:
                raise InputError(
                    f"{folder}: {name} has the shape {[*saved[name].shape]} there and {[*one.shape]} in the model.",
                    remedy=REMEDY,
                )
            one.copy_(saved[name])
    for name, one in _moved(model).items():
        if not torch.equal(one.detach().cpu(), saved[name].to(one.dtype)):
            raise InputError(f"{folder}: {name} is not in the model what it is in the checkpoint.", remedy=REMEDY)


def _moved(model: Any) -> dict[str, Any]:
    """What training moves: parameters with a gradient, each once, and the buffers that belong to a saved model."""
    kept = model.state_dict().keys()
    return {name: one for name, one in model.named_parameters() if one.requires_grad} | {
        name: one for name, one in model.named_buffers() if name in kept
    }


def _mark(folder: Path) -> Mark | None:
    try:
        return Mark.model_validate_json((folder / MARK).read_bytes())
    except (OSError, ValidationError):
        return None


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
