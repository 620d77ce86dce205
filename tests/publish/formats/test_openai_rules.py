"""A file is held against the published rules of OpenAI's fine-tuning service: each fault by line, and none too many."""

from __future__ import annotations

import json

import pytest

from pipeline.publish.formats.openai_rules import BYTES_PER_TOKEN, MOST_TOKENS, faults

ASK = {"role": "user", "content": "How long is the Elbe?"}
TELL = {"role": "assistant", "content": "1,094 km."}
GOOD = {"messages": [ASK, TELL]}
PAIR = {
    "input": {"messages": [ASK]},
    "preferred_output": [TELL],
    "non_preferred_output": [{**TELL, "content": "Long."}],
}


def found(tmp_path, lines, name="train.jsonl"):
    path = tmp_path / name
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return [(fault.line, fault.what) for fault in faults(path)]


def of_one(tmp_path, line, like=GOOD):
    """The faults of a file whose third line this is and whose others are good."""
    every = found(tmp_path, [like, like, line, *[like] * 9])
    assert {number for number, _ in every} <= {3}
    return [what for _, what in every]


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        {"messages": [{"role": "system", "content": "Brief."}, ASK, {**TELL, "weight": 0}, ASK, {**TELL, "weight": 1}]},
        {"messages": [{**ASK, "name": "Ada"}, TELL]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "How long?"}]}, TELL]},
        {
            "messages": [ASK, {"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]},
                         {"role": "tool", "tool_call_id": "a", "content": "1094"}, TELL],
            "tools": [{"type": "function"}], "parallel_tool_calls": False,
        },
    ],
)  # fmt: skip
def test_what_the_rules_allow_is_no_fault(tmp_path, line):
    assert of_one(tmp_path, line) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "an empty line"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        ([], "expected an object, found list"),
        ({}, "messages: missing"),
        ({"messages": []}, "messages: expected 1 at least"),
        ({"messages": "hello"}, "messages: "),
        ({"messages": [ASK]}, "the last message is from user"),
        ({"messages": [TELL, ASK]}, "the last message is from user"),
        ({"messages": [ASK, {**TELL, "weight": 0}]}, "nothing of it would be trained"),
        ({"messages": [ASK, {**TELL, "weight": 2}]}, "messages.1.weight: expected 0 or 1, found 2"),
        ({"messages": [ASK, {**TELL, "weight": 0.5}]}, "messages.1.weight: expected 0 or 1, found 0.5"),
        ({"messages": [ASK, {**TELL, "weight": True}]}, "messages.1.weight: expected 0 or 1, found True"),
        ({"messages": [{**ASK, "weight": 1}, TELL]}, "messages.0.weight: no field of this format"),
        ({"messages": [{"role": "human", "content": "?"}, TELL]}, "messages.0: expected one of system, user"),
        ({"messages": [{"content": "?"}, TELL]}, "messages.0: a message without a role"),
        ({"messages": [{"role": "user"}, TELL]}, "messages.0.content: missing"),
        ({"messages": [{**ASK, "content": ""}, TELL]}, "messages.0.content: expected text, found nothing"),
        ({"messages": [{**ASK, "content": 3}, TELL]}, "messages.0.content: expected text, found int"),
        ({"messages": [ASK, {**TELL, "content": ""}]}, "messages.1: expected text or a tool call"),
        ({"messages": [ASK, {"role": "tool", "tool_call_id": "b", "content": "1"}, TELL]}, "no call before it"),
        ({"messages": [ASK, TELL], "id": "7"}, "id: no field of this format"),
        ({"messages": [{**ASK, "content": "long " * MOST_TOKENS}, TELL]}, "tokens, reckoned at"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_chat_example_that_breaks_a_rule_is_named_with_it(tmp_path, line, said):
    assert any(said in what for what in of_one(tmp_path, line))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({**PAIR, "input": {"messages": [ASK, TELL]}}, "the last message is from the assistant"),
        ({**PAIR, "input": {"messages": []}}, "input.messages: expected 1 at least"),
        ({**PAIR, "input": "How long?"}, "input: expected an object"),
        ({**PAIR, "preferred_output": []}, "preferred_output: expected 1 at least, found 0"),
        ({**PAIR, "preferred_output": [TELL, TELL]}, "preferred_output: expected 1 at most, found 2"),
        ({**PAIR, "non_preferred_output": [ASK]}, "non_preferred_output.0.role: expected 'assistant'"),
        ({"input": PAIR["input"], "preferred_output": [TELL]}, "non_preferred_output: missing"),
        ({**PAIR, "reason": "?"}, "reason: no field of this format"),
        ({**PAIR, "preferred_output": [{**TELL, "content": "x" * MOST_TOKENS * BYTES_PER_TOKEN}]}, "reckoned at"),
        (GOOD, "a chat example in a file of preference examples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_preference_example_that_breaks_a_rule_is_named_with_it(tmp_path, line, said):
    assert of_one(tmp_path, PAIR, like=PAIR) == []
    assert any(said in what for what in of_one(tmp_path, line, like=PAIR))


def test_a_file_of_nine_examples_is_too_short_and_one_of_ten_is_not(tmp_path):
    assert found(tmp_path, [GOOD] * 10) == []
    assert found(tmp_path, [GOOD] * 9) == [(0, "9 examples; the service asks for 10 at least")]


def test_a_file_of_another_name_is_not_taken(tmp_path):
    assert [line for line, _ in found(tmp_path, [GOOD] * 10, "train.json")] == [0]


def test_a_long_example_within_the_limit_is_no_fault(tmp_path):
    assert of_one(tmp_path, {"messages": [{**ASK, "content": "x" * (MOST_TOKENS - 20) * BYTES_PER_TOKEN}, TELL]}) == []
