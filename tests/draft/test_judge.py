"""The judge is asked once about each doubtful fact, and believed only as far as it is proved."""

from __future__ import annotations

import json

import orjson
import pytest

from pipeline.curate import Curator, Material, Origin, end_of
from pipeline.curate.findings import Finding
from pipeline.draft.judge import Judge, Proof, seeds_of
from pipeline.draft.prompts import Manner, Prompt
from pipeline.judging import Hearing, believed
from pipeline.recipe import Checks
from pipeline.recipe import Judge as Settings
from pipeline.records import Draft, Passage, Record, Rejection
from pipeline.review.verdicts import Verdicts
from pipeline.teacher.embedded import complete
from pipeline.teacher.request import Reply
from pipeline.teacher.speech import Speech
from tests.conftest import ROOT

SUBJECTS = "harbour lighthouse market chapel granary windmill tannery brewery".split()
PASSAGES = {
    f"p{number}": Passage(
        id=f"p{number}", document="a.md", document_sha256="0", start=0, end=99, pages=((0, 1),),
        heading=("The island",),
        text=f"The {one} of the island was built in 18{number}2. Its {one} roof is covered with slate and moss.",
    )
    for number, one in enumerate(SUBJECTS)
}  # fmt: skip
SOUND = [
    Draft(kind="document", question=f"When was the {one} built?", answer=f"The {one} was built in 18{number}2.",
          quote=f"The {one} of the island was built in 18{number}2.", passage=f"p{number}", fact=f"f{number}",
          request="r")
    for number, one in enumerate(SUBJECTS)
]  # fmt: skip
TRUE = SOUND[0].model_copy(update={"answer": "Slate covers the harbour roof.", "fact": "true"})
FALSE = SOUND[1].model_copy(update={"answer": "The lighthouse roof is covered with gold leaf sheets.", "fact": "false"})


def judge(number: int = 6, doubtful=(TRUE, FALSE)) -> Judge:
    prompt = Prompt(ROOT / "prompts" / "judge.jinja")
    evidence = Material(PASSAGES, lambda key: Origin("t", "p")).evidence
    return Judge(doubtful, seeds_of(SOUND, number), evidence, prompt, Manner("m", 0.0, 512))


def told_by(one: Judge, say=None):
    """What the embedded teacher replies, or a judge that always says the same."""
    replies = {}
    for request in one.requests(0, replies.get):
        completion = complete(orjson.loads(Speech().body(request)))
        if say is not None:
            completion["choices"][0]["message"]["content"] = say
        replies[request.key] = Reply(request.key, json.dumps(completion), "m", 1, 1)
    return replies.get


class History:
    def __init__(self, told):
        self.told = told


def heard(one: Judge, told, trust=0.8):
    lines: list[str] = []
    hearing = Hearing(one, {TRUE.matter: ["id-1"], FALSE.matter: ["id-2"]})
    return believed(hearing, Settings(trust=trust), History(told), lines.append), lines


def test_the_judge_upholds_what_is_true_and_rejects_what_is_not_with_a_reason():
    one = judge()
    opinions, (line,) = heard(one, told_by(one))
    assert opinions[TRUE.matter][0] and not opinions[FALSE.matter][0]
    assert "gold" in opinions[FALSE.matter][1]
    assert "caught 6 of 6" in line and "passed 6 of 6" in line


@pytest.mark.parametrize(
    "say",
    ['{"reason": "", "supported": true, "answers": true}', '{"reason": "", "supported": false, "answers": false}'],
)
def test_a_judge_that_says_the_same_to_everything_is_not_believed(say):
    one = judge()
    opinions, (line,) = heard(one, told_by(one, say))
    assert opinions == {}
    assert "not used" in line


@pytest.mark.parametrize(
    "say", ["no idea", '{"reason": "x", "supported": "yes", "answers": true}', '{"supported": true}']
)
def test_a_reply_that_decides_nothing_is_no_opinion(say):
    one = judge()
    assert one.opinions(told_by(one, say)) == {}
    assert heard(one, told_by(one, say))[0] == {}


def test_without_any_seed_answered_nobody_knows_whether_to_believe_it():
    assert not Proof(0, 0, 0, 0).trusted(0.5)
    assert not Proof(3, 3, 0, 0).trusted(0.5)
    assert Proof(4, 5, 5, 5).trusted(0.8) and not Proof(3, 5, 5, 5).trusted(0.8)


def test_seeds_are_spoilt_in_three_ways_and_always_the_same():
    seeds = seeds_of(SOUND, 6)
    assert seeds == seeds_of(list(reversed(SOUND)), 6)
    by_fact = {draft.fact: draft for draft in SOUND}
    spoilt = [seed.draft for seed in seeds if not seed.sound]
    assert len(spoilt) == 6 and len(seeds) == 12
    ways = {
        ("passage" if one.passage != by_fact[one.fact].passage else "negated" if " not " in one.answer else "number")
        for one in spoilt
    }
    assert ways == {"passage", "negated", "number"}
    assert all(seed.draft.answer in PASSAGES[seed.draft.passage].text for seed in seeds if seed.sound)


def test_a_fact_is_asked_about_once_and_the_same_again_tomorrow():
    keys = [request.key for request in judge().requests(0, lambda key: None)]
    assert len(keys) == len(set(keys)) == 2 + 12
    assert keys == [request.key for request in judge().requests(0, lambda key: None)]
    assert list(judge().drafts(lambda key: None)) == []


def material(opinions) -> Material:
    return Material(PASSAGES, lambda key: Origin("t", "p"), opinions=opinions)


def end(one: Draft, opinions):
    curator = Curator(material(opinions), Checks())
    return end_of(one, curator.findings(one), material(opinions))


def test_what_is_in_doubt_is_upheld_rejected_or_flagged_by_what_the_judge_said():
    doubtful = SOUND[0].model_copy(update={"answer": "Moss grows there on top of everything, people say."})
    flagged = end(doubtful, {})
    assert isinstance(flagged, Record) and flagged.flags == ("weakly_supported",)
    upheld = end(doubtful, {doubtful.matter: (True, "It says so.")})
    assert isinstance(upheld, Record) and upheld.flags == ()
    rejected = end(doubtful, {doubtful.matter: (False, "It speaks of slate.")})
    assert isinstance(rejected, Rejection) and rejected.cause == "judged_unsupported" and "slate" in rejected.detail


def test_the_judge_clears_only_what_it_was_asked_about():
    findings = [Finding("similar", "0.9", "doubtful", "similar_question", "Like another."),
                Finding("numbers", "7", "doubtful", "number_not_in_quote", "Not there."),
                Finding("judge", "yes: so")]  # fmt: skip
    assert end_of(SOUND[0], findings, material({})).flags == ("similar_question",)


def test_agreement_counts_verdicts_that_people_gave_in_so_many_words():
    one, lines = judge(), []
    told = told_by(one)
    hearing = Hearing(one, {TRUE.matter: ["id-1", "id-3", "id-5"], FALSE.matter: ["id-2", "id-4"]})
    verdicts = Verdicts(kept={"id-1", "id-4"}, dropped={"id-2"}, deleted={"id-3"})
    hearing.tell_agreement(verdicts, History(told), lines.append)
    assert lines == ["judge: agrees with 2 of 4 verdicts of people."]
