"""A training that was killed goes on, and ends with the weights of one that was left in peace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from tests.conftest import ROOT
from tests.train.architectures import ARCHITECTURES, base_of_kind
from tests.train.made_up_course import silent
from train.checkpoints import load_weights, save_weights
from train.sft import train_student
from train.student_json import StudentFile, read_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")

OFTEN = {"checkpoint_minutes": 1e-6}
SECTION = {"name": "killed", "steps": 12, "batch": 4, "learning_rate": 3e-3}
TRAIN = """
import json, sys
from pathlib import Path
from train.sft import train_student

def shown(*said):
    print(*said[:2], flush=True)

train_student(Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3]), False, shown, shown)
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_killed_training_ends_with_the_same_weights(dataset: Path, tmp_path: Path, kind: str, method: str) -> None:
    section = {**SECTION, "base": str(base_of_kind(kind, dataset, tmp_path / kind)), "method": method}
    if method == "lora":
        section["lora"] = {"rank": 4, "alpha": 8, "dropout": 0.1, "also_train": ARCHITECTURES[kind]}
    undisturbed = trained(dataset, section, tmp_path / "peace")
    killed_at(7, dataset, section, tmp_path / "killed")
    assert [path.name for path in (tmp_path / "killed" / ".killed.checkpoints").iterdir()]
    after = trained(dataset, section, tmp_path / "killed")
    assert after.resumed_at and 1 <= after.resumed_at[0] < 12
    assert after.weights_sha256 == undisturbed.weights_sha256
    assert after.loss[-1] == undisturbed.loss[-1]


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8, "dropout": 0.1}])
def test_a_training_by_preference_that_was_killed_ends_with_the_same_weights(
    paired: Path, base: Path, tmp_path: Path, lora: dict[str, Any] | None
) -> None:
    section = {**SECTION, "base": str(base), "method": "dpo"} | ({"lora": lora} if lora else {})
    undisturbed = trained(paired, section, tmp_path / "peace")
    killed_at(7, paired, section, tmp_path / "killed")
    after = trained(paired, section, tmp_path / "killed")
    assert after.resumed_at and 1 <= after.resumed_at[0] < 12
    assert after.weights_sha256 == undisturbed.weights_sha256


def test_a_training_killed_by_hand_goes_on_and_leaves_nothing_behind(dataset: Path, base: Path, tmp_path: Path) -> None:
    section = {**SECTION, "base": str(base)}
    undisturbed = trained(dataset, section, tmp_path / "peace")
    interrupted_at(7, dataset, section, tmp_path / "killed")
    lines: list[str] = []
    home = train_student(dataset, {**section, **OFTEN}, tmp_path / "killed", False, lines.append)
    assert any(line.startswith("Going on from step 6") for line in lines)
    assert read_student(home).weights_sha256 == undisturbed.weights_sha256
    assert read_student(home).resumed_at == [6]
    left = [path.name for path in (tmp_path / "killed").iterdir() if not path.name.endswith(".lock")]
    assert left == ["killed"]
    assert [point.step for point in read_student(home).loss] == [point.step for point in undisturbed.loss]


def test_checkpoints_of_other_settings_are_not_gone_on_from(dataset: Path, base: Path, tmp_path: Path) -> None:
    section = {**SECTION, "base": str(base)}
    interrupted_at(5, dataset, section, tmp_path)
    home = train_student(dataset, {**section, "learning_rate": 1e-3}, tmp_path, False, silent)
    assert read_student(home).resumed_at == []
    assert not (tmp_path / ".killed.checkpoints").exists()


def test_a_checkpoint_that_was_cut_off_is_not_read(dataset: Path, base: Path, tmp_path: Path) -> None:
    section = {**SECTION, "base": str(base)}
    interrupted_at(5, dataset, section, tmp_path)
    (found,) = (tmp_path / ".killed.checkpoints").iterdir()
    (found / "complete.json").unlink()
    assert trained(dataset, section, tmp_path).resumed_at == []


def test_weights_that_are_not_the_models_are_refused(dataset: Path, tmp_path: Path) -> None:
    """What the trainer's own resume passes over in silence, by whichever name it is lost."""
    from safetensors.torch import load_file, save_file

    from train.students import open_student

    neox = open_student(str(base_of_kind("neox", dataset, tmp_path / "neox"))).model
    save_weights(neox, tmp_path / "checkpoint")
    load_weights(neox, tmp_path / "checkpoint")
    file = tmp_path / "checkpoint" / "weights.safetensors"
    weights = load_file(file)
    assert "lm_head.weight" in weights
    weights["embed_out.weight"] = weights.pop("lm_head.weight")
    save_file(weights, file)
    with pytest.raises(InputError, match=r"other weights than this training moves: embed_out\.weight, lm_head\.weight"):
        load_weights(neox, tmp_path / "checkpoint")
    weights["lm_head.weight"] = weights.pop("embed_out.weight")[:-1].clone()
    save_file(weights, file)
    with pytest.raises(InputError, match=r"lm_head\.weight has the shape"):
        load_weights(neox, tmp_path / "checkpoint")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_weight_comes_back_as_it_was_saved(dataset: Path, tmp_path: Path, kind: str) -> None:
    import torch

    from train.students import open_student

    place = str(base_of_kind(kind, dataset, tmp_path / kind))
    saved, other = (open_student(place).model for _ in range(2))
    with torch.no_grad():
        for weight in saved.parameters():
            weight.add_(torch.randn_like(weight))
    save_weights(saved, tmp_path / "checkpoint")
    load_weights(other, tmp_path / "checkpoint")
    tokens = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        assert torch.equal(saved(tokens).logits, other(tokens).logits)


def test_the_same_seed_gives_the_same_adapter(dataset: Path, base: Path, tmp_path: Path) -> None:
    section = {**SECTION, "base": str(base), "method": "lora", "lora": {"rank": 4, "dropout": 0.1}, "steps": 4}
    one, other = (trained(dataset, section, tmp_path / place).weights_sha256 for place in ("one", "other"))
    assert one == other
    assert trained(dataset, {**section, "seed": 1}, tmp_path / "another").weights_sha256 != one


def trained(dataset: Path, section: dict[str, Any], out: Path) -> StudentFile:
    return read_student(train_student(dataset, {**section, **OFTEN}, out, False, silent))


def interrupted_at(step: int, dataset: Path, section: dict[str, Any], out: Path) -> None:
    def progress(what: str, done: int, total: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_student(dataset, {**section, **OFTEN}, out, False, silent, progress)


def killed_at(step: int, dataset: Path, section: dict[str, Any], out: Path) -> None:
    """SIGKILL while it computes the step after `step`."""
    command = [sys.executable, "-c", TRAIN, str(dataset), json.dumps({**section, **OFTEN}), str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}) as running:
        assert running.stdout
        for line in running.stdout:
            if line.split() == ["training", str(step)]:
                break
        time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert not (out / str(section["name"])).exists()
