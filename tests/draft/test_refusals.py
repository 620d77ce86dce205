"""Questions to be refused are put to the teacher beside the passages they come near, and those answered go."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain

import pytest

from pipeline.corpus import Corpus
from pipeline.draft.answered import ANSWERED
from pipeline.draft.lists import CONTINUATIONS
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.refusals import Bank, Beside, RefusalDrafter
from pipeline.draft.terms import named_term
from pipeline.records import Draft, Passage, Rejection
from pipeline.teacher.request import Reply, Request
from tests.conftest import ROOT

MANNER = Manner("m", 0.5, 100)
LISTENING = "Active listening asks for patience. It was first described by Carl Rogers."
GOSSIP = "Gossip damages trust, and most of all the trust of those who hear it."
QUESTIONS = ["Who described active listening?", "Is gossip against the law?", "How long do eggs boil?"]


def passage(name: str, text: str, document: str = "a.md") -> Passage:
    return Passage(id=name, document=document, document_sha256="0", start=0, end=len(text), pages=((0, 1),), text=text)


def prompt(name: str) -> Prompt:
    return Prompt(ROOT / "prompts" / f"{name}.jinja")


def drafter(kind: str = "near_topic", together: int = 6, **bank: object) -> RefusalDrafter:
    passages = [passage("p1", LISTENING), passage("p2", GOSSIP)]
    documents = {"a.md": Corpus(passages), "b.md": Corpus([passage("p3", "A letter needs a stamp.", "b.md")])}
    values = dict(kind=kind, fields=["prices"], per_field=8, topic="talk", sentences=["No."], terms=["gossip"])
    beside = Beside(prompt("answered_questions"), documents, 0.2, together, 2)
    return RefusalDrafter(
        Bank(**(values | bank), document="a.md", passages=passages), prompt(f"{kind}_questions"), MANNER, beside
    )


def reply(request: Request, value: object, finish: str = "stop") -> Reply:
    text = value if isinstance(value, str) else json.dumps(value)
    return Reply(
        request.key, json.dumps({"choices": [{"finish_reason": finish, "message": {"content": text}}]}), "m", 1, 1
    )


class Told(dict):
    """Replies so far."""

    def say(self, request: Request, value: object, finish: str = "stop") -> None:
        self[request.key] = reply(request, value, finish)


def listed(drafting: RefusalDrafter, questions: list[str] = QUESTIONS) -> tuple[Told, list[Request]]:
    """What has been told once the list has come, and what is asked about it."""
    told = Told()
    for request in drafting.requests(0, told.get):
        told.say(request, {"questions": questions})
    return told, list(drafting.requests(CONTINUATIONS + 1, told.get))


def said(*answered: bool) -> dict:
    return {
        "questions": [{"number": at, "answered": yes, "words": "by Carl Rogers"} for at, yes in enumerate(answered, 1)]
    }


def ends(drafting: RefusalDrafter, told: Told) -> list[tuple[str, str]]:
    items = list(drafting.drafts(told.get))
    return [(item.question, "draft" if isinstance(item, Draft) else item.cause) for item in items]


def test_questions_that_come_near_a_passage_are_put_beside_it_and_others_are_not():
    _, (asked,) = listed(drafter())
    assert asked.kind == ANSWERED
    assert "1. Who described active listening?\n2. Is gossip against the law?" in asked.user
    assert "eggs" not in asked.user
    assert LISTENING in asked.user
    assert GOSSIP in asked.user
    assert "stamp" not in asked.user


def test_a_question_that_the_document_answers_is_a_rejection_with_the_teachers_words():
    drafting = drafter()
    told, (asked,) = listed(drafting)
    told.say(asked, said(True, False))
    answered, *drafts = drafting.drafts(told.get)
    assert (answered.cause, answered.question) == ("answered_by_corpus", QUESTIONS[0])
    assert "by Carl Rogers" in answered.detail
    assert "a.md" in answered.detail
    assert [draft.question for draft in drafts] == QUESTIONS[1:]


def test_a_question_waits_for_the_reply_about_it_and_the_others_do_not():
    drafting = drafter(together=1)
    told, (first, second) = listed(drafting)
    assert ends(drafting, told) == [(QUESTIONS[2], "draft")]
    told.say(second, said(False))
    assert ends(drafting, told) == [(QUESTIONS[1], "draft"), (QUESTIONS[2], "draft")]
    told.say(first, said(False))
    assert ends(drafting, told) == [(question, "draft") for question in QUESTIONS]


@pytest.mark.parametrize("answer", [{"questions": [{"number": 2, "answered": False, "words": ""}]}, "sorry", said()])
def test_a_question_about_which_the_teacher_says_nothing_is_no_draft(answer):
    drafting = drafter()
    told, _ = listed(drafting)
    for stage in range(CONTINUATIONS + 1, drafting.stages):
        for asked in drafting.requests(stage, told.get):
            if asked.key not in told:
                told.say(asked, answer)
    found = dict(ends(drafting, told))
    assert found[QUESTIONS[0]] in {"unanswered", "no_json", "wrong_shape"}
    assert found[QUESTIONS[2]] == "draft"
    assert len(found) == 3


def test_an_unreadable_reply_about_questions_is_asked_for_again():
    drafting = drafter()
    told, (asked,) = listed(drafting)
    told.say(asked, "Sorry?")
    (again,) = drafting.requests(CONTINUATIONS + 2, told.get)
    told.say(again, said(False, False))
    assert [end for _, end in ends(drafting, told)] == ["draft"] * 3


def test_a_new_document_changes_no_request_about_the_old():
    before = {request.key for request in listed(drafter())[1]}
    drafting = drafter()
    more = {"c.md": Corpus([passage("p4", "Every law of France regulates gossip.", "c.md")])}
    drafting._beside = replace(drafting._beside, documents={**drafting._beside.documents, **more})
    after = {request.key for request in listed(drafting)[1]}
    assert before < after


def test_every_question_ends_in_one_place_whatever_the_replies_hold():
    drafting = drafter(together=1)
    told, asked = listed(drafting, [*QUESTIONS, QUESTIONS[0], "", 7])
    for request in asked:
        told.say(request, said(False))
    items = list(drafting.drafts(told.get))
    assert len(items) == 6
    assert [item.cause for item in items if isinstance(item, Rejection)] == ["wrong_shape"] * 2


def test_each_question_gets_one_of_the_sentences_and_always_the_same():
    sentences = ["No.", "Not here.", "Ask me something else."]
    many = [f"Is {number} an even number?" for number in range(60)]
    answers = []
    for _ in range(2):
        drafting = drafter("off_topic", sentences=sentences)
        told, _ = listed(drafting, many)
        answers.append([draft.answer for draft in drafting.drafts(told.get)])
    assert answers[0] == answers[1]
    assert set(answers[0]) == set(sentences)


def test_a_false_premise_is_asked_for_beside_a_part_of_the_document():
    (asked,) = drafter("false_premise", fields=["a law that does not exist"]).requests(0, Told().get)
    assert asked.kind == "false_premise_questions"
    assert LISTENING in asked.user
    assert "a law that does not exist" in asked.user


def test_what_is_still_to_come_counts_the_lists_that_are_missing():
    drafting = drafter(fields=["prices", "sport"], together=3)
    assert drafting.still_to_come(Told().get) == 6
    told, _ = listed(drafting)
    assert drafting.still_to_come(told.get) == 0


def test_a_draft_knows_the_term_it_names():
    terms = ["listening", "Active listening", "gossip", "saying no", "plain words"]
    assert named_term("Who invented active listening?", terms) == "Active listening"
    assert named_term("Which law regulates gossips?", terms) == "gossip"
    assert named_term("Whose words were those?", terms) == "words"
    assert named_term("How long do eggs boil?", terms) == ""
    drafting = drafter(fields=["prices"])
    told, asked = listed(drafting)
    for request in chain(asked):
        told.say(request, said(False, False))
    assert [draft.term for draft in drafting.drafts(told.get)] == ["", "gossip", ""]
