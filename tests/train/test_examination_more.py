"""What an examination tells beyond its slices, on demand: several tries, context, forgetting, other students."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from tests.train.made_up_course import silent
from train.dataset import read_dataset
from train.examination.examine import examine_student
from train.examination.forgetting import general_set, read_by
from train.examination.record import Examination, Wanted
from train.examination.slices import questions_of
from train.student_json import open_trained

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
EVERYTHING = Wanted(samples=20, forgetting=True, with_context=True, most=1)


@pytest.fixture(scope="module")
def beside(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two students that are one but for their names, the first examined with everything there is."""
    home = Path(shutil.copytree(trained.parent.parent, tmp_path_factory.mktemp("beside") / "workspace"))
    shutil.copytree(home / "students" / "tiny", home / "students" / "twin")
    path = home / "students" / "twin" / "student.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"name": "tiny"', '"name": "twin"'), encoding="utf-8")
    examine_student(home / "students" / "tiny", True, silent, wanted=EVERYTHING)
    return home / "students"


@pytest.fixture(scope="module")
def found(beside: Path) -> Examination:
    return Examination.model_validate_json((beside / "tiny" / "examination.json").read_bytes())


def test_one_of_five_tries_is_right_at_least_as_often_as_one(found: Examination) -> None:
    assert found.sampled is not None and found.sampled.generation.decoding == "balanced"
    for sides in found.sampled.slices.values():
        for one in sides.values():
            assert one["pass_1"].value <= one["pass_5"].value  # type: ignore[operator]
            assert one["pass_1"].n == 1
    student = found.sampled.slices["trained"]["student"]
    assert student["pass_5"].value > 0.9 > found.sampled.slices["trained"]["base"]["pass_5"].value  # type: ignore[operator]


def test_fewer_than_twenty_tries_are_refused_with_the_reason(trained: Path) -> None:
    with pytest.raises(UsageError, match="from 4 to 62 %"):
        examine_student(trained, True, silent, wanted=Wanted(samples=5))


def test_held_out_questions_are_asked_again_beside_their_answers(dataset: Path, found: Examination) -> None:
    assert found.slices["with_context"]["student"]["right"].n == 1
    data = read_dataset(dataset)
    asked = questions_of(data, Wanted(with_context=True))
    answered = [row for row in asked["with_context"] if not row.refusal]
    refused = [row for row in asked["with_context"] if row.refusal]
    assert answered and refused
    assert all(row.answer == row.context and row.prompt.startswith(row.context) for row in answered)
    trained = {row.quote for row in data.train}
    assert all(row.context in trained for row in refused)
    assert "with_context" not in questions_of(data, Wanted())


def test_of_many_questions_some_are_asked_the_same_at_every_time(dataset: Path) -> None:
    data = read_dataset(dataset)
    some, more = questions_of(data, Wanted(most=5)), questions_of(data, Wanted(most=9))
    assert all(
        len(rows) == min(5, len(data.rows["train" if name == "trained" else name])) for name, rows in some.items()
    )
    assert {row.id for row in some["trained"]} < {row.id for row in more["trained"]}


def test_a_trained_student_has_forgotten_what_the_general_set_says(trained: Path, found: Examination) -> None:
    assert found.forgetting is not None
    general = general_set()
    assert found.forgetting.right.n == len(general.completions) >= 40
    assert found.forgetting.measures["base"]["bits_per_byte"].n == len(general.sentences) >= 40
    base = read_by(open_trained(trained, base=True), lambda done, total: None)
    assert all(loss > 0 for loss in base.losses)
    assert 0.05 < sum(base.right) / len(base.right) < 0.55  # random weights guess one of four
    assert (sum(base.losses) / len(base.losses) / 0.6931) == pytest.approx(
        found.forgetting.measures["base"]["bits_per_byte"].value, abs=1e-3
    )


def test_the_loss_on_general_sentences_is_the_models_own(trained: Path) -> None:
    import torch

    student = open_trained(trained)
    sentence = general_set().sentences[0]
    ids = torch.tensor([student.tokenizer(sentence)["input_ids"]])
    with torch.inference_mode():
        mean = student.model(ids, labels=ids).loss.item()
    expected = mean * (ids.shape[1] - 1) / len(sentence.encode())
    assert read_by(student, lambda done, total: None).losses[0] == pytest.approx(expected, rel=1e-4)


def test_another_student_of_the_dataset_stands_beside(beside: Path) -> None:
    twin = examine_student(beside / "twin", True, silent, wanted=Wanted(most=1))
    assert [one.student for one in twin.beside] == ["tiny"]
    other = twin.beside[0]
    assert other.right["trained"] == twin.slices["trained"]["student"]["right"]
    card = (beside / "twin" / "examination.html").read_text(encoding="utf-8").split("<article")[1]
    assert "<h4>tiny <span" in card
    assert all((one.found.only_first, one.found.only_second, one.found.p) == (0, 0, 1) for one in other.compared)


def test_a_student_of_another_dataset_does_not(beside: Path) -> None:
    path = beside / "tiny" / "examination.json"
    kept = path.read_text(encoding="utf-8")
    try:
        path.write_text(json.dumps(json.loads(kept) | {"dataset_sha256": "0" * 64}), encoding="utf-8")
        assert not examine_student(beside / "twin", True, silent, wanted=Wanted(most=1)).beside
    finally:
        path.write_text(kept, encoding="utf-8")


def test_what_was_examined_with_less_is_examined_again(beside: Path) -> None:
    said: list[str] = []
    examine_student(beside / "tiny", False, said.append, wanted=Wanted(samples=20, most=1))
    assert "already examined" in said.pop()
    assert not Wanted(forgetting=True).holds(EVERYTHING)
    assert not EVERYTHING.holds(Wanted(most=3))
