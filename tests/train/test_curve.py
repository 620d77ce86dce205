"""A learning curve: nested shares, seeds beside each other, and an answer with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from tests.train.made_up_course import BRIEF, silent
from train.curve import Point, curve, verdict
from train.dataset import read_dataset


def points(*means: tuple[int, list[float]]) -> list[Point]:
    return [
        Point(share=rows, rows=rows, mean=sum(seeds) / len(seeds), low=min(seeds), high=max(seeds), by_seed=seeds)
        for rows, seeds in means
    ]


@pytest.mark.parametrize(
    ("before", "last", "answer", "said"),
    [
        ([0.60, 0.61, 0.59], [0.70, 0.71, 0.70], "yes", "400 rows would come to at most 80.7%"),
        ([0.60, 0.61, 0.59], [0.605, 0.615, 0.594], "no", "less than the 2 points"),
        ([0.40, 0.61, 0.59], [0.70, 0.61, 0.50], "cannot be told", "the seeds differ by more"),
        ([0.90, 0.95, 0.93], [0.99, 0.99, 1.00], "no", "only 0.7 points are left"),
    ],
)
def test_whether_more_data_is_worth_it(before: list[float], last: list[float], answer: str, said: str) -> None:
    found = verdict("rephrased, right", points((100, before), (200, last)))
    assert found.answer == answer
    assert said in found.reason
    assert "from 100 to 200 rows" in found.reason


def test_a_gain_is_told_by_the_doubling_whatever_the_shares() -> None:
    found = verdict("rephrased, right", points((100, [0.4, 0.41]), (400, [0.6, 0.61])))
    assert "+10.0 points a doubling" in found.reason


def test_too_few_shares_or_seeds_are_refused(dataset: Path, tmp_path: Path) -> None:
    for shares, seeds, said in (
        ([100], [0, 1], "two shares"),
        ([50, 200], [0, 1], "1 to 100"),
        ([50, 100], [0], "chance"),
    ):
        with pytest.raises(UsageError, match=said):
            curve(dataset, None, tmp_path, (shares, seeds), silent)


@pytest.mark.slow
def test_shares_are_nested_and_what_was_trained_is_not_trained_again(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    section = {**BRIEF, "steps": 2}
    folder, found = curve(dataset, section, None, ([25, 100], [0, 1]), silent)
    whole, part = (read_dataset(folder / f"dataset-{share}") for share in ("100", "025"))
    assert whole.sha256 == read_dataset(dataset).sha256
    assert {row.id for row in part.train} < {row.id for row in whole.train}
    assert [row for row in whole.train if row in part.train] == list(part.train)
    assert part.rows["rephrased"] == whole.rows["rephrased"]
    rows = [point.rows for point in found.points["rephrased, right"]]
    assert rows == [len(part.train), len(whole.train)]
    assert found.seeds == [0, 1]
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert "Is more data worth it? " in (folder / "curve.md").read_text(encoding="utf-8")
    assert json.loads((folder / "curve.json").read_text())["verdicts"][0]["measure"] == "rephrased, right"
    lines: list[str] = []
    _, again = curve(dataset, section, None, ([25, 100], [0, 1]), lines.append)
    assert again == found
    assert sum("already trained" in line for line in lines) == 4
