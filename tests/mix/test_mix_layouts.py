"""How rows are laid out, and what is made of their turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mix.layouts import Turns, Unusable, layout_of, named_by, says_nothing
from pipeline.mix.settings import Fields

ASKED, TOLD = "Why is the sky blue?", "Because short waves scatter most."
MESSAGES = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": TOLD}]
SHAREGPT = [{"from": "human", "value": ASKED}, {"from": "gpt", "value": TOLD}]


def turns(row: dict, wanted: str = "auto") -> Turns:
    layout = layout_of(row, wanted)
    assert layout is not None
    return layout.turns(row)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("messages", {"messages": MESSAGES, "source": "x"}),
        ("messages", {"Messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}, MESSAGES[1]]}),
        ("sharegpt", {"id": "1", "conversations": SHAREGPT}),
        ("sharegpt", {"conversation": [{"from": "User", "value": ASKED}, {"from": "Assistant", "value": TOLD}]}),
        ("alpaca", {"instruction": ASKED, "input": "", "output": TOLD}),
        ("alpaca", {"Instruction": ASKED, "Response": TOLD}),
        ("prompt_completion", {"prompt": f" {ASKED}\n", "completion": f" {TOLD}"}),
        ("prompt_completion", {"prompt": MESSAGES[:1], "completion": MESSAGES[1:]}),
        ("question_answer", {"question": ASKED, "answer": TOLD}),
        ("question_answer", {"problem": ASKED, "solution": TOLD}),
        ("question_answer", {"1": ASKED, "2": TOLD}),
    ],
)
def test_a_row_is_recognised_and_read(name, row):
    layout = layout_of(row)
    assert layout is not None
    assert layout.name == name
    assert layout.turns(row) == Turns(ASKED, TOLD)


def test_the_last_turn_is_the_question_and_those_before_it_stay_before_it():
    row = {"conversations": [*SHAREGPT, {"from": "human", "value": "And at dusk?"}, {"from": "gpt", "value": "Red."}]}
    assert turns(row) == Turns("And at dusk?", "Red.", earlier=(ASKED, TOLD))


def test_a_greeting_before_the_first_question_and_a_question_without_an_answer_are_left_out():
    row = {"messages": [{"role": "assistant", "content": "Hello!"}, *MESSAGES, {"role": "user", "content": "Thanks"}]}
    assert turns(row) == Turns(ASKED, TOLD)


def test_an_input_is_context_and_a_system_prompt_is_told_apart():
    assert turns({"instruction": "Sum it up.", "input": "A long text.", "output": "Short."}).context == "A long text."
    system = {"role": "system", "content": "Answer as a sailor."}
    assert turns({"messages": [system, *MESSAGES]}) == Turns(ASKED, TOLD, system="Answer as a sailor.")
    assert turns({"system": "Be brief.", "conversations": SHAREGPT}).system == "Be brief."


@pytest.mark.parametrize(
    ("cause", "row"),
    [
        ("no_question", {"question": " ", "answer": TOLD}),
        ("no_answer", {"question": ASKED, "answer": None}),
        ("not_text", {"question": ASKED, "answer": {"text": TOLD}}),
        ("no_turns", {"messages": "user: hello"}),
        ("no_turns", {"messages": []}),
        ("no_answer", {"messages": MESSAGES[:1]}),
        ("strange_role", {"messages": [*MESSAGES, {"role": "tool", "content": "42"}]}),
        ("turns_out_of_order", {"messages": [MESSAGES[0], *MESSAGES]}),
        ("empty_turn", {"messages": [MESSAGES[0], {"role": "assistant", "content": ""}, *MESSAGES]}),
    ],
)
def test_a_row_that_is_no_question_with_its_answer_says_why(cause, row):
    with pytest.raises(Unusable) as fault:
        turns(row)
    assert fault.value.cause == cause


def test_columns_of_other_names_are_named_by_the_recipe():
    assert layout_of({"frage": ASKED, "antwort": TOLD}) is None
    layout = named_by(Fields(question="frage", answer="antworten.0.text"))
    assert layout.columns == ["frage", "antworten"]
    assert layout.turns({"frage": ASKED, "antworten": [{"text": TOLD}]}) == Turns(ASKED, TOLD)


def test_a_number_is_a_text():
    assert turns({"question": "What is 6 x 7?", "answer": 42}).answer == "42"


def test_a_format_that_is_named_is_not_guessed():
    row = {"prompt": ASKED, "completion": TOLD, "question": "q", "answer": "a"}
    assert turns(row, "question_answer") == Turns("q", "a")
    assert layout_of(row, "alpaca") is None


@pytest.mark.parametrize("nothing", ["You are a helpful assistant.", "you are an AI assistant", "You're a chatbot!"])
def test_a_system_prompt_that_says_nothing_is_known(nothing):
    assert says_nothing(nothing)
    assert not says_nothing(nothing.rstrip(".!") + " who answers in French.")


KEYS = st.sampled_from(["role", "content", "from", "value", "question", "answer", "messages"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["user", "gpt"]),
    lambda inside: st.lists(inside) | st.dictionaries(KEYS, inside),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_stands_in_a_row_it_is_turns_or_a_cause(value):
    for row in ({"messages": value}, {"conversations": value}, {"question": value, "answer": value}):
        layout = layout_of(row)
        assert layout is not None
        try:
            found = layout.turns(row)
        except Unusable as fault:
            assert fault.cause
            assert fault.detail
        else:
            assert found.question
            assert found.answer
            assert len(found.earlier) % 2 == 0
