"""When two questions are one, and when they only look alike."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import normalised, plain_lines
from pipeline.words import Questions, alike, bare, content_words

ALIKE = [
    ("What is active listening?", "what is  active listening"),
    ("What is active listening?", "What is active listning?"),
    ("Why should you paraphrase what the other person said in a heated meeting?",
     "Why should one paraphrase what the other person said in a heated meeting?"),
]  # fmt: skip
THE_SAME = [
    ("What is active listening?", "what is  active listening"),
    ("What is the active listening?", "Please, what is active listening exactly?"),
    ("Why should you paraphrase what the other person said?", "Why should one paraphrase what the other person said?"),
]
DIFFERENT = [
    ("What is denial?", "What is diversion?"),
    ("What is the limit for A?", "What is the limit for B?"),
    ("Why do people interrupt each other in long meetings?", "How do people interrupt each other in long meetings?"),
    ("Is it good to reply at once to an angry email?", "Is it not good to reply at once to an angry email?"),
    ("How many people fit in a meeting of 15 minutes?", "How many people fit in a meeting of 1.5 minutes?"),
    ("Does shouting cause fear in a team at work?", "Does fear cause shouting in a team at work?"),
    ("Is that behaviour called moral by the whole team?", "Is that behaviour called amoral by the whole team?"),
]
MORE_DIFFERENT = [
    ("How is a file converted from PDF to Word by hand?", "How is a file converted to PDF from Word by hand?"),
    ("When must a tenant give notice to the owner?", "When may a tenant give notice to the owner?"),
    ("Does it need a visa and a passport?", "Does it need a visa or a passport?"),
    ("What is the county tax of this year?", "What is the country tax of this year?"),
    ("What does grade A mean?", "What does the grade mean?"),
    ("Who was the president in 1990?", "Who is the president in 1990?"),
    ("¿Quién vio a María?", "¿A quién vio María?"),
    ("What is C++?", "What is C#?"),
    ("What is 3 + 4?", "What is 3 - 4?"),
    ("What is 3 * 4?", "What is 3 / 4?"),
    ("What is 5% of 40?", "What is $5 of 40?"),
    ("Why does it freeze at -5 degrees?", "Why does it freeze at 5 degrees?"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_questions_that_differ_in_slips_and_function_words_are_alike(one, other):
    assert alike(one, other, 90)


@pytest.mark.parametrize(("one", "other"), THE_SAME)
def test_questions_that_differ_in_trifles_are_the_same(one, other):
    questions = Questions()
    questions.add("a", "How do ships float on water?")
    questions.add("b", one)
    questions.add("c", other)
    assert questions.like(other) == "b"


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_minimal_pairs_are_not_alike(one, other):
    assert not alike(one, other, 80)


@pytest.mark.parametrize(("one", "other"), DIFFERENT + MORE_DIFFERENT)
def test_minimal_pairs_are_different_questions(one, other):
    questions = Questions()
    questions.add("a", one)
    assert questions.like(other) is None


def test_in_other_languages_every_word_counts():
    assert bare("Warum die the Frage?", "de") == normalised("Warum die the Frage?")


def test_decimals_are_not_whole_numbers():
    assert normalised("1.5 litres.") == "1.5 litres"
    assert normalised("1.5") != normalised("15")


@given(st.text(), st.text())
def test_alikeness_is_symmetric_and_reflexive(one, other):
    assert alike(one, one, 90)
    assert alike(one, other, 90) == alike(other, one, 90)


@given(st.text())
def test_content_words_are_words_of_the_normalised_text(text):
    assert set(content_words(text)) <= set(normalised(text).split())


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_for_plain_text_is_the_long_way(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = r"(?<=\d)[^\w\s]\d|(?<=\d )[-*/] \d|(?<!\w)-\d|[+<=>%$#]"
    spaced = " ".join(folded.split())
    assert normalised(text) == " ".join(re.sub(rf"(?!{kept})[^\w\s]", " ", spaced).split())


@given(st.lists(st.text(alphabet="aB 0159.-*/$%,?\n\t\x1fé½Ａ_") | st.text()))
def test_many_texts_are_normalised_like_each_alone(texts):
    lines, alone = plain_lines(texts)
    if texts:
        found = lines.decode("utf-8", "surrogatepass").split("\n")
        assert len(found) == len(texts)
        for number, text in enumerate(texts):
            assert number in alone or " ".join(found[number].split()) == normalised(text)
    assert not [number for number in alone if texts[number].isascii() and texts[number].isalpha()]
