"""Several processes train one student as one process would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.errors import UsageError
from tests.conftest import ROOT
from tests.train.made_up_course import BRIEF, silent, write_course
from train.devices import rows_for_each
from train.sft import train_student
from train.student_json import read_student

CONFIGS = ROOT / "train" / "accelerate"


@pytest.mark.slow
def test_two_processes_reach_the_loss_of_one(tmp_path: Path) -> None:
    """Started as the page says, by the configuration that is shipped; without a GPU both compute on processors."""
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    dataset = write_course(tmp_path / "dataset", concepts=3, student={**BRIEF, "steps": 8})
    accelerate = Path(sys.executable).with_name("accelerate")
    command = [accelerate, "launch", "--config_file", CONFIGS / "ddp.yaml", "--num_processes", "2"]
    done = subprocess.run(
        [*command, "-m", "pipeline", "train", dataset, "--out", tmp_path / "two"], cwd=ROOT, capture_output=True,
        text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "two" / "brief")]
    assert done.stderr.count("rows fit") == 1
    two = read_student(tmp_path / "two" / "brief")
    one = read_student(train_student(dataset, None, tmp_path / "one", False, silent))
    assert (two.processes, one.processes) == (2, 1)
    assert [point.loss for point in two.loss] == pytest.approx([point.loss for point in one.loss], rel=1e-4)
    assert [point.step for point in two.loss] == [point.step for point in one.loss]


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert rows_for_each(12) == 4
    with pytest.raises(UsageError, match="3 processes cannot share"):
        rows_for_each(16)


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "deepspeed_zero3"])
def test_accelerate_reads_the_configurations_that_are_shipped(name: str) -> None:
    config_args = pytest.importorskip("accelerate.commands.config.config_args")
    read = config_args.load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    said = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    assert read.distributed_type.value == said["distributed_type"]
    assert json.dumps(read.to_dict(), default=str)
