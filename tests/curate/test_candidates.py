"""What is worth comparing is found: keys of words and texts, the sorted runs they stand in, and the sieve."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.duplicates import index as index_module
from pipeline.curate.duplicates.comparing import Known
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.hashing import hashed
from pipeline.curate.duplicates.index import Duplicates
from pipeline.curate.duplicates.runs import Runs
from pipeline.curate.duplicates.wording import shared, words
from pipeline.recipe import Checks
from pipeline.records import normalised

vocabulary = ["the", "a", "A", "one", "you", "please", "why", "listening", "well-meant", "1.5", "倾听的第一步", "être"]
questions = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(vocabulary), max_size=8).map(" ".join))


@settings(max_examples=60, deadline=None)
@given(st.lists(questions, max_size=6))
def test_a_text_has_the_same_keys_alone_and_among_others(texts):
    together = hashed(texts)
    begins = np.cumsum(together.sizes) - together.sizes
    for number, text in enumerate(texts):
        alone = hashed([text])
        own = together.keys[begins[number] : begins[number] + together.sizes[number]]
        assert own.tolist() == alone.keys.tolist()
        assert together.texts[number] == alone.texts[0]
        assert len(own) == len(words(normalised(text)))
        assert own.tolist() == hashed([normalised(text)]).keys.tolist()


@settings(max_examples=100, deadline=None)
@given(questions, questions)
def test_texts_that_repeat_each_other_have_one_key(one, other):
    if Known(Entry("1", one)).repeats(Known(Entry("2", other)), "en"):
        assert len(set(hashed([one, other]).texts.tolist())) == 1


def test_words_and_the_order_of_words_tell_texts_apart():
    texts = [
        "what is denial",
        "is what denial",
        "what is diversion",
        "what is",
        "what is denial denial",
        "wha tis denial",
    ]
    assert len(set(hashed(texts).texts.tolist())) == len(texts)


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=9), max_size=9),
    asked=st.lists(st.integers(0, 7), max_size=5),
    most=st.integers(1, 4),
    kept=st.integers(0, 90),
)
def test_runs_find_the_latest_positions_under_a_key(batches, asked, most, kept):
    runs, standing = Runs(), [key for batch in batches for key in batch]
    for number, batch in enumerate(batches):
        first = sum(map(len, batches[:number]))
        runs.add(np.array(batch, np.uint32), first + np.arange(len(batch)))
    runs.forget(kept)
    found = [[] for _ in asked]
    for which, places in runs.find(np.array(asked, np.uint32), most):
        for number, place in zip(which.tolist(), places.tolist(), strict=True):
            found[number].append(place)
    for key, places in zip(asked, found, strict=True):
        under = [place for place, other in enumerate(standing[:kept]) if other == key]
        assert sorted(places) == under[-most:]


some_words = st.lists(
    st.sampled_from("why how listen help people feedback email work answer learn".split()), max_size=9
)


@settings(max_examples=15, deadline=None)
@given(st.lists(some_words.map(" ".join), max_size=40))
def test_whatever_shares_enough_words_with_an_earlier_question_is_not_missed(texts):
    sequence = [Entry(f"id{number}", text, f"fact{number}") for number, text in enumerate(texts)]
    terms = Terms.of(Checks(), "en")
    before = index_module.BATCH
    index_module.BATCH = 8  # so that some stand in blocks, and some in the batch under way
    try:
        with Duplicates(None, terms) as index:
            findings = index.compare(sequence)
    finally:
        index_module.BATCH = before
    standing: list[set[str]] = []
    for text, finding in zip(texts, findings, strict=True):
        mine = words(normalised(text))
        if any(shared(mine, other) >= terms.similar_question for other in standing):
            assert finding.verdict != "passed"
        if finding.verdict != "rejected":
            standing.append(mine)
