"""The same facts in another voice: from records or the pairs of a file, in a described voice or a persona's."""

from __future__ import annotations

import json
import re

import pytest

from pipeline.draft.descent import given_pairs
from pipeline.draft.tone import Settings, build
from pipeline.errors import InputError
from pipeline.records import Draft, Rejection
from tests.conftest import ROOT
from tests.draft.made_of_records import FACTS, PARENTS, drafts, fate, ground

PERSONA = """\
name: Captain Reed
living_person: false
voice: A dry old sailor.
phrases: ["Calm seas teach nothing."]
questions: [{id: a, prompt: List questions., count: 1}]
constraints: {words: {min: 3, max: 20}}
"""


def told(**settings) -> list[Draft | Rejection]:
    (drafter,) = build(Settings(share=1, **settings), ground())
    return drafts(drafter)


def test_a_told_answer_greets_by_the_name_in_the_question_thanks_says_the_fact_and_offers_help():
    for draft, parent in zip(told(names=["Maria"], openings=["Hello, {name} here. {question}"]), PARENTS, strict=True):
        assert draft.question == f"Hello, Maria here. {parent.question}"
        assert "Maria" in draft.answer.split(". ")[0]
        assert re.search("thank|appreciate", draft.answer.lower())
        assert parent.answer[1:] in draft.answer
        assert not draft.answer.endswith(parent.answer)
        assert fate(draft) == "record"


def test_a_child_rests_on_its_parents_words_and_is_held_out_with_it():
    for draft, parent in zip(told(), PARENTS, strict=True):
        assert (draft.fact, draft.passage, draft.quote, draft.parent) == (
            parent.fact, parent.passage, parent.quote, parent.id,
        )  # fmt: skip


def test_a_name_more_in_the_list_changes_no_choice_but_that_of_those_who_get_it():
    before = {draft.parent: draft.question for draft in told(names=["Ana", "Ben", "Cem"])}
    after = {draft.parent: draft.question for draft in told(names=["Ana", "Ben", "Cem", "Dora"])}
    assert all("Dora" in after[parent] for parent in before if before[parent] != after[parent])


def test_what_changes_the_fact_is_rejected_and_what_is_free_is_doubtful():
    (drafter,) = build(Settings(share=1), ground())
    wrong = json.dumps({"answers": [{"answer": "Hello! A repair takes 12 working days on average. Anything else?"}]})
    free = json.dumps(
        {"answers": [{"answer": "Hello! Ten working days are usual; that is how long the workshop needs."}]}
    )
    (first,) = [one for one in drafts(drafter, {PARENTS[0].id: wrong}) if one.parent == PARENTS[0].id]
    assert fate(first) == "changed_number"
    (first,) = [one for one in drafts(drafter, {PARENTS[0].id: free}) if one.parent == PARENTS[0].id]
    assert fate(first) in ("added_statement", "retold_freely", "record")
    assert fate(first, opinions={first.matter: (True, "It says the same.")}) == "record"
    assert fate(first, opinions={first.matter: (False, "It says more.")}) == "judged_unsupported"


def test_a_desk_may_offer_help_where_a_document_may_not():
    (draft, *_) = told()
    offer = draft.model_copy(update={"answer": f"{draft.answer} Let me know if you have questions."})
    assert fate(offer) == "record"
    plain = offer.model_copy(update={"kind": "document", "parent": "", "answer": "Ten. Let me know if you need more."})
    assert fate(plain) == "teacher_speak"


def test_pairs_of_a_file_are_told_again_and_named_as_their_source(tmp_path):
    pairs = [{"question": question, "answer": answer, "note": 1} for question, answer in list(FACTS.items())[:3]]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    (drafter,) = build(Settings(kinds=(), pairs="pairs.jsonl", share=1), ground(folder=tmp_path))
    found = drafts(drafter)
    assert [draft.persona for draft in found] == ["pairs.jsonl"] * 3
    assert len({draft.fact for draft in found}) == 3
    assert list(drafter.files) == ["pairs.jsonl"]
    assert [fate(draft, drafter.parents) for draft in found] == ["record"] * 3


def test_pairs_that_cannot_be_read_are_named_by_line():
    with pytest.raises(InputError) as caught:
        given_pairs("p.jsonl", b'{"question": "Q?", "answer": "A."}\n{"question": "Q?"}\nno\n', "drafters.tone.pairs")
    assert "p.jsonl:2" in str(caught.value) and "p.jsonl:3" in str(caught.value)


def test_a_personas_voice_keeps_its_constraints_or_is_rejected_with_what_was_measured(tmp_path):
    (tmp_path / "reed.yaml").write_text(PERSONA, encoding="utf-8")
    (drafter,) = build(Settings(share=1, persona="reed.yaml"), ground(folder=tmp_path))
    found = drafts(drafter)
    assert all(len(draft.answer.split()) <= 20 for draft in found if isinstance(draft, Draft))
    wordy = json.dumps({"answers": [{"answer": "word " * 21 + "end."}]})
    assert {one.cause for one in drafts(drafter, wordy)} == {"breaks_constraint"}
    assert "Calm seas" in drafter.voice and drafter.imitated == ""


def test_the_template_shows_the_voice_or_the_card_and_never_both(tmp_path):
    (tmp_path / "reed.yaml").write_text(PERSONA, encoding="utf-8")
    for settings, shown in (({}, "voice"), ({"persona": "reed.yaml"}, "persona")):
        (drafter,) = build(Settings(share=1, **settings), ground(folder=tmp_path))
        user = next(drafter.requests(0, lambda key: None)).user
        assert [slot for slot in ("voice", "persona") if f"<{slot}>" in user] == [shown]
    assert (ROOT / "prompts" / "tone_answers.jinja").exists()
