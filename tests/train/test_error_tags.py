"""What a program finds wrong with an answer."""

from __future__ import annotations

import pytest

from tests.train.made_up_course import PROMPT_FORMAT, REFUSAL, course_rows
from train.examination.error_tags import TAGS_IN_WORDS, ErrorTags
from train.generation import Answer

ROWS = course_rows(concepts=3)
TAGS = ErrorTags([row for rows in ROWS.values() for row in rows], [REFUSAL], PROMPT_FORMAT, "en")
ASKED = ROWS["train"][0]
GERMAN = "Das ist die Gewohnheit, einem anderen Menschen ganz genau zuzuhören, ehe man selbst ein Wort sagt."
REFUSED = next(row for row in ROWS["train"] if row.refusal)


def tags(text: str, row=ASKED, stopped_by="end") -> set[str]:  # type: ignore[no-untyped-def]
    return set(TAGS.of(row, Answer(text, stopped_by)))


def test_every_tag_that_is_found_is_in_the_table() -> None:
    salad = "Question: 77 " + "listning to to to " * 20
    assert tags(salad, stopped_by="limit") <= set(TAGS_IN_WORDS)
    assert {"truncated", "repetitive", "too_long", "misspelt", "invented_number", "leaked_prompt"} <= tags(
        salad, stopped_by="limit"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"empty"}),
        (REFUSAL, {"refused"}),
        (f"{REFUSAL} {REFUSAL}", {"partial_refusal", "repetitive"}),
        ("Active.", {"too_short"}),
        (ASKED.answer.replace("attention", "atention"), {"misspelt"}),
        (ASKED.answer.replace("habit", "habits"), set()),
        (ASKED.answer.replace("habit", "custom"), set()),
        (ASKED.answer.replace("your full", "42 percent"), {"invented_number"}),
        (GERMAN, {"off_language"}),
    ],
)
def test_an_answer_is_tagged_by_what_is_wrong_with_it(text: str, found: set[str]) -> None:
    assert "attention" in ASKED.answer
    assert tags(text) == found


def test_another_facts_answer_and_a_missing_refusal_are_told() -> None:
    other = next(row for row in ROWS["train"] if not row.refusal and row.answer != ASKED.answer)
    assert "another_fact" in tags(other.answer)
    assert tags(ASKED.answer, REFUSED) >= {"answered", "another_fact"}
    assert tags(REFUSAL, REFUSED, "limit") == {"truncated"}


def test_a_number_of_the_question_or_quote_is_not_invented() -> None:
    row = ASKED.model_copy(update={"quote": "It was 1,250 in 1999."})
    assert "invented_number" not in tags("In 1999 it was 1250.", row)
    assert "invented_number" in tags("In 1998 it was 1250.", row)
