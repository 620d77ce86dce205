"""Many settings on one dataset: one table, nothing twice, and a fault that belongs to its row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import RecipeError
from tests.train.made_up_course import BRIEF, rewrite, silent
from train.results import Result, table
from train.sweep import SweepFile, sweep


def test_a_grid_is_multiplied_out_and_laid_on_what_all_share() -> None:
    file = SweepFile(
        common={"method": "lora", "lora": {"alpha": 8}},
        grid={"lora.rank": [4, 8], "learning_rate": [1e-3]},
        students=[{"name": "whole", "method": "full", "lora": None}],
    )
    sections = [section for section, _ in file.sections({"base": "./base"})]
    assert [section["name"] for section in sections] == [
        "rank-4_learning_rate-0.001",
        "rank-8_learning_rate-0.001",
        "whole",
    ]
    assert sections[0]["lora"] == {"alpha": 8, "rank": 4}
    assert sections[2] == {"base": "./base", "method": "full", "lora": None, "name": "whole"}


def test_a_name_too_long_or_with_odd_signs_is_told_apart_by_a_hash() -> None:
    values = ["a/b", "a b", "x" * 80, "x" * 81]
    names = [section["name"] for section, _ in SweepFile(grid={"base": values}).sections({})]
    assert len(set(names)) == 4
    assert all(len(name) <= 64 and "/" not in name and " " not in name for name in names)


def test_every_setting_is_checked_before_the_first_is_trained(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text("common: {steps: 2}\ngrid: {batch: [8, none]}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"student\.batch"):
        sweep(dataset, tmp_path / "file.yaml", None, tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()
    (tmp_path / "file.yaml").write_text("students: [{name: same}, {name: same, batch: 8}]\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="two students are called same"):
        sweep(dataset, tmp_path / "file.yaml", None, tmp_path / "out", silent)


@pytest.mark.slow
def test_one_table_of_all_settings_and_nothing_is_trained_twice(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    file = tmp_path / "rates.yaml"
    file.write_text("grid: {learning_rate: [0.002, 0.9]}\nstudents: [{name: broad, batch: 32}]\n", encoding="utf-8")
    common = {**BRIEF, "steps": 3}
    folder, found = sweep(dataset, file, common, None, silent)
    assert folder == dataset.parent / "sweeps" / "rates"
    assert [one.name for one in found.results] == ["learning_rate-0.002", "learning_rate-0.9", "broad"]
    assert len({one.dataset_sha256 for one in found.results if not one.cause}) == 1
    first = found.results[0].measures["trained, right"]
    assert first.n == found.results[2].measures["trained, right"].n > 100
    page = (folder / "sweep.md").read_text(encoding="utf-8")
    assert f"n {first.n})" in page
    assert json.loads((folder / "sweep.json").read_text())["results"][0]["settings"] == {"learning_rate": "0.002"}
    lines: list[str] = []
    _, again = sweep(dataset, file, common, None, lines.append)
    assert again == found
    assert sum("already trained" in line for line in lines) == 3
    rewrite(dataset, "unseen", [])
    _, other = sweep(dataset, file, common, None, silent)
    assert other.dataset_sha256 != found.dataset_sha256


def test_a_setting_that_fails_has_its_cause_in_its_row(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    file = tmp_path / "bases.yaml"
    file.write_text("students: [{name: lost, base: ./nowhere}]\n", encoding="utf-8")
    _, found = sweep(dataset, file, {"steps": 2}, tmp_path / "out", silent)
    assert "no such folder" in found.results[0].cause
    assert "failed: " in table(found.results)


def test_a_share_stands_with_its_interval_and_n() -> None:
    from train.examination.intervals import rate

    row = table([Result(name="one", loss=0.25, measures={"rephrased, right": rate([True] * 9 + [False])})])
    assert "| 90.0% (59.6% to 98.2%, n 10) |" in row
