"""A child asks something else than its parent, and its answer keeps the limits that its question names."""

from __future__ import annotations

import pytest

from pipeline.curate.evolved import keeps_limits, limits_in
from pipeline.records import Draft
from tests.draft.made_of_records import PARENTS, fate

SEAL = PARENTS[2]
WORDY = "A worn seal costs four euros and can be changed without tools."


def evolved(question: str, answer: str = WORDY, **more) -> Draft:
    values = dict(
        kind="evolve", question=question, answer=answer, quote=SEAL.quote, passage="p", fact=SEAL.fact,
        parent=SEAL.id, field="harder", request="r",
    )  # fmt: skip
    return Draft(**(values | more))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How much does a worn seal cost?", "same_as_parent"),
        ("Can you please tell me how much a worn seal does cost?", "same_as_parent"),
        ("How much does the worn seal really cost?", "same_as_parent"),
        ("How much does a worn seal cost, and is a tool needed to change it?", "record"),
        ("Ana finds water under the base of her kettle. What will the new seal cost her?", "record"),
        ("In one sentence: how much does a worn seal cost?", "record"),
        ("How much does a worn seal cost, in at most 5 words?", "breaks_limit"),
    ],
)
def test_a_child_that_asks_the_same_as_its_parent_is_rejected(question, expected):
    assert fate(evolved(question)) == expected


def test_a_child_rests_on_its_parents_passage():
    assert fate(evolved("Why is a seal changed by hand?", quote="A seal is changed by hand.")) == "quote_not_in_passage"
    assert fate(evolved("What would two worn seals cost?", "Two worn seals cost 77 euros.")) == "number_not_in_passage"


class Near:
    """Every text means the same."""

    name, dimensions = "near", 2

    def encode(self, texts):
        import numpy

        return numpy.tile(numpy.array([[1.0, 0.0]], dtype=numpy.float32), (len(texts), 1))


def test_the_same_in_other_words_is_the_same_unless_it_names_a_limit():
    other = evolved("What is the price that one pays for a seal that has worn out?")
    assert fate(other, embedder=Near()) == "same_as_parent"
    assert fate(evolved("How much does a worn seal cost, in one sentence?"), embedder=Near()) != "same_as_parent"


@pytest.mark.parametrize(
    ("asked", "answer", "kept"),
    [
        ("In at most 4 words, what is it?", "One two three four.", True),
        ("In at most 4 words, what is it?", "One two three four five.", False),
        ("In fewer than five words: what is it?", "One two three four five.", False),
        ("In 3 words or less, what is it?", "Only two.", True),
        ("In exactly two sentences, what is it?", "It is. So it is.", True),
        ("In exactly two sentences, what is it?", "It is.", False),
        ("In one sentence: what is it?", "“Is that clear?” seldom works.", True),
        ("In a single sentence, what is it?", "It is. So it is.", False),
        ("Using at least ten words, what is it?", "It is short.", False),
        ("What is it, without using the word “seal”?", "A seal.", False),
        ("What is it, without using the word “seal”?", "A sealed thing.", True),
        ("What is it, using the word “seal”?", "A thing.", False),
        ("What is it that takes ten words to say?", "A thing.", True),
    ],
)
def test_limits_are_measured(asked, answer, kept):
    found = keeps_limits(evolved(asked, answer))
    assert (found.verdict == "passed") == kept, found


def test_what_is_no_limit_on_the_answer_is_none():
    assert limits_in("Which two words end a letter?") == []
    assert limits_in("In a word, what is it?") == []
    assert limits_in("Is it within two sentences of the law?") != ["law"]
