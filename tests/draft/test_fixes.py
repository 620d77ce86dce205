"""What a person says is wrong with a record goes to the teacher once, and the version that comes back replaces it."""

from __future__ import annotations

import json

import pytest

from pipeline.curate import record_id
from pipeline.draft.fixes import FixDrafter, Shown, Wanted
from pipeline.draft.prompts import Manner, Prompt
from pipeline.recipe import shipped
from pipeline.records import Draft, Passage, Rejection
from pipeline.teacher.embedded import complete
from pipeline.teacher.request import Reply
from tests.review.test_sheets import record

TEXT = "Active listening is the habit of giving a speaker your whole attention. It takes a quiet room."
QUOTE = "Active listening is the habit of giving a speaker your whole attention."
PASSAGE = Passage(
    id="p", document="a.md", document_sha256="0", start=0, end=len(TEXT), pages=((0, 1),), text=TEXT
)  # fmt: skip
ABOUT = record(
    "a", question="What is active listening?", answer="It is the habit of giving whole attention.", quote=QUOTE
)  # fmt: skip
REFUSAL = record(
    "r", kind="off_topic", question="How far is the moon?", answer="No.", quote="", page=None, span=None, passage="",
    field="astronomy",
)  # fmt: skip


def drafter(*wanted: Wanted, passages=None) -> FixDrafter:
    shown = Shown({"p": PASSAGE} if passages is None else passages, topic="good manners")
    return FixDrafter(wanted, shown, Prompt(shipped() / "prompts" / "fix.jinja"), Manner("m", 0.0, 4096))


class Told:
    """What a teacher replied: always the same version, or what `complete` makes of the request."""

    def __init__(self, of: FixDrafter, *versions) -> None:
        self._bodies = {}
        for request, version in zip(of.requests(0, lambda key: None), versions, strict=False):
            self._bodies[request.key] = json.dumps({"versions": [version]}) if isinstance(version, dict) else version

    def __call__(self, key):
        text = self._bodies.get(key)
        if text is None:
            return None
        body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
        return Reply(key, body, "m", 1, 1)


def test_the_request_shows_the_record_its_passage_and_the_persons_words():
    (request,) = drafter(Wanted(ABOUT, "say where", True)).requests(0, lambda key: None)
    for text in (TEXT, ABOUT.question, ABOUT.answer, QUOTE, "<wrong>\nsay where\n</wrong>"):
        assert text in request.user
    assert list(request.schema["properties"]["versions"]["items"]["properties"]) == ["question", "answer", "quote"]
    assert '{"versions": [{"question": "...", "answer": "...", "quote": "..."}]}' in request.user


def test_the_answer_of_a_refusal_is_not_the_teachers_to_change():
    (request,) = drafter(Wanted(REFUSAL, "too easy", True)).requests(0, lambda key: None)
    assert list(request.schema["properties"]["versions"]["items"]["properties"]) == ["question"]
    assert "good manners" in request.user and "astronomy" in request.user and "No." not in request.user


def test_a_version_is_linked_to_what_it_replaces_and_has_an_id_of_its_own():
    of = drafter(Wanted(ABOUT, "say where", True))
    (draft,) = of.drafts(Told(of, {"question": ABOUT.question, "answer": "It is a habit.", "quote": QUOTE}))
    assert isinstance(draft, Draft)
    assert (draft.replaces, draft.fix, draft.answer, draft.fact, draft.passage) == (
        "a",
        "say where",
        "It is a habit.",
        "a",
        "p",
    )
    assert record_id(draft) != record_id(draft.model_copy(update={"fix": "other words"}))
    assert record_id(draft) != record_id(draft.model_copy(update={"replaces": "", "fix": ""}))


@pytest.mark.parametrize(
    ("version", "cause"),
    [
        ({"question": ABOUT.question, "answer": ABOUT.answer, "quote": QUOTE}, "fix_unchanged"),
        ({"question": ABOUT.question, "answer": " "}, "wrong_shape"),
        ("I would rather not.", "no_json"),
    ],
)
def test_a_version_that_is_none_is_a_rejection_with_its_cause(version, cause):
    of = drafter(Wanted(ABOUT, "say where", True))
    (end,) = of.drafts(Told(of, version))
    assert isinstance(end, Rejection)
    assert (end.cause, end.replaces, end.question) == (cause, "a", ABOUT.question)


def test_what_nobody_asks_for_any_more_is_not_bought_and_what_was_bought_counts():
    of = drafter(Wanted(ABOUT, "say where", False))
    assert list(of.requests(0, lambda key: None)) == []
    asked = drafter(Wanted(ABOUT, "say where", True))
    told = Told(asked, {"question": "Where?", "answer": "Here.", "quote": QUOTE})
    assert len(list(of.requests(0, told))) == 1
    assert [one.question for one in of.drafts(told)] == ["Where?"]


def test_of_two_answers_about_one_record_the_later_counts_and_the_other_says_so():
    of = drafter(Wanted(ABOUT, "too long", True), Wanted(ABOUT, "too short", True))
    first, second = ({"question": f"{word}?", "answer": "A.", "quote": QUOTE} for word in ("One", "Two"))
    one, other = of.drafts(Told(of, first, second))
    assert (one.cause, other.question) == ("superseded", "Two?")
    assert [end.question for end in of.drafts(Told(of, first))] == ["One?"]


def test_a_record_whose_passage_is_gone_cannot_be_mended_and_costs_nothing():
    of = drafter(Wanted(ABOUT, "say where", True), passages={})
    assert list(of.requests(0, lambda key: None)) == []
    (end,) = of.drafts(lambda key: None)
    assert (end.cause, end.replaces) == ("fix_without_source", "a")


@pytest.mark.parametrize(
    ("one", "words", "field"),
    [(ABOUT, "too far from the text", "answer"), (ABOUT, "word the question otherwise", "question"),
     (REFUSAL, "too easy", "question")],
)  # fmt: skip
def test_the_embedded_teacher_makes_another_version(one, words, field):
    of = drafter(Wanted(one, words, True))
    (request,) = of.requests(0, lambda key: None)
    body = {
        "messages": [{"role": "user", "content": request.user}],
        "response_format": {"json_schema": {"name": request.kind, "schema": request.schema}},
    }
    content = complete(body)["choices"][0]["message"]["content"]
    assert complete({"messages": body["messages"]})["choices"][0]["message"]["content"] == content
    (draft,) = of.drafts(Told(of, content))
    assert isinstance(draft, Draft), draft
    assert getattr(draft, field) != getattr(one, field)
