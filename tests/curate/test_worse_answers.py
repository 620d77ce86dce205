"""A pair is one only if its rejected answer is another answer, well-formed, and worse in the way that is said."""

from __future__ import annotations

import pytest

from pipeline.curate import Curator, Material, Origin, end_of
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record

TEXT = (
    "The lighthouse was built of granite in 1871 because the wooden tower had burned down. The keeper winds the clock"
    " every Sunday. Seals rest on the northern rocks in May, when the pups are born."
)
PASSAGE = Passage(
    id="p",
    document="a.md",
    document_sha256="0",
    start=0,
    end=len(TEXT),
    pages=((0, 1),),
    text=TEXT,
    heading=("Skerry",),
)
CHOSEN = "The lighthouse was built of granite in 1871 because the wooden tower had burned down."
REFUSAL = "Please let us speak of the island."


def pair(fault: str, rejected: str, chosen: str = CHOSEN, question: str = "Why was the lighthouse built of granite?"):
    return Draft(
        kind="preference", question=question, answer=chosen, rejected_answer=rejected, field=fault, quote=CHOSEN,
        passage="p", fact="f", parent="parent", request="r",
    )  # fmt: skip


def end(one: Draft, opinions=None):
    material = Material({"p": PASSAGE}, lambda key: Origin("t", "p"), opinions=opinions or {}, refusals=(REFUSAL,))
    return end_of(one, Curator(material, Checks(language_odds=None)).findings(one), material)


def fate(one: Draft, opinions=None) -> str:
    found = end(one, opinions)
    return ", ".join(found.flags) or "record" if isinstance(found, Record) else found.cause


@pytest.mark.parametrize(
    ("fault", "rejected", "expected"),
    [
        ("wrong_fact", CHOSEN.replace("1871", "1817"), "record"),
        ("wrong_fact", CHOSEN.replace("was built", "was not built"), "record"),
        ("wrong_fact", CHOSEN.replace("because", "before").replace("wooden", "Norwegian"), "record"),
        ("wrong_fact", "Granite was chosen because the slate roof was too heavy.", "worse_unproved"),
        ("wrong_fact", CHOSEN.rstrip(".") + "!", "no_difference"),
        ("incomplete", "The lighthouse was built of granite.", "record"),
        ("incomplete", "It was built of granite, since the wooden tower of 1871 had burned down.", "not_worse"),
        ("off_point", "Seals rest on the northern rocks in May, when the pups are born.", "record"),
        (
            "off_point",
            "In 1871 it was built of granite because the wooden tower had burned down.",
            "not_worse",
        ),
        ("off_point", "Granite is a hard stone, and the wooden tower had burned.", "worse_unproved"),
        ("too_long", f"That is a good question that many people ask. {CHOSEN} To say it once more: {CHOSEN}", "record"),
        ("too_long", f"Well, {CHOSEN}", "not_worse"),
        ("refuses", "I am sorry, but I cannot answer that question.", "record"),
        ("refuses", REFUSAL, "record"),
        ("refuses", "It was the wish of the harbour master.", "not_worse"),
        ("incomplete", "The lighthouse was built of granite and", "cut_answer"),
        ("off_point", "The passage says nothing about granite seals.", "speaks_of_source"),
    ],
)
def test_what_rules_can_show_passes_what_is_no_worse_is_rejected_and_the_rest_is_doubtful(fault, rejected, expected):
    assert fate(pair(fault, rejected)) == expected


def test_the_judge_decides_what_rules_cannot_show():
    doubtful = pair("wrong_fact", "Granite was chosen because the slate roof was too heavy.")
    alone = doubtful.model_copy(update={"answer": doubtful.rejected_answer, "rejected_answer": ""})
    assert fate(doubtful, {alone.matter: (False, "Nothing is said of slate.")}) == "record"
    assert fate(doubtful, {alone.matter: (True, "It is so.")}) == "not_worse"


def test_what_the_judge_is_asked_of_a_pair_is_the_rejected_answer():
    doubtful = pair("wrong_fact", "Granite was chosen because the slate roof was too heavy.")
    material = Material({"p": PASSAGE}, lambda key: Origin("t", "p"))
    with Curator(material, Checks()) as curator:
        asked = [one.draft.answer for one in curator.for_the_judge([doubtful]) if one.in_doubt]
    assert asked == [doubtful.rejected_answer]


def test_a_pair_whose_chosen_answer_is_not_supported_is_none():
    assert fate(pair("refuses", REFUSAL, chosen=CHOSEN.replace("1871", "1999"))) == "number_not_in_passage"
