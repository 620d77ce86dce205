"""The examination: what it measures, what it writes down, when it is not repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from tests.train.made_up_course import BRIEF, REFUSAL, course_rows, rewrite, silent, write_course
from train.examination.examine import examine_student
from train.sft import train_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
MEASURES = set(
    """right exact checked f1 rouge_l meaning refusal_recall false_refusal partial_refusal stopped constraints
    repetition longest_repeat distinct_1 distinct_2 words""".split()
)
ASKED = ["trained", "rephrased", "unseen", "off_topic", "near_topic"]
SLICES = [*ASKED, "typos"]


@pytest.fixture
def found(examined: Path) -> dict:  # type: ignore[type-arg]
    return json.loads((examined / "examination.json").read_text(encoding="utf-8"))


def test_every_slice_has_every_measure_for_base_and_student(found: dict) -> None:  # type: ignore[type-arg]
    assert list(found["slices"]) == SLICES
    for sides in found["slices"].values():
        assert list(sides) == ["base", "student"]
        for measures in sides.values():
            assert set(measures) == MEASURES
            for measure in measures.values():
                assert set(measure) == {"value", "n", "low", "high"}


def test_the_student_has_learned_what_the_base_has_not(found: dict) -> None:  # type: ignore[type-arg]
    trained, off_topic = found["slices"]["trained"], found["slices"]["off_topic"]
    assert trained["student"]["exact"]["low"] > 0.85
    assert trained["base"]["exact"]["value"] == 0
    assert off_topic["student"]["refusal_recall"]["value"] > 0.8 > off_topic["base"]["refusal_recall"]["value"]
    assert trained["student"]["stopped"]["value"] > 0.95 > trained["base"]["stopped"]["value"]
    assert trained["base"]["repetition"]["value"] > trained["student"]["repetition"]["value"]


def test_a_measure_is_null_where_it_does_not_apply(found: dict) -> None:  # type: ignore[type-arg]
    nothing = {"value": None, "n": 0, "low": None, "high": None}
    assert found["slices"]["rephrased"]["student"]["refusal_recall"] == nothing
    assert found["slices"]["off_topic"]["student"]["false_refusal"] == nothing
    assert found["overall"]["base"]["refusal_precision"] == nothing


def test_overall_counts_held_out_questions_only(found: dict) -> None:  # type: ignore[type-arg]
    rows = course_rows(concepts=3)
    held_out = [row for name in ASKED[1:] for row in rows[name]]
    student = found["overall"]["student"]
    assert student["refusal_recall"]["n"] == sum(row.refusal for row in held_out)
    assert student["false_refusal"]["n"] == sum(not row.refusal for row in held_out)


def test_every_answer_is_kept_with_what_stopped_it(examined: Path) -> None:
    lines = (examined / "examination_answers.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    answers = [json.loads(line) for line in lines]
    rows = course_rows(concepts=3)
    assert len(answers) == sum(map(len, rows.values()))
    assert {answer["base_stopped_by"] for answer in answers} <= {"end", "limit"}
    right = sum(one["slice"] == "off_topic" and one["student"] == REFUSAL for one in answers)
    found = json.loads((examined / "examination.json").read_text(encoding="utf-8"))["slices"]["off_topic"]["student"]
    assert found["refusal_recall"]["value"] == pytest.approx(right / len(rows["off_topic"]), abs=1e-4)


def test_a_dozen_examples_come_from_all_slices(found: dict) -> None:  # type: ignore[type-arg]
    assert len(found["examples"]) == 12
    assert {example["slice"] for example in found["examples"]} == set(ASKED)
    assert len({(example["slice"], example["id"]) for example in found["examples"]}) == 12


def test_the_page_shows_both_sides(examined: Path) -> None:
    page = (examined / "examination.md").read_text(encoding="utf-8")
    assert page.startswith("# Examination of tiny\n")
    assert page.count("\n- base: ") == page.count("\n- student: ") == 5
    assert len(page) < 10_000
    for table in page.split("\n\n"):
        if table.startswith("|"):
            assert len({len(line) for line in table.splitlines()}) == 1


def test_an_examination_is_not_repeated_unless_asked_to(examined: Path) -> None:
    lines: list[str] = []
    before = (examined / "examination.json").stat().st_mtime_ns
    first = examine_student(examined, False, lines.append)
    assert "already examined" in lines[0]
    assert (examined / "examination.json").stat().st_mtime_ns == before
    again = examine_student(examined, True, lines.append)
    assert again == first
    assert (examined / "examination.json").stat().st_mtime_ns != before


def test_a_student_of_another_dataset_is_not_examined(workspace: Path) -> None:
    rewrite(workspace / "dataset", "unseen", [])
    with pytest.raises(InputError, match="has changed since tiny was trained"):
        examine_student(workspace / "students" / "tiny", False, silent)


def test_a_workspace_may_be_moved(examined: Path, workspace: Path) -> None:
    moved = examine_student(workspace / "students" / "tiny", True, silent)
    assert moved == examine_student(examined, False, silent)


def test_empty_slices_are_examined_with_nothing_to_say(tmp_path: Path) -> None:
    dataset = write_course(tmp_path / "dataset", concepts=2)
    for stem in ASKED[1:]:
        rewrite(dataset, stem, [])
    rewrite(dataset, "train", course_rows(concepts=2)["train"][:6])
    found = examine_student(train_student(dataset, BRIEF, None, False, silent), False, silent)
    assert found.slices["unseen"]["student"]["exact"].n == 0
    assert found.overall["student"]["false_refusal"].value is None
    assert [example.slice for example in found.examples] == ["trained"] * 6
    assert "holds no such question" in (tmp_path / "students" / "brief" / "examination.md").read_text(encoding="utf-8")


def test_what_is_no_student_cannot_be_examined(dataset: Path) -> None:
    with pytest.raises(InputError, match="not a trained student"):
        examine_student(dataset, False, silent)
