"""Summaries: what is summed up, in how many requests, and which summaries are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import Curator, Material, Origin
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.sections import pieces_of, units_of
from pipeline.draft.summary import NOTES, Settings, SummaryDrafter
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.teacher.request import Reply, Request
from tests.conftest import ROOT


def passage(text: str, *heading: str, document: str = "village.md") -> Passage:
    return Passage(
        id=content_id(text), document=document, document_sha256="0", heading=heading, start=0, end=len(text),
        pages=((0, 1),), text=text,
    )  # fmt: skip


MILL = passage("The mill grinds rye on Mondays with a wheel of oak paddles.", "The village", "Bread", "The mill")
BAKER = passage("The baker bakes loaves on Tuesdays in a brick oven.", "The village", "Bread", "The baker")
HARBOUR = passage("Ships unload coal at the harbour under a steel crane.", "The village", "The harbour")
VILLAGE = [MILL, BAKER, HARBOUR]

headings = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)


def drafter(passages=VILLAGE, unseen: float = 0.0, **settings) -> SummaryDrafter:
    ground = Ground(
        passages=passages, persona=None, prompt=lambda name: Prompt(ROOT / "prompts" / f"{name}.jinja"),
        manner=Manner("m", 0.5, 1000), folder=Path(), language="en", salt="s", unseen=unseen,
    )  # fmt: skip
    return SummaryDrafter(Settings(**settings), ground)


def reply(request: Request, value: object) -> Reply:
    text = value if isinstance(value, str) else json.dumps(value)
    body = {"choices": [{"finish_reason": "stop", "message": {"content": text}}]}
    return Reply(request.key, json.dumps(body), "m", 1, 1)


SHORT = "Rye is ground on Mondays and baked into loaves on Tuesdays."
LONG = "The mill grinds rye on Mondays with a wheel of oak paddles; the baker bakes loaves on Tuesdays in a brick oven."
SUMMARIES = {
    "summaries": [
        {"size": "short", "questions": ["What is bread in the village about, in brief?"], "summary": SHORT},
        {"size": "long", "questions": ["Tell me about bread in the village at some length."], "summary": LONG},
    ]
}


def asked(one: SummaryDrafter, say) -> tuple[list[list[str]], list[Draft | Rejection]]:
    """What is asked stage by stage, and what becomes of the replies that `say` gives to requests."""
    told: dict[str, Reply] = {}
    stages = []
    for stage in range(one.stages):
        requests = list(one.requests(stage, told.get))
        stages.append([request.kind for request in requests])
        told |= {request.key: reply(request, say(request)) for request in requests}
    return stages, list(one.drafts(told.get))


@given(st.lists(headings, min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_what_is_summed_up_is_on_one_side_of_the_split_and_each_is_summed_up_once(under, held):
    passages = [passage(f"Text {number}.", *heading) for number, heading in enumerate(under)]
    held_out = {passages[number].id for number in held if number < len(passages)}
    units = list(units_of(passages, lambda one: one.id in held_out, 2))
    assert units[0].level == "document"
    for unit in units:
        under_it = [one for one in passages if one.heading[: len(unit.heading)] == unit.heading]
        trained = [one for one in under_it if one.id not in held_out]
        assert list(unit.passages) == (trained or under_it)
    assert len({(unit.level, unit.heading) for unit in units}) == len(units)


def test_a_section_is_all_that_stands_under_its_heading_and_the_document_all_of_it():
    units = list(units_of(VILLAGE, lambda one: False, 2))
    assert [(unit.level, unit.heading, len(unit.passages)) for unit in units] == [
        ("document", ("The village",), 3),
        ("section", ("The village", "Bread"), 2),
    ]
    assert units[1].title == "The village"
    assert next(units_of([passage("One.", document="a/good_bread.txt")], lambda one: False, 1)).title == "good bread"


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(10, 80))
def test_pieces_hold_every_passage_in_order_and_no_more_than_fits(lengths, largest):
    passages = [passage(f"{number:03}".ljust(length, "x")) for number, length in enumerate(lengths)]
    pieces = pieces_of(passages, largest)
    assert [one for piece in pieces for one in piece] == passages
    assert all(len(piece) == 1 or sum(len(one.text) for one in piece) <= largest for piece in pieces)


def test_what_fits_is_asked_for_at_once_and_each_size_is_a_fact_in_its_own_wordings():
    stages, found = asked(drafter(of=("section",), wordings=1), lambda request: SUMMARIES)
    assert stages[0] == ["summaries"]
    assert not any(stages[1:])
    assert [(draft.kind, draft.field, draft.answer) for draft in found] == [
        ("summary", "short", SHORT),
        ("summary", "long", LONG),
    ]
    assert {(draft.passage, *draft.further_passages) for draft in found} == {(MILL.id, BAKER.id)}
    assert len({draft.fact for draft in found}) == 2


def long_village(pieces: int) -> list[Passage]:
    return [passage(f"{number} {'word ' * 180}".strip() + ".", "The village") for number in range(pieces)]


def test_of_what_is_long_notes_are_taken_and_the_summary_is_made_of_them():
    seen: list[str] = []

    def say(request: Request) -> object:
        if request.kind == NOTES:
            return {"notes": [f"Note on {request.user.split('<part>')[1].split()[2]}."]}
        seen.append(request.user)
        return SUMMARIES

    stages, found = asked(drafter(long_village(3), largest=1000), say)
    assert (stages[0], stages[3]) == ([NOTES] * 3, ["summaries"])
    assert "Note on 0.\nNote on 1.\nNote on 2." in seen[0]
    assert len(found[0].further_passages) == 2


def test_notes_that_cannot_be_read_are_a_rejection_and_the_summary_is_not_asked_for():
    stages, found = asked(drafter(long_village(2), largest=1000), lambda request: "no JSON")
    assert "summaries" not in [kind for stage in stages for kind in stage]
    assert [item.cause for item in found] == ["no_json", "no_json"]


def test_what_is_too_long_even_for_notes_is_told():
    one = drafter(long_village(30), largest=1000)
    assert not list(one.requests(0, lambda key: None))
    (line,) = one.shortfall((), lambda key: None)
    assert "village.md > The village is too long" in line


def test_a_text_that_is_short_enough_is_shown_and_summed_up_from_there():
    _, found = asked(drafter(of=("section",), shown_up_to=500), lambda request: SUMMARIES)
    assert {draft.kind for draft in found} == {"summary_of_text"}
    assert all(MILL.text in draft.context and BAKER.text in draft.context for draft in found)


@pytest.mark.parametrize(
    "spoilt", [{"size": "tiny"}, {"questions": []}, {"questions": "one?"}, {"summary": None}, "no object"]
)
def test_a_summary_without_size_text_or_questions_is_a_rejection(spoilt):
    first, second = SUMMARIES["summaries"]
    item = first | spoilt if isinstance(spoilt, dict) else spoilt
    _, found = asked(drafter(of=("section",)), lambda request: {"summaries": [item, second]})
    assert [getattr(one, "cause", "") for one in found] == ["wrong_shape", ""]


def curated(**changes) -> Record | Rejection:
    _, found = asked(drafter(of=("section",), wordings=1), lambda request: SUMMARIES)
    draft = found[0].model_copy(update=changes)
    material = Material(
        {one.id: one for one in VILLAGE}, lambda key: Origin("m", "p"), wanted={"summary": Settings(long=(15, 60))}
    )
    with Curator(material, Checks(language_odds=None)) as curator:
        (end,) = curator.curate([draft])
    return end


def test_a_summary_is_held_against_all_the_passages_that_it_covers():
    record = curated()
    assert isinstance(record, Record), record
    assert record.flags == ()
    assert curated(further_passages=()).flags == ("weakly_supported",)
    assert curated(answer=SHORT.replace("Mondays", "7 days")).cause == "number_not_in_passage"


@pytest.mark.parametrize(
    ("field", "answer", "cause"),
    [("short", "Rye is bread.", "summary_length"), ("long", SHORT, "summary_length"), ("long", LONG, None)],
)
def test_a_summary_is_as_long_as_its_size_says(field, answer, cause):
    assert getattr(curated(field=field, answer=answer), "cause", None) == cause
