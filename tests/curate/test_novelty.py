"""A made-up task is new, can be done in text, and its label is one of the set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.novelty import Novelty, for_text, label_of_set, rouge_l
from pipeline.records import Draft, content_id


def draft(question: str, **more) -> Draft:
    values = {"kind": "self_instruct", "question": question, "answer": "yes", "request": "r",
              "fact": content_id("self_instruct", question)} | more  # fmt: skip
    return Draft(**values)


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence():
    assert rouge_l("police killed the gunman".split(), "police kill the gunman".split()) == 0.75
    assert rouge_l("a b c d".split(), "d c b a".split()) == 0.25
    assert rouge_l([], ["a"]) == 0.0


def test_a_task_that_asks_almost_the_same_is_rejected_with_its_partner():
    novelty = Novelty(0.7)
    first, same, other = novelty.findings(
        [draft("Give three tips for staying healthy."), draft("Give three good tips for staying healthy."),
         draft("Name the capital of the country.")]
    )  # fmt: skip
    assert first.verdict == other.verdict == "passed"
    assert (same.verdict, same.cause) == ("rejected", "not_novel")
    assert same.partner == content_id("self_instruct", "give three tips for staying healthy")


def test_an_example_of_the_prompt_given_back_is_nothing_new_and_instances_of_one_task_are_one():
    novelty = Novelty(0.7, ["Give the sum of the numbers."])
    again, spam, ham = novelty.findings(
        [draft("Give the sum of numbers."), draft("Is it spam?", context="Win!"), draft("Is it spam?", context="Hi.")]
    )
    assert again.cause == "not_novel" and spam.verdict == ham.verdict == "passed"


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9).map(" ".join), max_size=25))
def test_the_nearest_task_is_found_as_if_all_were_compared(questions):
    """Whatever is skipped could not have been near enough."""
    kept: list[list[str]] = []
    drafts = [draft(question, fact=str(number)) for number, question in enumerate(questions)]
    for one, found in zip(drafts, Novelty(0.7).findings(drafts), strict=True):
        text = one.question.split()
        near = any(rouge_l(text, other) >= 0.7 for other in kept)
        assert (found.verdict == "rejected") == near
        if not near:
            kept.append(text)


@pytest.mark.parametrize(
    "question", ["Describe the picture.", "Draw a cat.", "Send an email to Bob.", "Plot the graph."]
)
def test_what_text_alone_cannot_do_is_rejected(question):
    assert for_text(draft(question)).cause == "not_for_text"


def test_a_label_outside_its_set_is_rejected():
    assert label_of_set(draft("Spam?", labels=("yes", "no"))).verdict == "passed"
    assert label_of_set(draft("Spam?", labels=("spam", "not spam"))).cause == "label_not_in_set"
    assert label_of_set(draft("Spam?")).verdict == "passed"
