"""Adapters: what is trained, what is saved, and the names that would have been ignored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError, RecipeError
from tests.train.made_up_course import TINY, silent
from tests.train.measuring import mean_loss
from train.dataset import read_dataset
from train.fit import lessons_of
from train.sft import train_student
from train.student_json import StudentFile, open_trained, read_student
from train.students import open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


def test_an_adapter_is_small_and_answers_beside_its_base(dataset: Path, base: Path, tmp_path: Path) -> None:
    described = adapted(dataset, base, tmp_path)
    home = tmp_path / "adapted"
    assert described.parameters.trainable < described.parameters.total / 2
    assert not (home / "model").exists()
    assert json.loads((home / "adapter" / "adapter_config.json").read_text())["base_model_name_or_path"] == str(base)
    assert not (home / "adapter" / "README.md").exists()
    assert differs(open_trained(home), open_trained(home, base=True))
    assert same(open_trained(home, base=True), open_student(str(base)))


def test_an_adapter_of_a_base_that_changed_is_refused(dataset: Path, base: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(base, tmp_path / "base"))
    adapted(dataset, mine, tmp_path)
    weights = mine / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    for of_base in (False, True):
        with pytest.raises(InputError, match="is not the one"):
            open_trained(tmp_path / "adapted", base=of_base)


@pytest.mark.parametrize("field", ["targets", "also_train"])
def test_a_layer_that_the_base_does_not_have_is_refused(dataset: Path, base: Path, tmp_path: Path, field: str) -> None:
    """peft ignores an unknown name among several, and TRL trains on."""
    with pytest.raises(
        RecipeError, match=rf"student\.lora\.{field}: the base has no layer named query_key_value"
    ) as fault:
        adapted(dataset, base, tmp_path, **{field: ["q_proj", "query_key_value"]})
    assert "lm_head" in fault.value.remedy


def test_the_head_can_be_trained_whole_beside_the_adapter(dataset: Path, base: Path, tmp_path: Path) -> None:
    described = adapted(dataset, base, tmp_path, targets=["q_proj", "v_proj"], also_train=["lm_head"])
    head = open_student(str(base)).model.lm_head.weight.numel()
    assert described.parameters.trainable > head
    assert differs(open_trained(tmp_path / "adapted"), open_student(str(base)))


def test_a_tied_head_trained_whole_is_the_same_after_it_was_saved(dataset: Path, base: Path, tmp_path: Path) -> None:
    student = open_student(str(base))
    student.model.config.tie_word_embeddings = True
    student.model.tie_weights()
    student.model.save_pretrained(tmp_path / "tied")
    student.tokenizer.save_pretrained(tmp_path / "tied")
    adapted(dataset, tmp_path / "tied", tmp_path, steps=40, also_train=["embed_tokens"], rate=1e-2)
    trained = open_trained(tmp_path / "adapted")
    lessons = lessons_of(read_dataset(dataset).train[::9], trained)
    model = trained.model.get_base_model()
    assert mean_loss(trained, lessons) < 1 < mean_loss(open_student(str(tmp_path / "tied")), lessons)
    assert same_weights(model.get_input_embeddings(), model.get_output_embeddings())


@pytest.mark.slow
def test_a_local_student_can_be_an_adapter_if_head_and_embedding_learn_whole(dataset: Path, tmp_path: Path) -> None:
    section = {**TINY, "method": "lora", "learning_rate": 1e-2, "lora": {"also_train": ["lm_head", "embed_tokens"]}}
    home = train_student(dataset, section, tmp_path, False, silent)
    student = open_trained(home)
    assert mean_loss(student, lessons_of(read_dataset(dataset).train[::9], student)) < 0.5
    assert {path.name for path in home.iterdir()} == {"base", "adapter", "student.json", "loss.json", "loss.png"}
    named = json.loads((home / "adapter" / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert named == str(home / "base")
    assert differs(open_trained(home), open_trained(home, base=True))


def adapted(dataset: Path, base: Path, out: Path, steps: int = 6, rate: float = 5e-3, **lora: Any) -> StudentFile:
    section = {"base": str(base), "method": "lora", "name": "adapted", "steps": steps, "learning_rate": rate}
    settings = {**section, "lora": {"rank": 4, "alpha": 8, **lora}}
    return read_student(train_student(dataset, settings, out, False, silent))


def same(one, other) -> bool:  # type: ignore[no-untyped-def]
    return not differs(one, other)


def differs(one, other) -> bool:  # type: ignore[no-untyped-def]
    import torch

    tokens = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        return not torch.allclose(one.model(tokens).logits, other.model(tokens).logits, atol=1e-4)


def same_weights(one, other) -> bool:  # type: ignore[no-untyped-def]
    import torch

    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
