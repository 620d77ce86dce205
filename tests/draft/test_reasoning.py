"""Worked answers end in one form, and come to what their parent says."""

from __future__ import annotations

import json

import pytest

from pipeline.draft.reasoning import Settings, build
from pipeline.records import Draft
from pipeline.teacher.embedded.working import worked_answers
from tests.draft.made_of_records import FACTS, PARENTS, drafts, fate, ground, parent

LONG = PARENTS[0]
SHORT = parent("How many cups are three boxes of four cups?", "12 cups", kind="given", quote="", passage="", page=None,
               span=None)  # fmt: skip


SEAL = PARENTS[2]


def worked(steps: str, result: str, of=LONG) -> Draft:
    return Draft(
        kind="reasoning", question=of.question, answer=f"{steps} The answer is {result}.", result=result,
        quote=of.quote, passage=of.passage, persona="" if of.passage else of.source, fact=of.fact, parent=of.id,
        field="steps", request="r",
    )  # fmt: skip


def test_the_embedded_teachers_steps_close_with_the_result_and_pass():
    (drafter,) = build(Settings(share=1), ground())
    found = [one for one in drafts(drafter) if isinstance(one, Draft)]
    assert len(found) >= 5
    for draft in found:
        assert draft.answer.endswith(f" The answer is {draft.result}.") and draft.result
        assert draft.question.startswith("Think step by step. ")
        assert fate(draft) == "record", draft


@pytest.mark.parametrize(
    ("steps", "result", "of", "expected"),
    [
        ("A repair is work in a shop.", "ten working days on average", LONG, "record"),
        ("A repair is work in a shop.", "10 working days", LONG, "record"),
        ("A repair is work in a shop.", "twelve working days", LONG, "other_result"),
        ("A repair is work in a shop.", "a matter of taste and temper", LONG, "other_result"),
        ("A worn seal has its price.", "four euros", SEAL, "record"),
        ("A worn seal has its price.", "two euros", SEAL, "other_result"),
        ("A repair takes 77 hours of each day.", "ten working days", LONG, "number_in_steps"),
        ("Three boxes of 4 cups are 3 × 4 = 12 cups.", "12", SHORT, "record"),
        ("Three boxes of 4 cups are 3 + 4 = 7 cups.", "7 cups", SHORT, "other_result"),
    ],
)
def test_the_result_agrees_with_the_parents_answer_or_it_is_a_rejection(steps, result, of, expected):
    assert fate(worked(steps, result, of), [LONG, SHORT, SEAL]) == expected


@pytest.mark.parametrize(
    ("question", "answer", "result"),
    [
        ("How long does a repair take?", "A repair takes ten working days.", "ten working days"),
        ("What takes ten working days?", "A repair takes ten working days.", None),
        ("When does the desk write?", "The desk writes when the kettle has arrived.", "when the kettle has arrived"),
        ("What does the desk do when the kettle has arrived?", "The desk writes when the kettle has arrived.", None),
        (
            "Why does the desk replace it?",
            "A leak cannot be repaired, so the desk replaces the whole kettle.",
            "that the desk replaces the whole kettle because a leak cannot be repaired",
        ),
        ("Which is kinder, a refusal or a promise?", "A refusal is kinder than a promise.", "a refusal"),
        ("What does lime leave on the plate?", "Lime leaves a white layer on the plate.", None),
    ],
)
def test_the_embedded_teacher_works_out_what_it_can_take_apart_and_says_nothing_twice(question, answer, result):
    found = worked_answers({"problem": question, "answer": answer, "passage": answer}, {})["workings"]
    assert [one["result"] for one in found] == ([result] if result else [])


def test_an_answer_without_the_closing_form_is_rejected():
    one = worked("A repair is work.", "ten working days")
    assert fate(one.model_copy(update={"answer": "A repair takes ten working days."})) == "no_closing"


def test_reasoning_is_added_to_the_pairs_of_a_file(tmp_path):
    pairs = [{"question": question, "answer": answer} for question, answer in FACTS.items()]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    (drafter,) = build(Settings(kinds=(), pairs="pairs.jsonl", share=1), ground(folder=tmp_path))
    found = drafts(drafter, json.dumps({"workings": [{"steps": ["First this"], "result": "that."}]}))
    assert {draft.answer for draft in found} == {"First this. The answer is that."}
    assert {draft.persona for draft in found} == {"pairs.jsonl"}


def test_steps_that_are_no_texts_are_a_rejection():
    (drafter,) = build(Settings(share=1), ground())
    found = drafts(drafter, json.dumps({"workings": [{"steps": [], "result": "x"}]}))
    assert {one.cause for one in found} == {"wrong_shape"}
