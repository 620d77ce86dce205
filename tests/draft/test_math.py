"""Word problems: numbers drawn stably, results computed, a teacher's slip named."""

from __future__ import annotations

import json

import pytest

from pipeline.draft.ground import Ground
from pipeline.draft.math import Numbers, Problem, Settings, build, pose
from pipeline.draft.prompts import Manner, Prompt
from pipeline.errors import RecipeError
from pipeline.records import Draft, Rejection
from pipeline.teacher.embedded import complete
from pipeline.teacher.request import Reply
from tests.conftest import ROOT

PROBLEM = Problem(
    id="shelves",
    problem="{who} has {shelves} shelves with {books} books each. How many books are there?",
    values={"who": ("Maya", "Omar"), "shelves": Numbers(first=3, last=9), "books": Numbers(first=12, last=40, step=2)},
    equations=("answer = {shelves} * {books}",),
    outline=("There are {shelves} × {books} = {answer} books.",),
)


def ground(folder) -> Ground:
    return Ground(
        passages=(), persona=None, prompt=lambda name: Prompt(ROOT / "prompts" / f"{name}.jinja"), folder=folder,
        manner=Manner("m", 0.7, 8192), language="en", salt="s", unseen=0.1,
    )  # fmt: skip


def reply(request, content: dict) -> Reply:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(content)}}
    return Reply(request.key, json.dumps({"choices": [choice]}), "m", 1, 1)


def embedded(request) -> Reply:
    body = {
        "messages": [{"role": "user", "content": request.user}],
        "response_format": {"json_schema": {"name": request.kind, "schema": request.schema}},
    }
    return Reply(request.key, json.dumps(complete(body)), "m", 1, 1)


def test_more_variations_leave_the_first_as_they_were_and_all_differ():
    few, many = (list(pose(PROBLEM, number)) for number in (5, 40))
    assert many[:5] == few and len({one.problem for one in many}) == len(many) == 40
    assert all(int(one.result) == int(one.known["shelves"]) * int(one.known["books"]) for one in many)


def test_numbers_with_which_the_result_would_not_be_whole_are_not_drawn():
    problem = PROBLEM.model_copy(update={"equations": ("answer = {books} / {shelves}",), "outline": ()})
    assert all(one.result.isdigit() for one in pose(problem, 30))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("problem: Has {books} books?\n    equations: [answer = 1]", "books"),
        ("problem: Has 3?\n    equations: [answer = 1 +]", "no numbers"),
        ("problem: Has 3?\n    equations: [answer = 1]\n    outline: ['It is {more}.']", "more"),
        ("problem: Has 3?", "equations"),
    ],
)
def test_a_problem_that_cannot_be_posed_is_named_by_line(tmp_path, text, fault):
    (tmp_path / "p.yaml").write_text(f"problems:\n  - id: one\n    {text}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"p\.yaml:\d+: .*{fault}"):
        build(Settings(problems="p.yaml"), ground(tmp_path))


def test_the_samples_problems_are_worked_out_and_new_ones_made_after_them():
    drafters = build(Settings(problems="problems.yaml", variations=2, similar=2), ground(ROOT / "samples"))
    found = [
        item
        for drafter in drafters
        for replies in [{request.key: embedded(request) for request in drafter.requests(0, lambda key: None)}]
        for item in drafter.drafts(replies.get)
    ]
    assert len(found) > 60 and all(isinstance(item, Draft) for item in found)
    by_field = {item.field: item.result for item in found[::-1] if item.field in ("sit_ups", "two_wages", "two_prices")}
    assert by_field == {"sit_ups": "10", "two_wages": "275", "two_prices": "x=887, y=1113"}
    assert all(item.result in item.answer or "x = 887" in item.answer for item in found)


def test_an_answer_that_is_lacking_is_a_rejection_that_names_its_problem(tmp_path):
    (tmp_path / "p.yaml").write_text(
        "problems:\n"
        "  - {id: one, problem: 'How many is 2 and 3?', equations: ['answer = 2 + 3']}\n"
        "  - {id: two, problem: 'How many is 4 and 3?', equations: ['answer = 4 + 3']}\n",
        encoding="utf-8",
    )
    (drafter,) = build(Settings(problems="p.yaml"), ground(tmp_path))
    (request,) = drafter.requests(0, lambda key: None)
    told = reply(
        request, {"answers": [{"number": 2, "answer": "It is 7.", "result": "7"}, {"number": 1, "answer": ""}]}
    )
    lacking, given = drafter.drafts({request.key: told}.get)
    assert (
        isinstance(lacking, Rejection) and lacking.question == "How many is 2 and 3?" and lacking.cause == "unanswered"
    )
    assert isinstance(given, Draft) and given.equations == ("answer = 4 + 3",)
