"""A worked answer that disagrees with what a program computes is a rejection, and a sound one never is."""

from __future__ import annotations

import json
import re

import pytest

from pipeline.arithmetic import value
from pipeline.curate.computed import computed, sums, written_sums
from pipeline.records import Draft

TWO = ("7x + 10y = 17339", "x + y = 2000")
EQUATIONS = ("first = 20", "second = 2 * first", "third = (first + second) / 2", "answer = third - first")


def draft(answer: str = "It is 30 − 20 = 10.\nThe answer is 10.", result: str = "10", equations=EQUATIONS) -> Draft:
    return Draft(kind="math", question="How many more?", answer=answer, result=result, equations=equations, request="r")


@pytest.mark.parametrize(
    "one",
    [
        draft(),
        draft("She does ten more.\nThe answer is 10 sit-ups."),
        draft(equations=("answer = 20 / 3",), result="6.67", answer="It is 6.67.\nThe answer is 6.67."),
        draft(equations=TWO, result="x=887, y=1113", answer="The answer is x = 887 and y = 1113."),
        draft(equations=("price = 1200 * 15%",), result="$180", answer="The answer is $180."),
    ],
)  # fmt: skip
def test_a_result_that_the_equations_come_to_passes(one):
    assert computed(one).verdict == "passed"


@pytest.mark.parametrize(
    "one",
    [
        draft(result="12"),
        draft("It is 10.\nThe answer is 12."),
        draft("It is plenty."),
        draft(equations=TWO, result="x=1113, y=887", answer="The answer is x = 1113, y = 887."),
        draft(equations=(*EQUATIONS, "first = 21")),
    ],
)  # fmt: skip
def test_a_result_that_disagrees_is_rejected_with_both_figures(one):
    found = computed(one)
    assert (found.verdict, found.cause) == ("rejected", "wrong_result")
    assert found.detail


@pytest.mark.parametrize("equations", [(), ("answer = first * second",), ("what = ever and ever",), ("x + y = 3",)])
def test_what_no_program_can_compute_is_flagged_for_a_person(equations):
    found = computed(draft(equations=equations))
    assert (found.verdict, found.cause) == ("flagged", "not_computed")


def test_a_sum_that_is_wrong_on_the_way_is_rejected_though_the_end_is_right():
    found = sums(draft("It is 2 × 20 = 50.\nThe answer is 10."))
    assert (found.verdict, found.cause) == ("rejected", "wrong_sum")
    assert "it is 40" in found.detail


@pytest.mark.parametrize(
    "text",
    ["30 x 1/2 = 15", "about 20 / 3 = 6.7 each", "He has 3 1/2 - 2 = 1 1/2 hours", "$350 000 x 5/100 = $17500",
     "60 questions x 40/100 = 24", "(1/2) 278 + 11 = 150", "it is 52 - 8 - 28 = 16 miles", "2 + 3 = 5 × 4 = 20",
     "on 1/2 = 0.5 and 2024-05-03 = a date", "12,000 + 500 = 12,500"],
)  # fmt: skip
def test_sums_are_read_as_people_mean_them(text):
    assert sums(draft(text)).verdict == "passed"


def test_of_the_sums_that_people_wrote_for_grade_school_problems_only_wrong_ones_are_called_wrong(shared):
    wrong, looked_at = set(), 0
    for line in (shared / "data" / "gsm8k_test.jsonl").read_text(encoding="utf-8").split("\n"):
        answer = re.sub(r"<<.*?>>", "", json.loads(line)["answer"]) if line else ""
        for written, said in written_sums(answer):
            looked_at += 1
            if sums(draft(f"{written} = {said}")).verdict == "rejected":
                wrong.add((value(written, {}), said))
    assert looked_at > 3000
    assert wrong == {(91, "273"), (12, "300")}
