"""Questions beside passages: what stands beside them, what the teacher has to find there, and where they go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import Curator, Material, Origin
from pipeline.draft.contexts import Contexts, shown
from pipeline.draft.ground import Ground
from pipeline.draft.in_context import InContextDrafter, Settings
from pipeline.draft.prompts import Manner, Prompt
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import assign, prove_no_leak
from pipeline.recipe import Banked, Checks, Documents, Recipe, Refusals, Split
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.teacher.embedded.in_context import in_context_answers
from pipeline.teacher.request import Reply
from tests.conftest import ROOT
from tests.draft.test_multi_hop import BAKER, HARBOUR, MILL, VILLAGE, corpora

QUESTION, ANSWER, QUOTE = (
    "On which day is rye ground?",
    "Rye is ground on Mondays.",
    "The mill grinds rye every Monday.",
)


def parent(passage: Passage = MILL, question: str = QUESTION, **more) -> Record:
    return Record(
        id=content_id(passage.id, question), kind="document", question=question, answer=ANSWER, quote=QUOTE,
        source="a.md", page=1, span=(0, 1), passage=passage.id, fact="f", model="m", prompt="p", request="r", **more,
    )  # fmt: skip


def drafter(*records: Record, passages=VILLAGE, **settings) -> InContextDrafter:
    ground = Ground(
        passages=passages, persona=None, prompt=lambda name: Prompt(ROOT / "prompts" / f"{name}.jinja"),
        manner=Manner("m", 0.5, 1000), folder=Path(), language="en", salt="s", unseen=0.0, records=records,
    )  # fmt: skip
    return InContextDrafter(Settings(**{"share": 1.0, "left_out": 0.0} | settings), ground)


def ends(one: InContextDrafter, *said: dict) -> list[Draft | Rejection]:
    told: dict[str, Reply] = {}
    for request, answer in zip(one.requests(0, told.get), said, strict=True):
        body = {"choices": [{"finish_reason": "stop", "message": {"content": json.dumps({"answers": [answer]})}}]}
        told[request.key] = Reply(request.key, json.dumps(body), "m", 1, 1)
    return list(one.drafts(told.get))


FOUND = {"answered": True, "answer": "Rye is ground every Monday.", "quote": QUOTE}
NOTHING = {"answered": False, "answer": "", "quote": ""}


def test_the_passage_stands_among_others_and_the_child_is_answered_from_there():
    (draft,) = ends(drafter(parent()), FOUND)
    assert (draft.kind, draft.answer, draft.quote) == ("in_context", FOUND["answer"], QUOTE)
    assert (draft.parent, draft.fact, draft.passage) == (parent().id, "f", MILL.id)
    assert sorted(draft.context.split("\n\n")) == sorted(passage.text for passage in VILLAGE)
    assert set(draft.further_passages) == {BAKER.id, HARBOUR.id}


def test_where_the_passage_is_left_out_the_right_answer_is_the_refusal():
    (draft,) = ends(drafter(parent(), left_out=1.0, refusal="It does not say so."), NOTHING)
    assert (draft.kind, draft.answer, draft.passage) == ("not_in_context", "It does not say so.", MILL.id)
    assert MILL.text not in draft.context
    assert set(draft.further_passages) == {BAKER.id, HARBOUR.id}


@pytest.mark.parametrize(
    ("left_out", "said", "cause"),
    [
        (0.0, NOTHING, "not_in_context"),
        (1.0, FOUND, "answered_by_context"),
        (0.0, {"answer": "Monday."}, "wrong_shape"),
    ],
)
def test_what_the_teacher_finds_where_it_should_not_or_misses_where_it_should_is_a_rejection(left_out, said, cause):
    (rejection,) = ends(drafter(parent(), left_out=left_out), said)
    assert (rejection.cause, rejection.question) == (cause, QUESTION)


def test_what_has_something_beside_it_or_rests_on_several_passages_is_not_taken_up():
    several = parent(question="When is rye ground and baked?").model_copy(
        update={"kind": "multi_hop", "further_passages": (BAKER.id,)}
    )
    beside = parent(question="And on which day?", context="The mill.")
    after = parent(question="And why then?", earlier=("q", "a"))
    lost = parent(passage=MILL.model_copy(update={"id": "gone"}), question="Where is the mill?")
    taken = drafter(parent(), several, beside, after, lost, kinds=("document", "multi_hop"))
    assert [record.question for record in taken.parents] == [QUESTION]


def test_the_stated_share_is_left_out_and_a_record_more_moves_no_other():
    records = [parent(question=f"Why is rye number {number} ground?") for number in range(400)]

    def left_out(some: list[Record]) -> set[str]:
        requests = drafter(*some, left_out=0.25).requests(0, lambda key: None)
        return {request.subject for request in requests if MILL.text not in request.user}

    assert 70 <= len(left_out(records)) <= 130
    assert left_out(records[100:]) == left_out(records) - {record.id for record in records[:100]}


@given(corpora("alpha"), corpora("beta"), corpora("gamma"), st.integers(1, 6))
def test_what_stands_beside_a_passage_is_on_its_side_of_the_split_and_from_its_document_first(one, two, three, number):
    passages = [*one, *two, *three]
    contexts = Contexts(passages, "s", 0.3)
    for passage in passages:
        beside = contexts.beside(passage, number)
        side = [other for other in passages if other != passage and contexts._related.same_side(passage, other)]
        assert len(beside) == len(set(beside)) == min(number, len(side))
        assert all(other in side for other in beside)
        own = [other for other in side if other.document == passage.document]
        assert all(other in own for other in beside[: len(own)])


@given(st.lists(corpora("alpha"), min_size=1, max_size=1), st.integers(3, 12))
def test_a_new_document_changes_what_stands_beside_few(first, number):
    """Of documents of one passage each, only those next before the new one on the ring have it beside them."""
    small = [
        Passage(
            id=content_id(str(n)), document=f"{n}.md", document_sha256="0", start=0, end=1, pages=((0, 1),),
            text=f"word{n}",
        )
        for n in range(number)
    ]  # fmt: skip
    before, after = Contexts(small[:-1], "s", 0.0), Contexts(small, "s", 0.0)
    changed = [passage for passage in small[:-1] if before.beside(passage, 2) != after.beside(passage, 2)]
    assert len(changed) <= 2


def curated(draft: Draft) -> Record | Rejection:
    material = Material({one.id: one for one in VILLAGE}, lambda key: Origin("m", "p"), parents={parent().id: parent()})
    with Curator(material, Checks(language_odds=None)) as curator:
        (end,) = curator.curate([draft])
    return end


def test_the_quote_has_to_be_of_the_passage_that_the_question_is_about():
    (draft,) = ends(drafter(parent()), FOUND)
    assert isinstance(curated(draft), Record)
    other = draft.model_copy(update={"quote": "The baker bakes rye bread on Tuesdays."})
    assert curated(other).cause == "quote_not_in_passage"


def test_a_question_that_the_corpus_answers_is_refused_where_the_passage_is_not_shown_and_not_where_its_words_are():
    (draft,) = ends(drafter(parent(), left_out=1.0), NOTHING)
    assert isinstance(curated(draft), Record)
    repeated = draft.model_copy(update={"context": f"{draft.context}\n\nAs everybody knows: {QUOTE}"})
    assert curated(repeated).cause == "answered_by_context"


def test_a_text_that_is_shown_may_be_spoken_of():
    (draft,) = ends(drafter(parent()), FOUND | {"answer": "The text says that rye is ground every Monday."})
    assert isinstance(curated(draft), Record)
    assert curated(draft.model_copy(update={"kind": "document", "context": ""})).cause == "speaks_of_source"


def recipe(share: float) -> Recipe:
    refusals = Refusals(topic="village", sentence="No.", off_topic=Banked(fields=("cooking",)), share=share)
    split = Split(unseen=0.3, rephrased=0.3)
    return Recipe(name="r", documents=Documents(files=("a.md",)), refusals=refusals, split=split)


def test_refusals_beside_a_context_are_no_part_of_the_share_and_go_where_their_parent_goes():
    parents = [
        parent(
            MILL.model_copy(update={"id": f"p{number}"}), f"Why is p{number} ground in way {way}?", term=f"p{number}"
        )
        for number in range(30)
        for way in "abc"
    ]
    parents = [one.model_copy(update={"fact": one.passage}) for one in parents]
    children = [
        one.model_copy(update={"id": f"{one.id}{kind}", "kind": kind, "parent": one.id, "context": f"Text {one.id}."})
        for one in parents
        for kind in ("in_context", "not_in_context")
    ]
    nowhere = {"passage": "", "quote": "", "page": None, "span": None}
    off = [
        parents[0].model_copy(update=nowhere | {
            "id": f"o{number}", "kind": "off_topic", "question": f"How is dish {number} cooked?", "field": f"f{number}",
            "fact": f"o{number}",
        })
        for number in range(60)
    ]  # fmt: skip
    every = [*parents, *children, *off]
    assignment = assign(every, recipe(0.2))
    stems = {one.id: assignment.stem(one) for one in parents}
    assert all(assignment.stem(child) == stems[child.parent] for child in children)
    trained = [row for stem, row in assignment.rows(every) if stem == TRAIN]
    refused = sum(row.kind == "off_topic" for row in trained)
    assert refused == round(0.2 / 0.8 * sum(not row.is_refusal for row in trained))
    assert sum(row.kind == "not_in_context" for row in trained) > 20
    prove_no_leak(every, assignment, "en")


def test_one_instruction_with_many_texts_is_trained_with_some_and_examined_with_others():
    tasks = [
        parent(MILL.model_copy(update={"id": f"p{number}"}), "Which words matter most?").model_copy(
            update={"id": f"t{number}", "context": f"Text {number}.", "fact": f"t{number}"}
        )
        for number in range(30)
    ]
    assignment = assign(tasks, recipe(0.0))
    assert {assignment.stem(one) for one in tasks} >= {TRAIN, "unseen"}
    prove_no_leak(tasks, assignment, "en")


def test_passages_are_shown_under_their_own_heading():
    headed = MILL.model_copy(update={"heading": ("Village", "The mill")})
    assert shown([headed, BAKER]) == f"The mill\n{MILL.text}\n\n{BAKER.text}"


SHOWN = (
    "A repair takes ten working days on average. The workshop sends a message when the kettle has arrived. Letters are"
    " answered within one working day. The kettle holds two litres of water. The desk keeps a kettle that it repairs."
)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How long does a repair take on average?", "A repair takes ten working days on average."),
        ("Do you know how long a repair takes?", "A repair takes ten working days on average."),
        ("Within what time are letters answered?", "Letters are answered within one working day."),
        ("How much water does the kettle hold?", "The kettle holds two litres of water."),
        ("How would you complete the sentence “Letters are …”?", "Letters are answered within one working day."),
        ("How long does the desk keep a kettle that it repairs?", ""),
        ("How much does the workshop message cost?", ""),
        ("How would you complete the sentence “Parcels are …”?", ""),
    ],
)
def test_the_embedded_teacher_reads_a_measure_off_a_sentence_that_has_one_and_off_no_other(question, found):
    (answer,) = in_context_answers({"shown": SHOWN, "question": question}, {})["answers"]
    assert (answer["answered"], answer["quote"]) == (bool(found), found)
