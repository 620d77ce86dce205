"""A typing slip is one slip, always the same, and never another word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from pipeline.publish.typos import with_typo

QUESTIONS = (
    "What is the largest lake in Africa?",
    "Why does gossip damage trust?",
    "Was sagt man über die größten Seen?",
    "Что такое активное слушание?",
)


def test_a_question_gets_one_slip_in_one_word_and_always_the_same():
    for question in QUESTIONS:
        slipped = with_typo(question, ())
        assert slipped == with_typo(question, ())
        assert OSA.distance(question, slipped) == 1
        changed = [(one, other) for one, other in zip(question.split(), slipped.split(), strict=True) if one != other]
        assert len(changed) == 1
        assert changed[0][0][0] == changed[0][1][0]
        assert len(changed[0][0].strip("?")) >= 4


def test_all_four_kinds_of_slip_are_made():
    slips = [(f"Which number is {word}?", with_typo(f"Which number is {word}?", ())) for word in map(_word, range(300))]
    lengths = {len(slipped) - len(question) for question, slipped in slips}
    same = [(question, slipped) for question, slipped in slips if len(slipped) == len(question)]
    swapped = [sorted(question) == sorted(slipped) for question, slipped in same]
    assert lengths == {-1, 0, 1}
    assert set(swapped) == {True, False}


def _word(number: int) -> str:
    return "".join("bcdfgklmnp"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number:03}")


@given(st.sampled_from(QUESTIONS), st.data())
def test_a_slip_never_makes_a_word_that_is_known(question, data):
    made: set[str] = set()
    for _ in range(data.draw(st.integers(1, 30))):
        slipped = with_typo(question, made)
        (word,) = set(slipped.lower().strip("?").split()) - set(question.lower().strip("?").split())
        assert word not in made
        made.add(word)


def test_numbers_abbreviations_short_words_and_scripts_without_case_are_left_alone():
    for question in ("Is 1234567 odd?", "NASA or UNO?", "Who is he?", "主动倾听是什么意思？", "ما هو الاستماع الفعال؟"):
        assert with_typo(question, ()) is None


@given(st.text(max_size=80))
def test_any_text_gives_a_text_one_slip_away_or_none(text):
    slipped = with_typo(text, ())
    assert slipped is None or OSA.distance(text, slipped) == 1
