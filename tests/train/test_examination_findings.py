"""What follows from answers, with answers that a test gives: no model is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.publish.schema import Row
from tests.train.made_up_course import REFUSAL, course_rows, rewrite
from train.dataset import DatasetFolder, read_dataset
from train.examination import meaning
from train.examination.asking import Heard
from train.examination.findings import findings, judge
from train.examination.measures import groups_of, sampled_measures
from train.examination.record import Examination, Side, Wanted
from train.examination.slices import questions_of
from train.generation import Answer, Generation
from train.student_json import StudentFile

RULES = Generation.for_longest(40)


def described(data: DatasetFolder) -> StudentFile:
    """As much of a student's description as an examination repeats."""
    return StudentFile.model_construct(name="told", dataset_name="talk", dataset_sha256=data.sha256, weights_sha256="")


def examined(data: DatasetFolder, base: Callable[[Row], str], student: Callable[[Row], str]) -> Examination:
    questions = questions_of(data, Wanted())
    rows = [row for group in questions.values() for row in group]
    said: dict[Side, Callable[[Row], str]] = {"base": base, "student": student}
    heard = {side: Heard([Answer(say(row), "end") for row in rows], {}, None) for side, say in said.items()}
    return findings(described(data), data, Wanted(), RULES, judge(data, questions, heard))


@pytest.fixture
def slipped(dataset: Path) -> DatasetFolder:
    """A dataset with a typing slip for every second rephrased question."""
    rows = course_rows(concepts=3)["rephrased"]
    slips = [
        row.model_copy(
            update={"id": f"{number:016x}", "question": row.question.replace("e", "r", 1), "typo_of": row.id}
        )
        for number, row in enumerate(rows[::2])
    ]
    rewrite(dataset, "rephrased", [*rows, *slips])
    return read_dataset(dataset)


def test_typing_slips_are_a_slice_of_their_own_beside_the_questions_without(slipped: DatasetFolder) -> None:
    found = examined(slipped, lambda row: "", lambda row: REFUSAL if row.typo_of else row.answer)
    slips = sum(bool(row.typo_of) for row in slipped.rows["rephrased"])
    typos = found.slices["typos"]["student"]
    assert (typos["right"].n, typos["right"].value, typos["false_refusal"].value) == (slips, 0, 1)
    assert found.slices["rephrased"]["student"]["right"].n == len(slipped.rows["rephrased"])
    pair = next(one.found for one in found.compared if one.first == "student, without the slip")
    assert (pair.n, pair.only_first, pair.only_second) == (slips, slips, 0)
    assert found.errors["typos"]["student"] == {"refused": slips}


def test_base_and_student_are_compared_on_every_slice(slipped: DatasetFolder) -> None:
    found = examined(slipped, lambda row: row.answer if row.refusal else "", lambda row: row.answer)
    by_slice = {one.slice: one.found for one in found.compared if one.first == "base"}
    assert by_slice["trained"].p < 0.001
    assert by_slice["off_topic"].p == 1
    assert by_slice["trained"].only_second == sum(not row.refusal for row in slipped.train)
    assert found.errors["trained"]["student"] == {} and not found.error_examples


def test_every_tag_of_the_student_has_examples(slipped: DatasetFolder) -> None:
    found = examined(slipped, lambda row: row.answer, lambda row: "it it it it it it it it" if row.refusal else "")
    assert set(found.error_examples) == {"empty", "answered", "repetitive"}
    for tag, examples in found.error_examples.items():
        assert 0 < len(examples) <= 3
        assert all(tag in example.student_tags for example in examples)


def test_expected_answers_are_measured_where_they_need_nothing_to_compare_with(slipped: DatasetFolder) -> None:
    found = examined(slipped, lambda row: "a a a a a a a", lambda row: row.answer)
    for name, sides in found.slices.items():
        for measure, value in found.expected[name].items():
            assert sides["student"][measure] == value
    assert found.slices["trained"]["base"]["distinct_1"].value < found.expected["trained"]["distinct_1"].value  # type: ignore[operator]
    assert any("The teacher is not examined" in note for note in found.notes)


def test_worked_answers_are_right_by_their_result(dataset: Path) -> None:
    row = course_rows(concepts=3)["rephrased"][0]
    rows = [
        row.model_copy(update={"id": f"{n:016x}", "answer": f"We add 1 and {n}: {n + 1}.", "result": str(n + 1)})
        for n in range(4)
    ]
    rewrite(dataset, "rephrased", rows)
    found = examined(read_dataset(dataset), lambda row: "It is 3.", lambda row: f"So it comes to {row.result}.")
    base, student = (found.slices["rephrased"][side] for side in ("base", "student"))  # type: ignore[index]
    assert (student["checked"].value, student["right"].value, student["exact"].value) == (1, 1, 0)
    assert (base["checked"].value, base["checked"].n) == (0.25, 4)
    drawn = [[Answer(f"It is {guess}.", "end") for guess in range(20)] for _ in rows]
    measured = sampled_measures(rows, drawn, [REFUSAL])
    assert measured["checked_pass_1"].value == pytest.approx(0.05)
    assert measured["checked_pass_5"].value == pytest.approx(0.25)


def test_a_personas_answers_are_held_against_its_constraints(dataset: Path) -> None:
    path = dataset / "manifest.json"
    text = path.read_text(encoding="utf-8").replace(
        '"refusals":', '"constraints": {"document": {"words": {"min": 1, "max": 5}}}, "refusals":', 1
    )
    path.write_text(text, encoding="utf-8")
    found = examined(
        read_dataset(dataset), lambda row: "Five words and no more", lambda row: row.answer + " More of it."
    )
    rephrased = found.slices["rephrased"]
    assert (rephrased["base"]["constraints"].value, rephrased["student"]["constraints"].value) == (1, 0)
    assert found.slices["off_topic"]["base"]["constraints"].n == 0


def test_intervals_are_drawn_by_documents_where_there_are_enough_of_them() -> None:
    rows = course_rows(concepts=30)["train"]
    one_document = [row for row in rows if not row.refusal]
    by_passage = [row.model_copy(update={"passage": f"{number % 9}"}) for number, row in enumerate(one_document)]
    assert groups_of(by_passage)[0] == "passage"
    assert groups_of(by_passage[:5])[0] == "fact"
    lopsided = [
        row.model_copy(update={"source": f"{max(0, number - 200)}.pdf"}) for number, row in enumerate(by_passage)
    ]
    assert groups_of(lopsided)[0] == "passage"
    many = [row.model_copy(update={"source": f"{number % 9}.pdf"}) for number, row in enumerate(one_document)]
    assert groups_of(many)[0] == "document"


def test_meaning_is_left_out_with_the_reason_and_near_where_it_is_there() -> None:
    assert "English only" in meaning.why_not("de")
    assert "does not say" in meaning.why_not("")
    if why := meaning.why_not("en"):
        pytest.skip(why)
    near, far, same = meaning.nearness(
        [
            ("A dog sleeps on the sofa.", "On the couch a puppy is napping."),
            ("A dog sleeps on the sofa.", "The budget was approved in June."),
            ("A dog sleeps on the sofa.", "A dog sleeps on the sofa."),
        ]
    )
    assert same == pytest.approx(1, abs=1e-3)
    assert near > 0.5 > far
