"""A persona's answers: what is stated that nobody can trace is flagged, and so is a phrase that wears out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.constraints import Bounds, Constraints
from pipeline.curate import Material, Origin, curate
from pipeline.curate.persona import Said, catch_phrases, facts_in, keeps_constraints, unknown_facts
from pipeline.recipe import Checks
from pipeline.records import Draft


def draft(answer: str, question: str = "What keeps you awake?") -> Draft:
    return Draft(kind="persona", question=question, answer=answer, persona="Ada", fact=question, request="r")


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ("Nothing much, and certainly not tea.", []),
        ("I sold 3,000 pots in 1987.", ["3,000", "1987"]),
        ("My friend Kevin Smith sailed to Rome.", ["Kevin", "Smith", "Rome"]),
        ("The boring truth: Soup. Really? Yes! Soup.", []),
        ("As O'Neill's cook I know.", ["O'Neill"]),
        ("'Officer Tom was here.' Nothing else. “Soup is Soup.” #SoupForAll", []),
        ("On Monday I'm in the AI kitchen.", []),
        ("Я видел Москву в 1999.", ["1999", "Москву"]),
        ("我在2020年去过北京。", ["2020"]),
    ],
)
def test_numbers_and_names_are_facts(answer: str, facts: list[str]) -> None:
    assert sorted(facts_in(answer, "en")) == sorted(facts)


def test_a_german_noun_is_no_name() -> None:
    assert facts_in("Die Suppe kocht seit 1987 im Topf.", "de") == ["1987"]


def test_a_fact_is_known_if_the_persona_or_the_question_names_it() -> None:
    one = draft("Tom's 40 pots, and a pan from Oslo.", "Where did Oslo's pan come from?")
    assert unknown_facts(one, "name: Ada\nshe works with Tom", "en", 0).measured == "1 facts, at most 0: 40"
    assert unknown_facts(one, "Tom has 40 pots", "en", 0).verdict == "passed"
    found = unknown_facts(one, "", "en", 0)
    assert (found.verdict, found.cause) == ("flagged", "unknown_fact")
    assert unknown_facts(one, "", "en", 2).verdict == "passed"


def test_constraints_are_measured() -> None:
    limits = Constraints(words=Bounds(min=1, max=3), emoji=Bounds(max=1))
    assert keeps_constraints(draft("Soup, dear."), limits).verdict == "passed"
    broken = keeps_constraints(draft("Soup, dear, and more of it 🍲🍲"), limits)
    assert (broken.verdict, broken.cause) == ("rejected", "breaks_constraint")
    assert broken.measured == "6 words, at most 3; 2 emoji, at most 1"


def many(plain: int, worn: int) -> list[Said]:
    said = [Said(f"p{number}", f"Answer {number} tells thing{number} about pot{number}.") for number in range(plain)]
    return said + [Said(f"w{number}", f"Pot{number}. The universe enjoys irony.") for number in range(worn)]


def test_a_phrase_may_be_held_by_the_cap_and_what_is_above_is_flagged() -> None:
    found = catch_phrases(many(90, 10), 0.05, 1)
    assert len(found) == 5
    assert {finding.cause for finding in found.values()} == {"catch_phrase"}
    assert {finding.measured for finding in found.values()} == {
        "'the universe enjoys irony' in 10 of 100 answers, at most 5"
    }
    assert catch_phrases(many(90, 10), 0.1, 1) == {}
    assert catch_phrases(many(90, 10), 0.05, 10) == {}


@settings(deadline=None, max_examples=40)
@given(st.permutations(many(20, 10)))
def test_which_are_flagged_does_not_depend_on_their_order(said: list[Said]) -> None:
    assert catch_phrases(said, 0.1, 1).keys() == catch_phrases(many(20, 10), 0.1, 1).keys()


def test_a_worn_phrase_is_found_among_many_answers_and_rare_ones_are_let_go() -> None:
    class Answers:
        def __iter__(self) -> Iterator[Said]:
            for number in range(20_000):
                worn = "Back of the envelope." if number % 15 == 0 else f"Word{number} is word{number + 1}."
                yield Said(str(number), f"Thing{number} of thing{number + 7}. {worn}")

    found = catch_phrases(Answers(), 0.05, 1)
    assert len(found) == pytest.approx(20_000 / 15 - 1000, abs=1)


def test_every_voice_answer_of_a_run_is_checked() -> None:
    material = Material({}, lambda key: Origin("m", "p"), Constraints(), "name: Ada")
    record, shouted = curate(
        [draft("Kevin took it. I saw Kevin."), draft("Soup 🍲", "What of the soup?")], material, Checks()
    )
    assert record.flags == ("unknown_fact",)
    assert shouted.cause == "breaks_constraint"
