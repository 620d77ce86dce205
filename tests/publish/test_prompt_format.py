"""A question becomes the same prompt in the dataset, in training and at chat time."""

from __future__ import annotations

from pipeline.publish.schema import PromptFormat

FORMAT = PromptFormat("Question: {question}\nAnswer:")


def test_a_question_alone_is_the_prompt_format_filled_in():
    assert FORMAT.of("Why {braces}?") == "Question: Why {braces}?\nAnswer:"


def test_earlier_turns_stand_before_the_question_as_they_were_asked_and_answered():
    assert FORMAT.of("And how long?", earlier=("What is it?", "A pause.")) == (
        "Question: What is it?\nAnswer: A pause.\n\nQuestion: And how long?\nAnswer:"
    )


def test_what_is_shown_with_a_question_stands_before_all_turns():
    prompt = FORMAT.of("And how long?", "Pauses {take} a minute.", ("What is it?", "A pause."))
    assert prompt.startswith("Pauses {take} a minute.\n\nQuestion: What is it?")
    assert prompt.endswith("Question: And how long?\nAnswer:")
