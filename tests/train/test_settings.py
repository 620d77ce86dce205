"""The student section: defaults, and faults named by field and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RecipeError
from tests.train.settings_table import HEADING, PAGE, fields
from train.settings import StudentSettings, settings_in, settings_of

HERE = Path("manifest.json")


def test_an_empty_section_is_a_local_student_trained_whole() -> None:
    settings = settings_of({}, HERE)
    assert (settings.name, settings.base, settings.method) == ("local-full", "local", "full")
    assert settings.learning_rate == 2e-3


@pytest.mark.parametrize(
    ("section", "rows", "steps"),
    [
        ({}, 960, 360),
        ({}, 100, 200),
        ({}, 1600, 600),
        ({"epochs": 2}, 100, 14),
        ({"epochs": 0.5, "batch": 10}, 100, 5),
        ({"steps": 7}, 100, 7),
        ({"base": "a/b"}, 100, 42),
    ],
)
def test_a_student_from_random_weights_trains_longer_on_few_rows(
    section: dict[str, object], rows: int, steps: int
) -> None:
    assert settings_of(section, HERE).steps_for(rows) == steps


@pytest.mark.parametrize(
    ("section", "rate"),
    [
        ({"base": "EleutherAI/pythia-70m"}, 4e-5),
        ({"base": "EleutherAI/pythia-70m", "method": "lora"}, 2e-4),
        ({"base": "EleutherAI/pythia-70m", "method": "lora", "learning_rate": 1e-3}, 1e-3),
        ({"base": "EleutherAI/pythia-70m", "method": "last-layers"}, 1e-4),
        ({"base": "EleutherAI/pythia-70m", "method": "qlora"}, 2e-4),
        ({"base": "EleutherAI/pythia-70m", "method": "dpo"}, 1e-6),
        ({"base": "EleutherAI/pythia-70m", "method": "dpo", "lora": {"rank": 8}}, 1e-5),
    ],
)
def test_the_learning_rate_follows_base_and_method_unless_it_is_said(section: dict[str, object], rate: float) -> None:
    assert settings_of(section, HERE).learning_rate == rate


def test_a_name_is_made_of_base_and_method() -> None:
    assert settings_of({"base": "meta-llama/Llama 3.2 1B", "method": "lora"}, HERE).name == "Llama-3.2-1B-lora"


def test_lora_settings_are_written_out_when_the_method_is_lora() -> None:
    spoken = settings_of({"base": "a/b", "method": "lora"}, HERE).spoken()
    assert spoken["lora"]["rank"] == 16
    assert "hidden" not in spoken


@pytest.mark.parametrize(
    ("section", "field", "reason"),
    [
        ({"metod": "full"}, "student.metod", "Did you mean method?"),
        ({"method": "qlora"}, "student:", "random weights: name a base"),
        ({"method": "everything"}, "student.method", "'qlora' or 'dpo'"),
        ({"base": "a/b", "method": "lora", "last_layers": 3}, "student:", "only with method: last-layers"),
        ({"base": "a/b", "beta": 0.2}, "student:", "only with method: dpo"),
        ({"form": "plain", "system": "Be brief."}, "student:", "prompt_format"),
        ({"end_of_text": "<s>"}, "student:", "a local student has its own"),
        ({"method": "lora"}, "student:", "no fact"),
        ({"steps": 5, "epochs": 2}, "student:", "keep one"),
        ({"hidden": 100, "heads": 8}, "student:", "multiple of twice heads"),
        ({"base": "a/b", "layers": 2}, "student:", "layers: only shapes a local student"),
        ({"lora": {"rank": 8}}, "student:", "only with method: lora or qlora or dpo"),
        ({"revision": "main"}, "student:", "has none"),
        ({"learning_rate": -1}, "student.learning_rate", "greater than 0"),
        ({"name": "../elsewhere"}, "student.name", "pattern"),
        ({"base": "a/b", "method": "lora", "lora": {"targets": ["lm_head"]}}, "student.lora.targets", "also_train"),
        ({"base": "a/b", "method": "lora", "lora": {"targets": ["q_proj", "embed_out"]}}, "student.lora", "embed_out"),
    ],
)
def test_a_fault_names_its_field_and_says_why(section: dict[str, object], field: str, reason: str) -> None:
    with pytest.raises(RecipeError) as fault:
        settings_of(section, HERE)
    assert field in str(fault.value)
    assert reason in str(fault.value)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(RecipeError) as fault:
        settings_of({"batch": 0, "warmup": 2}, HERE)
    assert "student.batch" in str(fault.value)
    assert "student.warmup" in str(fault.value)


def test_a_fault_in_a_recipe_names_the_line(tmp_path: Path) -> None:
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("name: talk\nstudent:\n  base: local\n  batch: many\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"talk\.yaml:4: student\.batch"):
        settings_in(recipe)


def test_a_recipe_is_read_for_its_name_and_student_and_nothing_else(tmp_path: Path) -> None:
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("name: talk\nteacher: {model: x}\nstudent: {base: ./mine, method: lora}\n", encoding="utf-8")
    name, settings = settings_in(recipe)
    assert name == "talk"
    assert settings.base == str((tmp_path / "mine").resolve())


def test_a_recipe_without_a_name_has_no_dataset(tmp_path: Path) -> None:
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("student: {}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="name: is missing"):
        settings_in(recipe)


def test_every_field_says_what_it_means() -> None:
    assert all(field.description for field in StudentSettings.model_fields.values())


def test_the_page_on_teaching_lists_every_field() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8").endswith(HEADING + fields())


def test_settings_survive_being_written_down() -> None:
    settings = settings_of({"base": "a/b", "method": "lora", "lora": {"targets": ["q_proj"]}}, HERE)
    assert StudentSettings.model_validate(settings.spoken()) == settings
