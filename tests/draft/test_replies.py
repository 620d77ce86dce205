"""A reply is read however the teacher wrapped it, and an unreadable one has a cause."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.draft.replies import Unreadable, answer_object, tidied
from pipeline.teacher.request import Reply

WANTED = {"questions": ["Why?"]}
TEXT = json.dumps(WANTED)


def reply(content, finish="stop", **message) -> Reply:
    body = {"choices": [{"finish_reason": finish, "message": {"content": content, **message}}]}
    return Reply("k", json.dumps(body), "m", 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Sure! Here is the JSON:\n\n{TEXT}\n\nAnything else?",
        f"<think>They want {{}} of questions</think>\n{TEXT}",
        f"<thinking>\n{{\"questions\": []}}\n</thinking>```\n{TEXT}\n```",
        f"\ufeff {TEXT}".strip(),
    ],
)  # fmt: skip
def test_the_object_is_found_in_fences_prefaces_and_behind_reasoning(content):
    assert answer_object(reply(content)) == WANTED


def test_raw_control_characters_inside_strings_are_accepted():
    assert answer_object(reply('{"a": "one\ntwo\tthree"}')) == {"a": "one\ntwo\tthree"}


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (reply(TEXT, finish="length"), "cut_reply"),
        (reply("", finish="content_filter"), "filtered_reply"),
        (reply(None, refusal="I will not."), "teacher_refused"),
        (reply("  "), "empty_reply"),
        (reply("I would rather not say."), "no_json"),
        (reply('{"questions": ["Why?"'), "no_json"),
        (Reply("k", "<html>", "m", 0, 0), "unreadable_reply"),
        (Reply("k", '{"choices": []}', "m", 0, 0), "unreadable_reply"),
    ],
)
def test_what_cannot_be_read_has_a_cause_of_its_own(bad, cause):
    with pytest.raises(Unreadable) as caught:
        answer_object(bad)
    assert caught.value.cause == cause


@given(st.dictionaries(st.text(), st.text()))
def test_any_object_survives_the_wrapping(value):
    text = json.dumps(value, ensure_ascii=False)
    assert answer_object(reply(f"```json\n{text}\n```")) == value


@given(st.lists(st.sampled_from(["\ud83d", "\ude00", "\U0001f600", "a", "\n"])).map("".join))
def test_half_a_character_becomes_the_sign_for_one_and_whole_ones_stay(text):
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    said = answer_object(reply(json.dumps({"a": text})))["a"]
    assert said.encode().decode() == said
    assert said.replace("\ufffd", "") == whole.replace("\ufffd", "")


@given(st.text())
def test_no_reply_crashes_the_reader(content):
    try:
        answer_object(reply(content))
    except Unreadable as fault:
        assert fault.cause


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("1. Why?", "Why?"),
        ("(12) Why?", "Why?"),
        ("- Why?", "Why?"),
        ('"Why?"', "Why?"),
        ("“Why  me?”", "Why me?"),
        ('Is "no" an answer?', 'Is "no" an answer?'),
        ("1.5 litres or 2?", "1.5 litres or 2?"),
    ],
)
def test_list_marks_and_wrapping_quotes_go_and_nothing_else(raw, line):
    assert tidied(raw) == line
