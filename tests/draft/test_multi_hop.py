"""Questions that need several passages: which are put together, and what one passage alone answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import Curator, Material, Origin
from pipeline.draft.ground import Ground
from pipeline.draft.groups import Shares, groups_of
from pipeline.draft.multi_hop import MultiHopDrafter, Settings
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.related import Related
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.teacher.request import Reply
from tests.conftest import ROOT


def passage(text: str, document: str = "a.md", start: int = 0, heading: tuple[str, ...] = ()) -> Passage:
    return Passage(
        id=content_id(text), document=document, document_sha256="0", heading=heading, start=start,
        end=start + len(text), pages=((0, 1),), text=text,
    )  # fmt: skip


MILL = passage("The mill grinds rye every Monday. Its wheel has 12 paddles of oak.", start=0)
BAKER = passage("The baker bakes rye bread on Tuesdays. The oven holds 40 loaves.", start=200)
HARBOUR = passage("Ships unload coal at the harbour. The crane lifts 9 tons.", start=400)
VILLAGE = [MILL, BAKER, HARBOUR]

words = st.lists(
    st.sampled_from("rye coal oak bread crane loaf mill ferry gull tide salt".split()), min_size=2, max_size=5
)


@st.composite
def corpora(draw, name: str) -> list[Passage]:
    texts = draw(st.lists(words.map(" ".join), min_size=1, max_size=5, unique=True))
    return [passage(f"{name} {text}", f"{name}.md", 100 * number) for number, text in enumerate(texts)]


def chosen(passages: list[Passage], unseen: float = 0.3) -> list[tuple[Passage, ...]]:
    return groups_of(passages, Related(passages, "s", unseen), Shares("s", 0.7, 0.7, 0.4, 0.01))


@given(corpora("alpha"), corpora("beta"), corpora("gamma"))
def test_a_document_that_is_added_leaves_every_group_as_it_was(one, two, new):
    before, after = chosen([*one, *two]), chosen([*new, *one, *two])
    assert set(before) <= set(after)
    assert all(any(passage in new for passage in group) for group in set(after) - set(before))


@given(corpora("alpha"), corpora("beta"))
def test_a_group_is_on_one_side_of_the_split_and_in_the_order_of_its_documents(one, two):
    related = Related([*one, *two], "s", 0.3)
    for group in chosen([*two, *one]):
        assert 2 <= len({passage.id for passage in group}) == len(group) <= 3
        assert all(related.same_side(group[0], other) for other in group)
        assert list(group) == sorted(group, key=lambda passage: (passage.document, passage.start))


def test_passages_are_related_by_words_that_few_passages_of_their_document_hold():
    near = Related(VILLAGE, "s", 0.0).nearest(BAKER, "a.md")
    assert near[0].passage == MILL
    assert near[0].alike > sum(one.alike for one in near[1:])


class Told(dict):
    def answer(self, request, value) -> None:
        body = {"choices": [{"finish_reason": "stop", "message": {"content": json.dumps(value)}}]}
        self[request.key] = Reply(request.key, json.dumps(body), "m", 1, 1)


QUOTES = ["The mill grinds rye every Monday.", "The baker bakes rye bread on Tuesdays."]
FACT = {
    "quotes": QUOTES,
    "answer": "The mill grinds the rye on Monday, and the baker bakes it on Tuesday.",
    "questions": ["On which days is rye ground and baked?", "When do mill and baker handle the rye?"],
}


def drafter(**settings) -> MultiHopDrafter:
    ground = Ground(
        passages=VILLAGE[:2], persona=None, prompt=lambda name: Prompt(ROOT / "prompts" / f"{name}.jinja"),
        manner=Manner("m", 0.5, 1000), folder=Path(), language="en", salt="s", unseen=0.0,
    )  # fmt: skip
    return MultiHopDrafter(Settings(within=1.0, three=0.0, **settings), ground)


def ends(facts: list, alone: dict[str, object] | None = None, **settings) -> list[Draft | Rejection]:
    """What becomes of a reply with these facts; `alone` is what is said beside each passage, by its first word."""
    told, one = Told(), drafter(**settings)
    for stage in range(one.stages):
        for request in one.requests(stage, told.get):
            if request.kind == "multi_hop_questions":
                told.answer(request, {"facts": facts})
            elif alone is not None:
                text = request.user.split("<passages>\n")[1]
                told.answer(request, {"questions": next(said for name, said in alone.items() if text.startswith(name))})
    return list(one.drafts(told.get))


NO = [{"number": 1, "answered": False, "words": ""}]
YES = [{"number": 1, "answered": True, "words": "every Monday"}]


def test_a_fact_waits_until_it_is_known_of_each_passage_that_it_is_not_enough():
    assert ends([FACT]) == []
    found = ends([FACT], {"The mill": NO, "The baker": NO})
    assert [draft.question for draft in found] == FACT["questions"]
    for draft in found:
        assert (draft.kind, draft.passage, draft.further_passages) == ("multi_hop", MILL.id, (BAKER.id,))
        assert (draft.quote, *draft.further_quotes) == tuple(QUOTES)


def test_a_question_that_one_passage_answers_is_a_rejection_that_names_it():
    (found,) = ends([FACT], {"The mill": NO, "The baker": YES})
    assert isinstance(found, Rejection)
    assert (found.cause, found.question) == ("one_passage_answers", FACT["questions"][0])
    assert "a.md, page 1 alone: 'every Monday'" in found.detail


def test_without_asking_the_drafts_come_at_once():
    assert len(ends([FACT], ask_each=False)) == 2


@pytest.mark.parametrize(
    "spoilt",
    [{"quotes": QUOTES[:1]}, {"quotes": "none"}, {"answer": None}, {"questions": []}, {"questions": [3, " "]}],
)
def test_a_fact_without_a_quote_of_each_passage_an_answer_and_a_question_is_a_rejection(spoilt):
    found = ends([FACT | spoilt, FACT], {"The mill": NO, "The baker": NO})
    assert [item.cause for item in found if isinstance(item, Rejection)] == ["wrong_shape"]
    assert sum(isinstance(item, Draft) for item in found) == 2


def test_passages_that_have_nothing_to_do_with_each_other_may_bring_nothing():
    (found,) = ends([])
    assert found.cause == "nothing_found"


def curated(**changes) -> Record | Rejection:
    one = ends([FACT], ask_each=False)[0].model_copy(update=changes)
    material = Material({one.id: one for one in VILLAGE}, lambda key: Origin("m", "p"))
    with Curator(material, Checks(language_odds=None)) as curator:
        (end,) = curator.curate([one])
    return end


def test_a_sound_one_is_a_record_with_a_quote_of_each():
    record = curated()
    assert isinstance(record, Record), record
    assert (record.quote, *record.further_quotes) == tuple(QUOTES)
    assert record.flags == ()


def test_numbers_are_looked_up_in_all_its_passages():
    both = {"quote": "Its wheel has 12 paddles of oak.", "further_quotes": ("The oven holds 40 loaves.",)}
    assert isinstance(curated(answer="The wheel has 12 paddles and the oven holds 40 loaves.", **both), Record)
    assert (
        curated(answer="The wheel has 13 paddles and the oven holds 90 loaves.", **both).cause
        == "number_not_in_passage"
    )


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"further_quotes": (QUOTES[0],)}, "quote_not_in_passage"),
        ({"further_quotes": ()}, "quote_lacking"),
        ({"answer": "The mill grinds rye every Monday with a wheel of oak paddles."}, "one_passage_answers"),
    ],
)
def test_what_does_not_rest_on_every_passage_is_rejected(changes, cause):
    assert curated(**changes).cause == cause
