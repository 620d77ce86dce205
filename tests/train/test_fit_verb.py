"""`coursework fit`: all that fails is told at once, on a page and as JSON, and nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.errors import InputError
from tests.train.made_up_course import BRIEF, course_rows, rewrite, silent
from tests.train.templates import TELLS_THE_TIME, chat_base
from train.cli import app
from train.fit_report import page, report_on
from train.settings import settings_of
from train.sft import train_student
from train.students import Student, open_student, save_student
from train.verbs.fit import wanted

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


def test_a_dataset_that_fits_is_shown_token_by_token(dataset: Path) -> None:
    report = report_on(dataset, settings_of(BRIEF, dataset))
    assert report.fits
    assert report.failed() is None
    assert len(report.rows) == 10
    assert all(row.given.endswith("Answer:") and row.said.endswith("<|endoftext|>") for row in report.rows)
    assert all(row.taught < row.tokens for row in report.rows)
    assert sum(count for _, _, count in report.lengths) == report.fit.rows
    shown = page(report)
    assert "form: plain, for the tokenizer has no chat template" in shown
    assert "nothing is cut" in shown
    assert "FAIL" not in shown


def test_the_page_says_chat_and_why(dataset: Path, tmp_path: Path) -> None:
    base = chat_base(tmp_path / "base")
    shown = page(report_on(dataset, settings_of({"base": str(base), "system": "Be brief."}, dataset)))
    assert "form: chat, for the tokenizer has a chat template" in shown
    assert "system prompt: Be brief." in shown
    assert r"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n" in shown


def test_rows_that_would_be_cut_are_counted_and_named(dataset: Path) -> None:
    report = report_on(dataset, settings_of({**BRIEF, "max_length": 40}, dataset))
    assert report.cut
    assert f"cut: {len(report.cut)} rows ({report.cut[0]}" in page(report)


def test_every_point_that_fails_is_told_at_once(dataset: Path, tmp_path: Path) -> None:
    spoil(dataset)
    with pytest.raises(InputError) as fault:
        train_student(dataset, {**BRIEF, "max_length": 40}, tmp_path, False, silent)
    for words in ("for 3 reasons", "1. ", "<|pad|>", "nothing follows", "longer than student.max_length", "Raise"):
        assert words in str(fault.value)
    assert not (tmp_path / "brief").exists()


def test_the_verb_ends_with_65_after_the_whole_page(dataset: Path) -> None:
    spoil(dataset)
    done = CliRunner().invoke(app, ["fit", str(dataset)])
    assert isinstance(done.exception, InputError)
    assert done.exception.exit_code == 65
    assert "FAIL  no special token in any text" in done.stdout
    assert "ok    exactly one begin-of-text, or none" in done.stdout


def test_as_json_every_point_carries_its_faults_and_remedies(dataset: Path) -> None:
    spoil(dataset)
    found = json.loads(CliRunner().invoke(app, ["fit", str(dataset), "--json"]).stdout)
    failed = {point["name"]: point["faults"] for point in found["points"] if not point["holds"]}
    assert found["fits"] is False
    assert "no special token in any text" in failed
    assert all(fault["problem"] and fault["remedy"] for faults in failed.values() for fault in faults)


def test_another_student_than_the_recipes_can_be_named(dataset: Path, base: Path) -> None:
    done = CliRunner().invoke(app, ["fit", str(dataset), "--student", str(base), "--json"])
    assert json.loads(done.stdout)["base"] == str(base)


def test_a_student_that_is_named_is_the_one_that_is_trained(dataset: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("name: talk\nstudent: {base: local, layers: 2}\n", encoding="utf-8")
    place, named = wanted(recipe, tmp_path, "facebook/opt-350m")
    assert (place, named and named.method) == (tmp_path / "talk" / "dataset", "lora")
    own = wanted(recipe, tmp_path, None)[1]
    assert own is not None
    assert own.layers == 2
    assert wanted(dataset, tmp_path, None) == (dataset, None)


def test_a_template_whose_date_cannot_be_pinned_is_refused(dataset: Path, tmp_path: Path) -> None:
    told = "{% set message_format = '%d %b %Y' %}" + TELLS_THE_TIME
    base = chat_base(tmp_path / "base", told)
    assert failing(dataset, {"base": str(base)}) == {"the template knows no date"}
    assert not failing(dataset, {"base": str(base), "form": "plain", "end_of_text": "<|endoftext|>"})


def test_a_system_prompt_that_the_template_leaves_out_is_refused(dataset: Path, tmp_path: Path) -> None:
    deaf = (
        "{% for message in messages if message.role != 'system' %}<|im_start|>{{ message.role }}\n"
        "{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    base = chat_base(tmp_path / "base", deaf)
    assert not failing(dataset, {"base": str(base)})
    assert failing(dataset, {"base": str(base), "system": "Be brief."}) == {"the system prompt stands in every prompt"}


def test_an_end_that_the_base_never_learned_cannot_be_taught_beside_a_frozen_head(
    dataset: Path, base: Path, tmp_path: Path
) -> None:
    """All tokens that a training never saw end up with one and the same row, as `</s>` in stories260K: the loss of
    an adapter falls, and no answer ever stops."""
    student = open_student(str(base))
    student.tokenizer.add_special_tokens({"additional_special_tokens": ["<stop>", "<other>"]})
    student.model.resize_token_embeddings(len(student.tokenizer), mean_resizing=False)
    head = student.model.get_output_embeddings().weight.data
    head[-2:] = head[:-2].mean(0)
    save_student(Student(student.model, student.tokenizer), tmp_path / "base")
    section: dict[str, Any] = {"base": str(tmp_path / "base"), "end_of_text": "<stop>"}
    assert failing(dataset, {**section, "method": "lora"}) == {"the method can teach that token"}
    assert not failing(dataset, {**section, "end_of_text": "<|endoftext|>", "method": "lora"})
    assert not failing(dataset, {**section, "method": "lora", "lora": {"also_train": ["lm_head", "embed_tokens"]}})
    assert not failing(dataset, {**section, "method": "full"})


def failing(dataset: Path, section: dict[str, Any]) -> set[str]:
    report = report_on(dataset, settings_of(section, dataset))
    return {point.name for point in report.points if not point.holds}


def spoil(dataset: Path) -> None:
    """One row with a command in its text, one without an answer."""
    rows = course_rows(concepts=3)["train"]
    command = rows[1].model_copy(update={"answer": "<|pad|>", "completion": " <|pad|>"})
    rewrite(dataset, "train", [rows[0].model_copy(update={"completion": ""}), command, *rows[2:]])
