"""When two questions are one, and when they only look alike."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import normalised
from pipeline.words import Questions, alike, content_words

ALIKE = [
    ("What is active listening?", "what is  active listening"),
    ("What is active listening?", "What is active listning?"),
    ("Why should you paraphrase what the other person said in a heated meeting?",
     "Why should one paraphrase what the other person said in a heated meeting?"),
]  # fmt: skip
DIFFERENT = [
    ("What is denial?", "What is diversion?"),
    ("What is the limit for A?", "What is the limit for B?"),
    ("Why do people interrupt each other in long meetings?", "How do people interrupt each other in long meetings?"),
    ("Is it good to reply at once to an angry email?", "Is it not good to reply at once to an angry email?"),
    ("How many people fit in a meeting of 15 minutes?", "How many people fit in a meeting of 1.5 minutes?"),
    ("Does shouting cause fear in a team at work?", "Does fear cause shouting in a team at work?"),
    ("Is that behaviour called moral by the whole team?", "Is that behaviour called amoral by the whole team?"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_questions_that_differ_in_trifles_are_alike(one, other):
    assert alike(one, other, 90)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_minimal_pairs_are_different_questions(one, other):
    assert not alike(one, other, 80)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_the_index_finds_what_is_alike(one, other):
    questions = Questions(90)
    questions.add("a", "How do ships float on water?")
    questions.add("b", one)
    assert questions.like(other) == ("b", one)


def test_of_several_alike_the_first_added_is_named():
    questions = Questions(90)
    questions.add("first", "What makes active listening hard for tired people?")
    questions.add("second", "What makes active listenin hard for tired people?")
    assert questions.like("What makes active listening hard for the tired people?")[0] == "first"


def test_decimals_are_not_whole_numbers():
    assert normalised("1.5 litres.") == "1.5 litres"
    assert normalised("1.5") != normalised("15")


@given(st.text(), st.text())
def test_alikeness_is_symmetric_and_reflexive(one, other):
    assert alike(one, one, 90)
    assert alike(one, other, 90) == alike(other, one, 90)


some_words = st.lists(
    st.sampled_from(["why", "listen", "help", "people", "the", "of", "feedback", "1.5", "email"]),
    min_size=1,
    max_size=8,
)


@given(some_words, some_words)
def test_the_index_misses_nothing_that_is_alike(one, other):
    left, right = " ".join(one), " ".join(other)
    questions = Questions(90)
    questions.add("x", left)
    if alike(left, right, 90):
        assert questions.like(right)


@given(st.text())
def test_content_words_are_words_of_the_normalised_text(text):
    assert set(content_words(text)) <= set(normalised(text).split())


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_for_plain_text_is_the_long_way(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    assert normalised(text) == " ".join(re.sub(r"(?<!\d)[^\w\s]|[^\w\s](?!\d)", " ", folded).split())
