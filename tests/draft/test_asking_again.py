"""An answer that breaks a persona's constraint is asked for again, once, with what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.constraints import broken_constraints
from pipeline.draft.personas import PersonaDrafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.errors import InputError
from pipeline.recipe import load_recipe
from pipeline.records import Draft, Rejection
from pipeline.run import Options, plan, run
from pipeline.runlog import Log
from pipeline.sources.personas import Persona
from pipeline.teacher.embedded import MODEL, complete
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.speech import Speech
from tests.conftest import ROOT

PERSONA = Persona.model_validate(
    {
        "name": "Ada Tull",
        "living_person": False,
        "voice": "A ship's cook.",
        "questions": [{"id": "galley", "prompt": "List 5 questions.", "count": 5}],
        "constraints": {"words": {"min": 2, "max": 4}},
    }
)
QUESTIONS = ["Is tea ready?", "Who broke it?", "When is supper?", "Where is Tom?", "Why so salty?"]
SHORT, LONG = "Not yet, dear.", "Not before the bell has rung twice."


def drafter() -> PersonaDrafter:
    prompts = [Prompt(ROOT / "prompts" / f"persona_{name}.jinja") for name in ("questions", "answers")]
    return PersonaDrafter(
        PERSONA, 3, *prompts, Manner("m", 0.5, 1000), lambda a: broken_constraints(a, PERSONA.constraints)
    )


def said(request: Request, value: object) -> Reply:
    body = {"choices": [{"finish_reason": "stop", "message": {"content": json.dumps(value)}}]}
    return Reply(request.key, json.dumps(body), "m", 1, 1)


def asked_questions(request: Request) -> list[tuple[int, str]]:
    """The numbered questions of the last slot, as any teacher reads them."""
    listed = re.findall(r"<questions>\n(.*?)\n</questions>", request.user, re.DOTALL)[-1]
    return [(int(number), text) for number, text in re.findall(r"^(\d+)\. (.*)$", listed, re.MULTILINE)]


class Teacher:
    """Answers a question with what `first` says, and with what `later` says if it is asked again."""

    def __init__(self, first: dict[str, str], later: dict[str, str] | None = None) -> None:
        self.first, self.later = first, later
        self.replies: dict[str, Reply] = {}
        self.again: list[Request] = []

    def answer(self, request: Request) -> None:
        if request.kind == "persona_questions":
            self.replies[request.key] = said(request, {"questions": QUESTIONS})
            return
        again = "<broken>" in request.user
        if again:
            self.again.append(request)
        answers = self.later if again else self.first
        if answers is not None:
            listed = [{"number": n, "answer": answers[q]} for n, q in asked_questions(request) if answers[q]]
            self.replies[request.key] = said(request, {"answers": listed})

    def ends(self) -> dict[str, Draft | Rejection]:
        one = drafter()
        for stage in range(one.stages):
            for request in list(one.requests(stage, self.replies.get)):
                if request.key not in self.replies:
                    self.answer(request)
        ends = list(one.drafts(self.replies.get))
        assert len(ends) == len({end.question for end in ends}) == len(QUESTIONS)
        return {end.question: end for end in ends}


def every(answer: str, **changed: str) -> dict[str, str]:
    return dict.fromkeys(QUESTIONS, answer) | {QUESTIONS[int(at[1])]: text for at, text in changed.items()}


def test_answers_that_keep_the_constraints_are_not_asked_for_again() -> None:
    teacher = Teacher(every(SHORT))
    assert {end.answer for end in teacher.ends().values()} == {SHORT}
    assert teacher.again == []


def test_the_second_request_names_the_answer_and_what_was_measured_and_nothing_else() -> None:
    teacher = Teacher(every(SHORT, q1=LONG), every("Soon enough, dear."))
    ends = teacher.ends()
    (again,) = teacher.again
    assert f'{{"number": 2, "answer": "{LONG}", "fault": "7 words, at most 4"}}' in again.user
    assert asked_questions(again) == [(2, QUESTIONS[1])]
    assert ends[QUESTIONS[1]].answer == "Soon enough, dear."
    assert ends[QUESTIONS[1]].request == again.key
    assert {end.answer for question, end in ends.items() if question != QUESTIONS[1]} == {SHORT}
    assert drafter().compliance(teacher.replies.get) == (5, 4, 1)


def test_it_is_asked_for_only_once_and_the_later_answer_counts() -> None:
    teacher = Teacher(every(LONG), every(LONG + " Or later."))
    assert {end.answer for end in teacher.ends().values()} == {LONG + " Or later."}
    assert len(teacher.again) == 2  # one for each group of questions
    assert drafter().compliance(teacher.replies.get) == (5, 0, 0)


def test_where_no_second_answer_comes_the_first_one_counts() -> None:
    assert {end.answer for end in Teacher(every(LONG)).ends().values()} == {LONG}
    silent = Teacher(every(LONG), every(""))
    assert {end.answer for end in silent.ends().values()} == {LONG}


def test_the_embedded_teacher_answers_it() -> None:
    teacher = Teacher(every(LONG))
    teacher.ends()
    for request in teacher.again:
        body = complete(json.loads(Speech().body(request)))
        assert body["model"] == MODEL
        answers = json.loads(body["choices"][0]["message"]["content"])["answers"]
        assert [answer["number"] for answer in answers] == [number for number, _ in asked_questions(request)]
        assert all(broken_constraints(answer["answer"], PERSONA.constraints) == [] for answer in answers)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([SHORT, LONG, ""]), min_size=5, max_size=5),
    st.lists(st.sampled_from([SHORT, LONG, ""]), min_size=5, max_size=5),
)
def test_every_question_ends_once_whatever_the_teacher_says(first: list[str], later: list[str]) -> None:
    teacher = Teacher(dict(zip(QUESTIONS, first, strict=True)), dict(zip(QUESTIONS, later, strict=True)))
    ends = teacher.ends()
    for question, one, two in zip(QUESTIONS, first, later, strict=True):
        wanted = two if one == LONG and two else one
        assert ends[question].answer == wanted
        assert isinstance(ends[question], Draft) == bool(one)
    assert drafter().compliance(teacher.replies.get).answers == sum(map(bool, first))


def test_a_number_that_was_never_asked_is_passed_over() -> None:
    teacher = Teacher(every(SHORT))
    teacher.ends()
    (listed,) = drafter().requests(0, teacher.replies.get)
    for request in teacher.replies:
        if request != listed.key:
            body = json.loads(teacher.replies[request].body)
            body["choices"][0]["message"]["content"] = json.dumps({"answers": [{"number": 99, "answer": LONG}]})
            teacher.replies[request] = Reply(request, json.dumps(body), "m", 1, 1)
    assert {end.cause for end in drafter().drafts(teacher.replies.get)} == {"unanswered"}


def test_a_run_asks_again_says_how_many_keep_the_constraints_and_adds_up(tmp_path: Path) -> None:
    persona = PERSONA.model_dump(mode="json", exclude={"living_person"}, exclude_none=True) | {"living_person": False}
    (tmp_path / "ada.yaml").write_text(yaml.safe_dump(persona | {"constraints": {"words": {"max": 60}}}))
    # The embedded teacher speaks English whatever it is asked.
    (tmp_path / "ada_recipe.yaml").write_text("name: ada\nlanguage: de\npersona: {file: ada.yaml}\n")
    loaded, said = load_recipe(tmp_path / "ada_recipe.yaml"), list[str]()
    with pytest.raises(InputError, match="wrong_language 5"):
        run(loaded, Options(tmp_path), said.append, Log())
    text = "\n".join(said)
    assert "requests       3   3 answered" in text
    assert (
        "in voice       5   answers, 0.0% within the persona's constraints, 0 more when asked again, 5 outside" in text
    )
    assert "does not add up" not in text
    found = plan(loaded, Options(tmp_path), said.append)
    assert found.by_kind == {"persona_questions": (1, 1), "persona_answers": (2, 2)}
