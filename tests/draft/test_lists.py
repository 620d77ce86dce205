"""A reply cut at the limit is a failure; what arrived whole of it is kept, and only the rest is asked again."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.draft.documents import DocumentDrafter
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import Manner, Prompt
from pipeline.records import Draft, Passage, Rejection
from pipeline.teacher.request import Reply, Request
from tests.conftest import ROOT

REQUEST = Request("kind", "m", "s", "u", {"type": "object"}, 0.5, 100, subject="p")


def reply(request: Request, text: str, finish: str = "stop") -> Reply:
    body = {"choices": [{"finish_reason": finish, "message": {"content": text}}]}
    return Reply(request.key, json.dumps(body), "m", 1, 1)


def continuation(asked: Request, answer: Reply, name: str) -> Request | None:
    return next(continuations({asked.key: answer}.get, [asked], name, 1), None)


items = st.lists(
    st.text(min_size=1) | st.fixed_dictionaries({"quote": st.text(min_size=1), "questions": st.lists(st.text())}),
    min_size=1,
    max_size=6,
)


@given(items, st.data())
def test_of_a_cut_list_every_complete_item_is_kept_and_no_broken_one(values, data):
    text = json.dumps({"facts": values}, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text) - 2))
    replies = {REQUEST.key: reply(REQUEST, text[:cut], "length")}
    listed = told_list(replies.get, REQUEST, "facts")
    found = [item for item, _ in listed.items]
    assert found == values[: len(found)]
    whole = len(json.dumps({"facts": values[: len(found) + 1]}, ensure_ascii=False)) - 2
    assert len(found) == len(values) or cut <= whole
    assert listed.fault.cause == "cut_reply"


def test_the_continuation_names_what_arrived_and_has_twice_the_room():
    text = json.dumps({"facts": [{"quote": "one", "n": 1}, {"quote": "two"}]})[:-12]
    rest = continuation(REQUEST, reply(REQUEST, text, "length"), "facts")
    assert '<received>\n"one"\n</received>' in rest.user
    assert rest.max_output_tokens == 200
    assert rest.key != REQUEST.key
    assert continuation(REQUEST, reply(REQUEST, '{"facts": ["one"]}'), "facts") is None


def test_a_reply_that_breaks_off_is_continued_and_an_unreadable_one_asked_again_once():
    broken = continuation(REQUEST, reply(REQUEST, '{"facts": ["one", "tw'), "facts")
    assert '<received>\n"one"\n</received>' in broken.user
    assert broken.max_output_tokens == 100
    again = continuation(REQUEST, reply(REQUEST, "Sorry?"), "facts")
    assert (again.user, again.sample) == ("u", 1)
    assert again.key != REQUEST.key


def test_an_unreadable_reply_is_asked_for_again_only_so_often():
    replies, asked = {REQUEST.key: reply(REQUEST, "Sorry?")}, [REQUEST]
    for stage in range(1, CONTINUATIONS + 1):
        (again,) = continuations(replies.get, [REQUEST], "facts", stage)
        assert again.key not in replies
        replies[again.key] = reply(again, "Sorry?")
        asked.append(again)
    assert list(continuations(replies.get, [REQUEST], "facts", CONTINUATIONS + 1)) == []
    assert told_list(replies.get, REQUEST, "facts").fault.cause == "no_json"
    replies[asked[-1].key] = reply(asked[-1], '{"facts": ["at last"]}')
    assert told_list(replies.get, REQUEST, "facts").items == [("at last", asked[-1])]


def test_what_the_teacher_will_not_say_is_not_asked_again():
    assert continuation(REQUEST, reply(REQUEST, "x", "content_filter"), "facts") is None


def test_the_items_of_both_replies_are_joined_and_know_which_request_brought_them():
    first = reply(REQUEST, '{"facts": ["a", "b", "c', "length")
    rest = continuation(REQUEST, first, "facts")
    replies = {REQUEST.key: first, rest.key: reply(rest, '{"facts": ["c", "d"]}')}
    items, fault = told_list(replies.get, REQUEST, "facts")
    assert [(item, source.key == rest.key) for item, source in items] == [
        ("a", False), ("b", False), ("c", True), ("d", True),
    ]  # fmt: skip
    assert fault is None


def drafter() -> DocumentDrafter:
    passage = Passage(
        id="p1", document="a.md", document_sha256="0", start=0, end=9, pages=((0, 1),), text="One. Two."
    )  # fmt: skip
    return DocumentDrafter(
        [passage], 5, 2, Prompt(ROOT / "prompts" / "document_questions.jinja"), Manner("m", 0.5, 100)
    )


FACTS = [
    {"quote": "One.", "answer": "One.", "questions": ["Which?", "What one?"]},
    {"quote": "Two.", "answer": "Two.", "questions": ["Who?"]},
]


def test_a_reply_cut_twice_ends_as_what_arrived_and_one_rejection():
    drafting = drafter()
    (asked,) = drafting.requests(0, lambda key: None)
    text = json.dumps({"facts": FACTS})
    first = reply(asked, text[: text.index("Two.")], "length")
    (rest,) = drafting.requests(1, {asked.key: first}.get)
    second = replace(reply(rest, '{"facts": [{"quote": "Tw', "length"))
    told = {asked.key: first, rest.key: second}.get
    assert list(drafting.requests(2, told)) == []  # twice the room is given once
    items = list(drafting.drafts(told))
    assert [type(item) for item in items] == [Draft, Draft, Rejection]
    assert items[-1].cause == "cut_reply"


def test_an_item_of_the_wrong_shape_is_a_rejection_and_the_others_stay():
    drafting = drafter()
    (asked,) = drafting.requests(0, lambda key: None)
    facts = [FACTS[0], {"quote": "One."}, "fact", FACTS[1] | {"questions": ["Who?", 7, ""]}]
    items = list(drafting.drafts({asked.key: reply(asked, json.dumps({"facts": facts}))}.get))
    assert [item.question for item in items if isinstance(item, Draft)] == ["Which?", "What one?", "Who?"]
    assert [item.cause for item in items if isinstance(item, Rejection)] == ["wrong_shape"] * 4
