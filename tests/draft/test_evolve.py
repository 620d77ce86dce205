"""Questions grow: each record in as many ways as the recipe says, each child linked to its parent."""

from __future__ import annotations

import json

import pytest

from pipeline.draft.evolve import WAYS, Settings, build
from pipeline.records import Rejection
from tests.draft.made_of_records import PARENTS, asked, drafts, fate, ground


def drafter(**settings):
    (one,) = build(Settings(share=1, **settings), ground())
    return one


def test_every_way_brings_a_child_that_passes_and_knows_its_parent():
    found = drafts(drafter(children=3))
    assert {draft.field for draft in found} == set(WAYS)
    parents = {one.id: one for one in PARENTS}
    for draft in found:
        assert (draft.fact, draft.passage) == (parents[draft.parent].fact, "p")
        assert draft.question != parents[draft.parent].question
        assert fate(draft) == "record", draft


def test_a_recipe_may_name_ways_of_its_own():
    one = drafter(ways={"child": "puts it as a child would"})
    request = next(one.requests(0, lambda key: None))
    assert "child: puts it as a child would" in request.user
    item = {"way": "child", "question": "Does a seal cost a lot?", "answer": "Four euros.", "quote": ""}
    found = drafts(one, json.dumps({"questions": [item]}))
    assert {draft.field for draft in found} == {"child"}


def test_a_way_that_nobody_asked_for_and_an_item_without_an_answer_are_rejections():
    one = drafter(ways={"harder": "h"})
    items = [
        {"way": "softer", "question": "Q?", "answer": "A.", "quote": ""},
        {"way": "harder", "question": "Q?", "answer": "", "quote": ""},
    ]
    found = drafts(one, json.dumps({"questions": items}))
    assert {item.cause for item in found if isinstance(item, Rejection)} == {"wrong_shape"}
    assert len(found) == 2 * len(PARENTS)


def test_without_a_passage_the_template_speaks_of_none():
    alone = [one.model_copy(update={"kind": "persona", "passage": "", "quote": ""}) for one in PARENTS]
    (one,) = build(Settings(share=1, kinds=("persona",)), ground(records=alone))
    user = next(one.requests(0, lambda key: None)).user
    assert "<passage>" not in user and "<quote>" not in user and "an empty text" in user
    assert all(draft.quote == "" for draft in drafts(one))


def test_which_records_grow_and_how_does_not_depend_on_the_others():
    (many,) = build(Settings(share=0.5), ground())
    (few,) = build(Settings(share=0.5), ground(records=PARENTS[1:]))
    keys = {request.subject: request.key for request in many.requests(0, lambda key: None)}
    assert 0 < len(keys) < len(PARENTS)
    assert all(keys[request.subject] == request.key for request in few.requests(0, lambda key: None))


def test_children_grow_again_in_the_next_round_and_only_there():
    first = drafter(children=1)
    made = drafts(first)[0]
    grown = PARENTS[0].model_copy(
        update={"id": "c", "kind": "evolve", "parent": made.parent, "question": made.question}
    )
    wanted = Settings(share=1, kinds=("document", "evolve"), rounds=2)
    rounds = [build(wanted, ground(records=[*PARENTS, grown], round=number))[0] for number in (1, 2)]
    assert [len(one.parents) for one in rounds] == [len(PARENTS), 1]
    assert rounds[1].parents[0].id == "c"
    assert not set(asked(rounds[0])) & set(asked(rounds[1]))


def test_a_way_needs_a_name_and_a_meaning():
    with pytest.raises(ValueError, match="expected a name"):
        Settings(ways={"no way": "x"})
