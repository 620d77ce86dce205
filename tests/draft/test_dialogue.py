"""A dialogue is records that stand on one another: each turn grounded, together in the split, falling together."""

from __future__ import annotations

import json

import pytest

from pipeline.curate import Material, Origin, curate
from pipeline.desk.decisions import Yields
from pipeline.desk.dialogues import Dialogues
from pipeline.draft.dialogue import Settings, build
from pipeline.errors import RecipeError
from pipeline.publish.split import assign
from pipeline.recipe import Checks, Documents, Recipe, Split
from pipeline.records import Draft, Record, Rejection, content_id, normalised
from pipeline.sources.personas import Persona
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


ADA = Persona.model_validate(
    {
        "name": "Ada the gardener", "living_person": False, "voice": "Calm and dry.",
        "topics": ["compost", "slugs"], "phrases": ["Plainly:", "Weeds never read the plan."],
        "questions": [{"id": "q", "prompt": "List questions.", "count": 2}],
        "constraints": {"words": {"min": 4, "max": 30}},
    }
)  # fmt: skip
TALK = [
    ("What is compost good for?", "Compost feeds the soil that feeds everything else."),
    ("And how long does it take?", "A summer, if somebody turns the heap."),
    ("And if nobody does?", "Then it takes a year, and nobody minds."),
]


def talked(turns=TALK, **settings) -> list[Draft | Rejection]:
    """What comes of one dialogue with the persona."""
    (drafter,) = build(
        Settings(**{"subjects": ["compost"], "sides": ["why"]} | settings), ground(passages=[], persona=ADA)
    )
    said = [{"question": question, "answer": answer} for question, answer in turns]
    return drafts(drafter, json.dumps({"turns": said}))


def voiced(found) -> list[Record | Rejection]:
    material = Material({}, lambda key: Origin("t", "p"), constraints=ADA.constraints, carried=ADA.said())
    return list(curate(found, material, Checks(language_odds=None)))


def test_a_persona_is_talked_to_about_each_side_of_each_of_its_topics():
    about, with_persona = build(Settings(sides=("what for", "what not")), ground(persona=ADA))
    assert len(list(about.requests(0, {}.get))) == 1
    asked = [request.user for request in with_persona.requests(0, {}.get)]
    wanted = [(subject, side) for subject in ADA.topics for side in ("what for", "what not")]
    assert len(asked) == len(wanted)
    assert all(subject in user and side in user for user, (subject, side) in zip(asked, wanted, strict=True))
    assert all("Weeds never read the plan." in user and "max: 30" in user for user in asked)


def test_without_passages_or_a_persona_with_topics_there_is_nothing_to_talk_about():
    for settings, more in [({"of": ("persona",)}, {}), ({}, {"passages": []}),
                           ({}, {"passages": [], "persona": ADA.model_copy(update={"topics": ()})})]:  # fmt: skip
        with pytest.raises(RecipeError, match=r"drafters\.dialogue"):
            build(Settings(**settings), ground(**more))


def test_each_turn_with_a_persona_is_a_record_in_its_voice_with_the_turns_before_it():
    records = voiced(talked())
    assert [type(record) for record in records] == [Record] * 3
    assert records[2].earlier == (*TALK[0], *TALK[1])
    assert {(record.source, record.field, record.kind) for record in records} == {
        (ADA.name, "compost", "persona_dialogue")
    }


def test_a_turn_outside_the_constraints_takes_those_after_it_along():
    first, second, third = voiced(talked([TALK[0], (TALK[1][0], "Long."), TALK[2]]))
    assert isinstance(first, Record)
    assert (second.cause, third.cause) == ("breaks_constraint", "earlier_turn_rejected")


def test_a_name_that_an_answer_made_up_stays_unknown_and_one_that_a_question_named_does_not():
    made_up = voiced(
        talked([(TALK[0][0], "Ask the people of Kew about it."), (TALK[1][0], "In Kew it takes a summer.")])
    )
    assert [record.flags for record in made_up] == [("unknown_fact",)] * 2
    named = voiced(
        talked([("What does Kew use compost for?", "Kew feeds roses with it."), (TALK[1][0], "In Kew a summer.")])
    )
    assert [record.flags for record in named] == [()] * 2


def test_a_dialogue_that_begins_with_a_question_of_the_persona_is_held_out_with_it():
    records = voiced(talked())
    fact = content_id(ADA.name, normalised(TALK[0][0]))  # as a question of its lists has it
    assert {record.fact for record in records} == {fact}


def test_a_dialogue_of_a_slice_that_begins_with_what_is_trained_is_withheld_whole():
    records = voiced(talked())
    asked = Record(
        id="t", kind="persona", question=TALK[0][0].upper(), answer="For soil.", source=ADA.name,
        fact="f", model="m", prompt="p", request="r",
    )  # fmt: skip
    salt = next(
        salt for salt in map(str, range(99))
        if assign([asked], _recipe(salt)).stem(asked) == "train"
        and assign(records, _recipe(salt)).stem(records[0]) == "unseen"
    )  # fmt: skip
    found = assign([asked, *records], _recipe(salt))
    assert {found.stem(record) for record in records} == {"withheld"}
    assert found.stem(asked) == "train"


@pytest.mark.parametrize("side", ["what it is good for", "what goes wrong with it", "anything else"])
def test_the_embedded_teachers_dialogues_with_a_persona_pass(side):
    (drafter,) = build(Settings(turns=4, sides=[side]), ground(passages=[], persona=ADA))
    found = drafts(drafter)
    assert len(found) == 4 * len(ADA.topics)
    ends = voiced(found)
    assert [type(end) for end in ends] == [Record] * len(found), ends
    assert not any(record.flags for record in ends)
