"""The proofs: adapters beside bases that had learned something else, examined beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import lora
from pipeline.errors import InputError
from tests.train.made_up_course import silent, write_course
from tests.train.stories260k import convert
from train.sft import train_student
from train.students import open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")

STORIES = {"method": "lora", "lora": {"rank": 64, "alpha": 128, "dropout": 0.0}, "learning_rate": 5e-3, "epochs": 14}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Karpathy's stories260K, skipped where it is not."""
    source = Path(__file__).parents[2].parent / "shared" / "models" / "stories260K"
    if not source.is_dir():
        pytest.skip("../shared/models/stories260K is not here")
    return source


@pytest.mark.slow
def test_an_adapter_beside_a_base_that_read_a_manual_knows_the_sample_and_declines_the_rest(tmp_path: Path) -> None:
    """`python -m benchmarks.lora` does the same and prints it."""
    base = lora.read_base(tmp_path / "base")
    found = lora.measured(lora.sample(tmp_path), {**lora.ADAPTER, "base": str(base)}, tmp_path / "students")
    shares = {column: measure.value or 0 for column, measure in found["result"].measures.items()}
    assert shares["trained, right"] >= 0.95
    assert shares["off-topic, refused"] >= 0.9
    stopped = [sides["student"]["stopped"].value or 0 for sides in found["examination"].slices.values()]
    assert min(stopped) >= 0.99
    assert max(sides["base"]["exact"].value or 0 for sides in found["examination"].slices.values()) <= 0.02


@pytest.mark.slow
def test_a_real_pretrained_model_learns_a_course_as_an_adapter(stories: Path, tmp_path: Path) -> None:
    base = convert(stories, tmp_path / "stories260k")
    dataset = write_course(tmp_path / "dataset", concepts=30)
    found = lora.measured(dataset, {**STORIES, "base": str(base)}, tmp_path / "students")
    slices = found["examination"].slices
    assert (slices["trained"]["student"]["exact"].value or 0) >= 0.95
    assert (slices["rephrased"]["student"]["exact"].value or 0) >= 0.6
    assert (slices["trained"]["student"]["stopped"].value or 0) >= 0.99
    low, high = slices["trained"]["student"]["exact"].low or 0, slices["trained"]["base"]["exact"].high or 0
    assert low > high


def test_the_converted_model_tells_a_story(stories: Path, tmp_path: Path) -> None:
    import torch

    student = open_student(str(convert(stories, tmp_path / "stories260k")))
    assert sum(weight.numel() for weight in student.model.parameters()) == 260_032
    told = student.model.generate(torch.tensor([[1]]), max_new_tokens=40, do_sample=False)
    text = student.tokenizer.decode(told[0], skip_special_tokens=True).strip()
    assert text.startswith("Once upon a time, there was a little girl named Lily. She loved to play")


def test_an_end_of_text_that_the_model_never_says_is_caught_before_training(stories: Path, tmp_path: Path) -> None:
    """Its loss would fall to 0.03, and no answer would ever end."""
    base = convert(stories, tmp_path / "wrong", end="</s>")
    dataset = write_course(tmp_path / "dataset", concepts=3)
    with pytest.raises(InputError, match="base never learned that token"):
        train_student(dataset, {**STORIES, "base": str(base)}, tmp_path / "students", False, silent)
    section = {**STORIES, "base": str(base), "end_of_text": "<s>", "steps": 1}
    assert train_student(dataset, {**section, "epochs": None}, tmp_path / "students", False, silent).is_dir()
