"""Passages are verbatim slices that stay under one heading and one limit, and know their pages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import cut_passages, estimate_tokens, unique_passages
from tests.sources.made_up_documents import document

LINE = st.text(alphabet=st.sampled_from("abcXYZ .,;!?é好7-"), min_size=1, max_size=120).map(
    lambda text: " ".join(text.split()) or "a"
)
BLOCK = st.one_of(
    st.tuples(st.sampled_from(["prose", "item", "row"]), LINE),
    st.tuples(st.just("heading"), LINE, st.integers(0, 3)),
)
DOCUMENT = st.lists(st.lists(BLOCK, min_size=1, max_size=6), min_size=1, max_size=4).map(lambda pages: document(*pages))


@settings(max_examples=150, deadline=None)
@given(DOCUMENT, st.integers(8, 60))
def test_every_passage_is_a_slice_within_the_limit_and_knows_its_pages(made, limit):
    starts = {}
    place = 0
    for page in made.pages:
        starts[page.number] = place
        place += len(page.text) + 1
    passages = cut_passages(made, limit)
    for passage in passages:
        assert passage.text == made.text[passage.start : passage.end]
        assert estimate_tokens(passage.text) <= limit
        for offset in range(len(passage.text)):
            expected = max(number for number, start in starts.items() if start <= passage.start + offset)
            assert passage.page_at(offset) == expected
    assert all(one.end <= other.start for one, other in pairwise(passages))


@settings(max_examples=100, deadline=None)
@given(DOCUMENT, st.integers(8, 60))
def test_no_word_of_the_text_is_lost_between_passages(made, limit):
    blocks = [block for page in made.pages for block in page.blocks]
    body = [block for block in blocks if block.kind != "heading"] or blocks
    wanted = "".join(mark for block in body for mark in block.text if mark.isalnum())
    assert "".join(mark for passage in cut_passages(made, limit) for mark in passage.text if mark.isalnum()) == wanted


def test_a_passage_carries_its_headings_and_never_straddles_one():
    made = document(
        [
            ("heading", "Listening", 1),
            ("prose", "Listen first."),
            ("heading", "Silence", 2),
            ("prose", "Wait."),
            ("item", "1. Count to ten."),
        ],
        [("heading", "Speaking", 1), ("prose", "Speak last.")],
    )
    assert [(passage.heading, passage.text, passage.page) for passage in cut_passages(made, 100)] == [
        (("Listening",), "Listen first.", 1),
        (("Listening", "Silence"), "Wait.\n1. Count to ten.", 1),
        (("Speaking",), "Speak last.", 2),
    ]


def test_display_type_without_a_depth_parts_passages_but_heads_none():
    made = document([("heading", "Restricted", 0), ("prose", "One."), ("heading", "Draft", 0), ("prose", "Two.")])
    assert [(passage.heading, passage.text) for passage in cut_passages(made, 100)] == [((), "One."), ((), "Two.")]


def test_a_long_paragraph_is_cut_between_sentences_and_a_long_sentence_after_a_clause():
    sentence = "A listener who waits, and who asks before answering, hears more than the others do."
    made = document([("prose", f"{sentence} {sentence} {sentence}")])
    assert {passage.text for passage in cut_passages(made, estimate_tokens(sentence))} == {sentence}
    assert cut_passages(made, 12)[0].text == "A listener who waits,"


def test_a_word_without_end_is_cut_at_last():
    made = document([("prose", "a" * 500)])
    passages = cut_passages(made, 10)
    assert "".join(passage.text for passage in passages) == "a" * 500
    assert all(estimate_tokens(passage.text) <= 10 for passage in passages)


def test_the_same_text_has_the_same_id_in_any_file_and_is_kept_once():
    first = document([("prose", "Listen first.")], name="one.md")
    second = document([("heading", "Rules", 1), ("prose", "Listen  first!".replace("  ", " "))], name="two.md")
    passages = [*cut_passages(first, 50), *cut_passages(second, 50)]
    assert passages[0].id == passages[1].id
    assert [passage.document for passage in unique_passages(passages)] == ["one.md"]


def test_a_limit_too_small_for_any_sentence_is_refused():
    with pytest.raises(ValueError, match="max_tokens"):
        cut_passages(document([("prose", "Listen.")]), 3)


def test_the_estimate_is_above_what_gpt_2_makes_of_english():
    counted = {
        # measured with GPT-2's own vocabulary
        "A sentence such as “So you were left waiting and nobody told you why” gives the speaker a chance.": 24,
        "Interruptions that ask for a missing fact do less harm than interruptions that change the subject.": 20,
    }
    for text, tokens in counted.items():
        assert tokens <= estimate_tokens(text) <= 2 * tokens
