"""Merging: the merged model is the student, or there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import InputError, UsageError
from tests.train.bases import write_adapted, write_base
from tests.train.made_up_course import silent
from train.out.merge import FILE, TOLERANCE, merge_student
from train.student_json import open_trained
from train.students import Student, open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")

STUDENTS = {
    "llama": ("llama", {}),
    "neox": ("neox", {}),
    "opt": ("opt", {}),
    "tied-llama-with-its-head": ("llama", {"targets": ["q_proj", "v_proj"], "also_train": ["lm_head"]}),
    "tied-opt-with-its-head": ("opt", {"targets": ["q_proj", "v_proj"], "also_train": ["lm_head"]}),
}


@pytest.fixture(scope="session")
def adapted(_course: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of adapters, one for each name of STUDENTS."""
    home = tmp_path_factory.mktemp("adapted")
    tokenizer = open_student(str(base)).tokenizer
    for name, (architecture, lora) in STUDENTS.items():
        tied = write_base(home / "bases" / name, architecture, tokenizer, name.startswith("tied") or name == "opt")
        write_adapted(_course / "dataset", tied, home / name, **lora)
    return home


@pytest.mark.parametrize("name", STUDENTS)
def test_a_merged_model_answers_as_adapter_and_base_do(adapted: Path, tmp_path: Path, name: str) -> None:
    home = merge_student(adapted / name, tmp_path / "merged", silent)
    merged, student = open_student(str(home)), open_trained(adapted / name)
    assert difference(merged, student) <= TOLERANCE
    assert difference(merged, open_trained(adapted / name, base=True)) > 100 * TOLERANCE
    assert not list(home.glob("adapter*"))
    said = json.loads((home / FILE).read_text(encoding="utf-8"))
    assert said["largest_difference"] <= said["tolerance"]
    assert len(said["rows"]) == 16


def test_an_adapter_that_merges_into_another_model_leaves_nothing(adapted: Path, tmp_path: Path) -> None:
    """An adapter on a tied head: peft says so in a warning alone and merges it into the embedding too."""
    from peft import LoraConfig, get_peft_model

    home = Path(shutil.copytree(adapted / "opt", tmp_path / "opt"))
    model = open_trained(home, base=True).model
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "lm_head"], init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(home / "adapter", save_embedding_layers=False)
    with pytest.raises(InputError, match="it is another model") as fault:
        merge_student(home, None, silent)
    assert "also_train" in fault.value.remedy
    assert not (home / "merged").exists()
    assert not [path for path in home.iterdir() if path.is_dir() and path.name.startswith(".")]


def test_a_student_trained_whole_has_nothing_to_merge(trained: Path) -> None:
    with pytest.raises(UsageError, match="nothing to merge"):
        merge_student(trained, None, silent)


def test_the_same_adapter_is_merged_once_and_another_one_again(adapted: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(adapted / "llama", tmp_path / "llama"))
    said: list[str] = []
    merged = merge_student(home, None, said.append)
    assert merged == home / "merged"
    written = (merged / FILE).stat().st_mtime_ns
    merge_student(home, None, said.append)
    assert "already merged" in said[-1]
    assert (merged / FILE).stat().st_mtime_ns == written
    weights = merged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    merge_student(home, None, said.append)
    assert "no logit differs" in said[-1]


def test_a_folder_that_holds_something_else_is_not_replaced(adapted: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not a merged student"):
        merge_student(adapted / "llama", tmp_path, silent)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def difference(one: Student, other: Student) -> float:
    import torch

    tokens = torch.arange(4, 60).unsqueeze(0)
    with torch.inference_mode():
        logits = [student.model.eval()(tokens).logits for student in (one, other)]
    return float((logits[0] - logits[1]).abs().max())
