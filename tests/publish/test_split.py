"""The split leaks nothing, and no later batch moves a row."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.kinds import TOPICAL_KINDS
from pipeline.publish.schema import SLICES, TRAIN
from pipeline.publish.split import WITHHELD, Assignment, assign, prove_no_leak, share_told
from pipeline.recipe import Banked, Persona, Recipe, Refusals, Split, Typos
from pipeline.records import Record, content_id


def recipe(share: float = 0.4, typos: float = 0.3) -> Recipe:
    return Recipe(
        name="r",
        persona=Persona(file="p.yaml"),
        refusals=Refusals(topic="questions", sentence="No.", off_topic=Banked(fields=("cooking",)), share=share),
        split=Split(unseen=0.2, rephrased=0.3, off_topic=0.3, near_topic=0.3),
        typos=Typos(train=typos, slices=typos),
    )


def record(kind: str, parent: int, fact: int, wording: int) -> Record:
    question = f"Which {kind.replace('_', ' ')} holds number {parent} {fact} {wording}?"
    document = kind == "document"
    return Record(
        id=content_id(kind, question), kind=kind, question=question, answer="Answer.", source="a.md",
        quote="q" if document else "", page=1 if document else None, span=(0, 1) if document else None,
        passage=f"p{parent}" if document else "", field="" if document else f"field {parent}",
        term=f"number {wording}" if kind in TOPICAL_KINDS else "",
        fact=f"{kind} {parent} {fact}", model="m", prompt="p", request="r",
    )  # fmt: skip


records = st.lists(
    st.builds(
        record,
        st.sampled_from(["document", "off_topic", "near_topic", "false_premise"]),
        st.integers(0, 12),
        st.integers(0, 4),
        st.integers(0, 5),
    ),
    unique_by=lambda one: one.id,
    max_size=60,
)


def split_records(some, wanted):
    """Rows by file stem."""
    assignment = assign(some, wanted)
    parts = {stem: [] for stem in assignment.counts}
    for stem, row in assignment.rows(some):
        parts[stem].append(row)
    assert {stem: len(members) for stem, members in parts.items()} == assignment.counts
    return parts


class Placed(Assignment):
    """Records that somebody else put where they are."""

    def __init__(self, parts):
        super().__init__(Split(), frozenset(), {}, {}, {}, ())
        object.__setattr__(self, "parts", parts)

    def stem(self, record):
        return next(stem for stem, members in self.parts.items() if record in members)


def prove(parts):
    prove_no_leak([one for members in parts.values() for one in members], Placed(parts), 90)


def where(parts):
    return {one.id: stem for stem, members in parts.items() for one in members if not one.typo_of}


@settings(deadline=None, max_examples=50)
@given(records)
def test_every_record_is_in_exactly_one_part(some):
    parts = split_records(some, recipe())
    assert sorted(one.id for members in parts.values() for one in members if not one.typo_of) == sorted(
        one.id for one in some
    )


@settings(deadline=None, max_examples=50)
@given(records, records)
def test_a_later_batch_never_moves_a_published_row_to_another_part(today, tomorrow):
    before = where(split_records(today, recipe()))
    known = set(before)
    after = where(split_records([*today, *(one for one in tomorrow if one.id not in known)], recipe()))
    for name, stem in before.items():
        if stem in SLICES and stem != WITHHELD:
            assert after[name] == stem
        if stem == TRAIN:
            assert after[name] in (TRAIN, WITHHELD)


@settings(deadline=None, max_examples=50)
@given(records)
def test_no_passage_or_fact_of_unseen_and_no_held_out_field_is_trained(some):
    parts = split_records(some, recipe(0.9))
    trained = parts[TRAIN]
    assert not {one.passage for one in parts["unseen"]} & {one.passage for one in trained}
    assert {one.fact for one in parts["rephrased"]} <= {one.fact for one in trained}
    for stem in ("off_topic", "near_topic"):
        held = {(one.kind, one.field) for one in parts[stem]}
        assert not held & {(one.kind, one.field) for one in trained}


@settings(deadline=None, max_examples=50)
@given(records, st.floats(0.05, 0.9))
def test_refusals_are_the_share_of_the_training_rows_or_the_run_says_how_many_are_lacking(some, share):
    assignment, parts = assign(some, recipe(share)), split_records(some, recipe(share))
    train = parts[TRAIN]
    refusals = sum(one.is_refusal for one in train)
    wanted = round(share / (1 - share) * (len(train) - refusals))
    assert refusals <= wanted
    (told,) = assignment.told
    if refusals < wanted:
        assert f"{wanted - refusals} more questions needed" in told
        assert not [one for one in parts[WITHHELD] if one.is_refusal and (one.twin or one.kind == "off_topic")]
    else:
        assert "needed" not in told


def test_the_line_about_the_share_reads_as_a_person_would_say_it():
    assert share_told(38, 60, 0.4, 1) == (
        "refusals: 38.8% of train.jsonl; 40.0% are wanted: 2 more questions needed;"
        " 1 near-topic ones wait for a trained question that they sound like"
    )
    assert share_told(40, 60, 0.4, 0) == "refusals: 40.0% of train.jsonl (40.0% wanted)"


@settings(deadline=None, max_examples=50)
@given(records)
def test_a_near_topic_refusal_is_trained_only_beside_a_trained_twin_that_has_an_answer(some):
    train = split_records(some, recipe(0.9))[TRAIN]
    answered = {one.id: one for one in train if not one.is_refusal}
    for one in train:
        if one.kind in TOPICAL_KINDS:
            assert one.term.split()[1] in answered[one.twin].question.rstrip("?").split()
        else:
            assert not one.twin


@settings(deadline=None, max_examples=50)
@given(records)
def test_a_typing_slip_stands_in_the_part_of_its_question_with_the_same_answer(some):
    parts = split_records(some, recipe(0.9, typos=0.6))
    for members in parts.values():
        here = {one.id: one for one in members}
        for one in members:
            if one.typo_of:
                own = here[one.typo_of]
                assert one.question != own.question
                same = {"id", "question", "typo_of"}
                assert one.model_dump(exclude=same) == own.model_dump(exclude=same)


def test_without_a_share_of_typing_slips_there_are_none():
    some = [record("document", parent, 1, 1) for parent in range(20)]
    assert not [one for members in split_records(some, recipe(typos=0)).values() for one in members if one.typo_of]
    slips = [one for members in split_records(some, recipe(typos=1)).values() for one in members if one.typo_of]
    assert {one.typo_of for one in slips} == {
        one.id for stem in (TRAIN, *SLICES) for one in split_records(some, recipe(typos=0))[stem]
    }


def test_publishing_fails_if_a_question_is_held_out_and_its_typing_slip_trained():
    one = record("document", 1, 1, 1)
    slip = one.model_copy(update={"id": "slip", "question": "Whihc qeustion hlods nmuber?", "typo_of": one.id})
    with pytest.raises(InputError, match="the same but for a typing slip is trained"):
        prove({TRAIN: [slip], "rephrased": [one]})


def test_publishing_fails_if_a_slice_repeats_a_trained_question():
    one = record("document", 1, 1, 1)
    twin = one.model_copy(update={"id": "other", "fact": one.fact, "question": "which document holds number 1 1 1"})
    parts = {stem: [] for stem in (TRAIN, *SLICES)} | {TRAIN: [one], "rephrased": [twin]}
    with pytest.raises(InputError, match=f"the training question {one.id} asks the same"):
        prove(parts)


@pytest.mark.parametrize(
    ("stem", "kind", "trained", "why"),
    [
        ("unseen", "document", (1, 1, 1), "its passage or fact is trained"),
        ("rephrased", "document", (3, 3, 3), "its fact is not trained"),
        ("off_topic", "off_topic", (1, 3, 3), "the field 'field 1' is trained"),
    ],
)
def test_publishing_fails_if_a_slice_is_not_what_it_is_called(stem, kind, trained, why):
    one, other = record(kind, *trained), record(kind, 1, 2, 2)
    with pytest.raises(InputError, match=why):
        prove({TRAIN: [one], stem: [other]})


@settings(deadline=None, max_examples=50)
@given(records)
def test_what_is_assigned_leaks_nothing(some):
    prove_no_leak(some, assign(some, recipe(0.9, typos=1.0)), 90)


@given(records)
def test_what_is_made_from_a_record_is_held_out_with_it(some):
    """Whatever its own id: a child in training would teach what its held-out parent examines."""
    parents = [one for one in some if one.kind == "document"]
    children = [one.model_copy(update={"id": content_id("child", one.id), "parent": one.id}) for one in parents]
    assignment = assign([*parents, *children], recipe())
    for parent, child in zip(parents, children, strict=True):
        assert assignment.stem(child) == assignment.stem(parent)


def test_what_rests_on_trained_and_on_held_out_passages_is_in_neither():
    alone = [record("document", parent, 0, 0) for parent in range(30)]
    assignment = assign(alone, recipe())
    held_out = {one.passage for one in alone if assignment.stem(one) == "unseen"}
    assert 0 < len(held_out) < 30
    both = [
        one.model_copy(update={
            "id": f"{one.id}{other.id}", "question": f"How do {one.passage} and {other.passage} differ?",
            "further_passages": (other.passage,), "fact": f"{one.passage} {other.passage}",
        })
        for one, other in pairwise(alone)
    ]  # fmt: skip
    assignment = assign([*alone, *both], recipe())
    prove_no_leak([*alone, *both], assignment, "en")
    for one in both:
        sides = {passage in held_out for passage in (one.passage, *one.further_passages)}
        assert len(sides) == 1 or assignment.stem(one) == WITHHELD
        assert (assignment.stem(one) == "unseen") == (sides == {True})
