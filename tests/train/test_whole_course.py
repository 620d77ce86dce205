"""The proof: a dataset of the usual size, trained as the defaults say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.made_up_course import silent, write_course
from train.examination.examine import examine_student
from train.sft import train_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_with_its_defaults_a_local_student_knows_its_course_and_declines_the_rest(tmp_path: Path, seed: int) -> None:
    dataset = write_course(tmp_path / "dataset")
    slices = examine_student(train_student(dataset, {"seed": seed}, None, False, silent), False, silent).slices
    values = {
        (name, side, key): found.value or 0
        for name, sides in slices.items()
        for side, measures in sides.items()
        for key, found in measures.items()
        if found.n
    }
    assert values["trained", "student", "exact"] >= 0.95
    assert values["rephrased", "student", "exact"] >= 0.7
    assert values["rephrased", "student", "false_refusal"] <= 0.05
    assert values["off_topic", "student", "refusal_recall"] >= 0.9
    asked = [name for name, sides in slices.items() if sides["student"]["right"].n]
    assert len(asked) == 5
    assert min(values[name, "student", "stopped"] for name in asked) >= 0.99
    assert max(values[name, "base", "exact"] for name in asked) <= 0.02
