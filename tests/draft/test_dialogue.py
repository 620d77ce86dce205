"""A dialogue is records that stand on one another: each turn grounded, together in the split, falling together."""

from __future__ import annotations

import json

import pytest

from pipeline.curate import Material, Origin, curate
from pipeline.desk.decisions import Yields
from pipeline.desk.dialogues import Dialogues
from pipeline.draft.dialogue import Settings, build
from pipeline.publish.split import assign
from pipeline.recipe import Checks, Documents, Recipe, Split
from pipeline.records import Draft, Record, Rejection
from tests.draft.made_of_records import PASSAGE, drafts, fate, ground

TURNS = [
    ("How long does a repair take on average?", "A repair takes ten working days on average."),
    ("And what does a worn seal cost?", "A worn seal costs four euros and can be changed without tools."),
    ("And does it need tools?", "A worn seal costs four euros and can be changed without tools."),
]


def told(turns=TURNS, **settings) -> list[Draft | Rejection]:
    (drafter,) = build(Settings(**settings), ground())
    said = [{"question": question, "answer": answer, "quote": answer} for question, answer in turns]
    return drafts(drafter, json.dumps({"turns": said}))


def ends(found) -> list[Record | Rejection]:
    material = Material({"p": PASSAGE}, lambda key: Origin("t", "p"))
    return list(curate(found, material, Checks(language_odds=None)))


def test_each_turn_is_a_record_with_the_turns_before_it_and_a_quote_of_its_own():
    records = ends(told())
    assert [len(record.earlier) for record in records] == [0, 2, 4]
    assert records[2].earlier == (*TURNS[0], *TURNS[1])
    assert all(record.quote == record.answer and record.page == 1 for record in records)
    assert len({record.id for record in records}) == 3 and len({record.fact for record in records}) == 1


def test_the_embedded_teachers_dialogues_pass():
    (drafter,) = build(Settings(turns=4), ground())
    found = drafts(drafter)
    assert len(found) == 4
    assert [type(end) for end in ends(found)] == [Record] * 4
    assert found[1].question.startswith("And ")


def test_a_turn_that_is_rejected_takes_those_after_it_along_with_that_cause():
    wrong = [TURNS[0], ("And what does a worn seal cost?", "A worn seal costs 77 euros."), TURNS[2]]
    found = told(wrong)
    found[1] = found[1].model_copy(update={"quote": TURNS[1][1]})
    first, second, third = ends(found)
    assert isinstance(first, Record)
    assert second.cause == "number_not_in_passage"
    assert third.cause == "earlier_turn_rejected" and "number_not_in_passage" in third.detail


def test_a_turn_that_cannot_be_read_takes_those_after_it_along():
    (drafter,) = build(Settings(), ground())
    said = [
        {"question": TURNS[0][0], "answer": TURNS[0][1], "quote": TURNS[0][1]},
        {"question": "", "answer": "x", "quote": "x"},
        {"question": TURNS[2][0], "answer": TURNS[2][1], "quote": TURNS[2][1]},
    ]
    first, second, third = drafts(drafter, json.dumps({"turns": said}))
    assert isinstance(first, Draft)
    assert (second.cause, third.cause) == ("wrong_shape", "earlier_turn_rejected")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How long does it take?", "leans_on_nothing"),
        ("And how long does a repair take?", "leans_on_nothing"),
        ("What about the seal of the lid?", "leans_on_nothing"),
        ("Why does a kettle need care when it is old?", "record"),
        ("Is it true that a repair takes ten days?", "record"),
    ],
)
def test_a_first_question_leans_on_nothing(question, expected):
    (first, *_) = told([(question, TURNS[0][1]), TURNS[1]])
    assert fate(first) == expected


def test_the_split_holds_a_dialogue_together():
    records = [record for record in ends(told()) if isinstance(record, Record)]
    for salt in map(str, range(12)):
        split = Split(unseen=0.5, rephrased=0.5, salt=salt)
        recipe = Recipe(name="r", documents=Documents(files=("a.md",)), split=split)
        assert len({assign(records, recipe).stem(record) for record in records}) == 1


def test_a_dialogue_that_begins_with_what_a_slice_asks_is_withheld_whole():
    records = [record for record in ends(told()) if isinstance(record, Record)]
    other = PASSAGE.id + "2"
    held = records[0].model_copy(update={"id": "h", "kind": "document", "passage": other, "fact": "f"})
    salt = next(
        salt for salt in map(str, range(99))
        if assign([held], wanted := _recipe(salt)).stem(held) == "unseen"
        and assign(records, wanted).stem(records[0]) == "train"
    )  # fmt: skip
    found = assign([held, *records], _recipe(salt))
    assert {found.stem(record) for record in records} == {"withheld"}


def _recipe(salt: str) -> Recipe:
    return Recipe(name="r", documents=Documents(files=("a.md",)), split=Split(unseen=0.5, salt=salt))


def test_what_a_person_changes_or_drops_goes_for_the_turns_after_it():
    records = [record for record in ends(told()) if isinstance(record, Record)]
    mended = records[0].model_copy(update={"answer": "Ten days.", "edited": True})
    dialogues = Dialogues()
    dialogues.end(records[0], mended)
    second = dialogues.end(records[1], records[1])
    assert second.earlier == (TURNS[0][0], "Ten days.") and second.edited
    dropped = Rejection(cause="dropped_by_person", detail="d", kind="dialogue")
    dialogues = Dialogues()
    dialogues.end(records[0], records[0])
    assert dialogues.end(records[1], dropped) is dropped
    third = dialogues.end(records[2], records[2])
    assert isinstance(third, Yields) and third.cause == "earlier_turn_rejected"
