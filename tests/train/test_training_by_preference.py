"""Training by preference: the better answer grows likelier than the worse, on tokens that were checked alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from pipeline.errors import CourseworkError, InputError
from tests.train.made_up_course import silent
from tests.train.templates import chat_base
from train.dataset import read_dataset
from train.fit_report import report_on
from train.preference import Choice, choices_of, hold_every_choice, lessons_in
from train.settings import settings_of
from train.sft import train_student
from train.student_json import open_trained, read_student
from train.students import Student, open_base

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


@pytest.mark.parametrize("lora", [None, {"rank": 8, "dropout": 0}])
def test_the_better_answer_grows_likelier_than_the_worse(
    paired: Path, base: Path, tmp_path: Path, lora: dict[str, Any] | None
) -> None:
    section = {"base": str(base), "method": "dpo", "name": "chooser", "steps": 8, "batch": 4, "learning_rate": 2e-3}
    home = train_student(paired, section | ({"lora": lora} if lora else {}), tmp_path, False, silent)
    assert (home / "adapter").exists() is bool(lora)
    assert (home / "model").exists() is not bool(lora)
    described = read_student(home)
    assert described.loss[0].loss == pytest.approx(0.693, abs=0.01), "at first it prefers what its base does"
    assert described.loss[-1].loss < 0.6
    student, before = open_trained(home), open_trained(home, base=True)
    choices = choices_of(read_dataset(paired).pairs(), student)
    assert fmean(margin(student, choice) - margin(before, choice) for choice in choices) > 1


def test_a_trained_student_goes_on_by_preference(paired: Path, trained: Path, tmp_path: Path) -> None:
    section = {"base": str(trained), "method": "dpo", "name": "chooser", "steps": 1}
    home = train_student(paired, section, tmp_path, False, silent)
    assert read_student(home).base_sha256 == read_student(trained).weights_sha256


def test_new_pairs_are_trained_anew_and_new_pairs_alone(paired: Path, base: Path, tmp_path: Path) -> None:
    section = {"base": str(base), "method": "dpo", "name": "chooser", "steps": 1}
    home = train_student(paired, section, tmp_path, False, silent)
    before = (home / "student.json").stat().st_mtime_ns
    train_student(paired, section, tmp_path, False, silent)
    assert (home / "student.json").stat().st_mtime_ns == before
    keep = (paired / "preference.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    (paired / "preference.jsonl").write_bytes(b"".join(keep))
    with pytest.raises(InputError, match="is not the file that"):
        read_dataset(paired).pairs()
    manifest = json.loads((paired / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["preference.jsonl"] = hashlib.sha256(b"".join(keep)).hexdigest()
    (paired / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    train_student(paired, section, tmp_path, False, silent)
    assert (home / "student.json").stat().st_mtime_ns != before


def test_a_dataset_without_pairs_says_where_they_come_from(dataset: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="drafter `preference`"):
        train_student(dataset, {"base": str(base), "method": "dpo"}, tmp_path, False, silent)


def test_a_worse_answer_that_does_not_fit_is_refused_like_any_row(paired: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\(worse\).*Raise student\.max_length"):
        train_student(paired, {"base": str(base), "method": "dpo", "max_length": 40}, tmp_path, False, silent)


def test_fit_looks_at_the_pairs_where_they_are_what_teaches(paired: Path, base: Path) -> None:
    report = report_on(paired, settings_of({"base": str(base), "method": "dpo"}, paired))
    assert report.fits
    assert report.fit.rows == len(read_dataset(paired).pairs())
    assert any(row.id.endswith("(worse)") for row in report.rows)


def test_a_chats_pair_ends_on_the_end_of_the_turn(paired: Path, tmp_path: Path) -> None:
    student = opened({"base": str(chat_base(tmp_path / "base"))}, paired)
    for lesson in lessons_in(choices_of(read_dataset(paired).pairs(), student)):
        assert student.tokenizer.decode(lesson.answer) == f"{lesson.row.answer}<|im_end|>"


def test_a_trainer_that_cuts_a_pair_is_caught(paired: Path, base: Path, tmp_path: Path) -> None:
    from trl import DPOConfig

    from train.preference import preference_trainer

    wanted = settings_of({"base": str(base), "method": "dpo", "lora": {}}, paired)
    student = opened({"base": str(base)}, paired)
    choices = choices_of(read_dataset(paired).pairs(), student)
    longest = max(choice.longest for choice in choices)
    arguments = DPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, max_length=longest - 1)
    with pytest.raises(CourseworkError, match="in another way"):
        hold_every_choice(preference_trainer(student, choices, arguments, wanted, []), choices)


def opened(section: dict[str, Any], dataset: Path) -> Student:
    return open_base(settings_of(section, dataset), read_dataset(dataset).manifest.format_of_prompts)


def margin(student: Student, choice: Choice) -> float:
    """How much likelier the better answer is than the worse, as a difference of log-probabilities."""
    import torch

    found = []
    for lesson in choice:
        with torch.inference_mode():
            scores = student.model.eval()(torch.tensor([lesson.tokens])).logits[0].log_softmax(-1)
        start = len(lesson.prompt)
        found.append(sum(scores[place - 1, lesson.tokens[place]].item() for place in range(start, len(lesson.tokens))))
    return found[0] - found[1]
