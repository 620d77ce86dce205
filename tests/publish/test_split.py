"""The split leaks nothing, and no later batch moves a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.publish.schema import SLICES, TRAIN
from pipeline.publish.split import WITHHELD, prove_no_leak, split_records
from pipeline.recipe import Split
from pipeline.records import Record, content_id

SPLIT = Split(unseen=0.2, rephrased=0.3, off_topic=0.3, near_topic=0.3)


def record(kind: str, parent: int, fact: int, wording: int) -> Record:
    question = f"Question {parent} {fact} {wording}?"
    document = kind == "document"
    return Record(
        id=content_id(kind, question), kind=kind, question=question, answer="Answer.", source="a.md",
        quote="q" if document else "", page=1 if document else None, span=(0, 1) if document else None,
        passage=f"p{parent}" if document else "", field="" if document else f"field {parent}",
        fact=f"{kind} {parent} {fact}", model="m", prompt="p", request="r",
    )  # fmt: skip


records = st.lists(
    st.builds(
        record,
        st.sampled_from(["document", "off_topic", "near_topic"]),
        st.integers(0, 12),
        st.integers(0, 4),
        st.integers(0, 5),
    ),
    unique_by=lambda one: one.id,
    max_size=120,
)


def where(parts):
    return {one.id: stem for stem, members in parts.items() for one in members}


@given(records)
def test_every_record_is_in_exactly_one_part(some):
    parts = split_records(some, SPLIT, 0.4)
    assert sorted(one.id for members in parts.values() for one in members) == sorted(one.id for one in some)


@given(records, records)
def test_a_later_batch_never_moves_a_published_row_to_another_part(today, tomorrow):
    before = where(split_records(today, SPLIT, 0.4))
    known = set(before)
    after = where(split_records([*today, *(one for one in tomorrow if one.id not in known)], SPLIT, 0.4))
    for name, stem in before.items():
        if stem in SLICES and stem != WITHHELD:
            assert after[name] == stem
        if stem == TRAIN:
            assert after[name] in (TRAIN, WITHHELD)


@given(records)
def test_no_passage_or_fact_of_unseen_and_no_held_out_field_is_trained(some):
    parts = split_records(some, SPLIT, 0.9)
    trained = parts[TRAIN]
    assert not {one.passage for one in parts["unseen"]} & {one.passage for one in trained}
    assert {one.fact for one in parts["rephrased"]} <= {one.fact for one in trained}
    for kind in ("off_topic", "near_topic"):
        fields = {one.field for one in trained if one.kind == kind}
        assert not {one.field for one in parts[kind]} & fields


@given(records, st.floats(0.05, 0.9))
def test_refusals_are_at_most_the_share_of_the_training_rows(some, share):
    train = split_records(some, SPLIT, share)[TRAIN]
    assert sum(one.is_refusal for one in train) <= share * len(train) + 1e-9


def test_publishing_fails_if_a_slice_repeats_a_trained_question():
    one = record("document", 1, 1, 1)
    twin = one.model_copy(update={"id": "other", "fact": one.fact, "question": "question 1 1 1"})
    parts = {stem: [] for stem in (TRAIN, *SLICES)} | {TRAIN: [one], "rephrased": [twin]}
    with pytest.raises(InputError, match=f"the training question {one.id} asks the same"):
        prove_no_leak(parts, "en")


def test_publishing_fails_if_an_unseen_passage_is_trained():
    one, other = record("document", 1, 1, 1), record("document", 1, 2, 2)
    parts = {stem: [] for stem in (TRAIN, *SLICES)} | {TRAIN: [one], "unseen": [other]}
    with pytest.raises(InputError, match="its passage or fact is trained"):
        prove_no_leak(parts, "en")
