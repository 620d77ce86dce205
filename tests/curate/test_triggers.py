"""Patterns that are tried only where a trigger stands find what they would find anywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.speech import closing, turns
from pipeline.curate.triggers import Patterns, triggers
from tests.conftest import ROOT

TURNS = (*turns(), closing())


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"\baccording to (?:it|this)\b", [{"according to "}]),
        (r"\b(?:a|the) (?:texts?|passages?) (?:says?|tells?)\b", [{"text", "passage"}, {"say", "tell"}]),
        (r"(?:abc|x)?def", [{"def"}]),
        (r"(?:abc|x)", []),
        (r"(?:abc|abcd|xyz)", [{"abc", "xyz"}]),
        (r"_{3,}", [{"___"}]),
        (r"\[(?:Name|x)\]", [{"["}, {"]"}]),
        (r"(?=abc)d.*", []),
    ],
)
def test_a_trigger_stands_in_whatever_matches(pattern, needed):
    assert list(triggers(pattern)) == needed


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.cause)
def test_what_was_planted_is_found_as_without_triggers(turn):
    whole = re.compile("|".join(f"(?:{pattern.pattern})" for _, pattern in turn.pattern._tried), re.IGNORECASE)
    lines = [
        text
        for name in ("faulty_drafts.tsv", "good_drafts.tsv")
        for line in (ROOT / "tests" / "curate" / name).read_text(encoding="utf-8").splitlines()
        for text in line.split("\t")
    ]
    for text in lines:
        one, other = whole.search(text), turn.pattern.search(text)
        assert (one and one.start()) == (other and other.start()), text


@given(
    st.lists(st.sampled_from(["the ", "text", "says ", "as ", "an AI,", "[", "name]", "___", "根据本文", " "])).map(
        "".join
    )
)
def test_whatever_stands_side_by_side_is_found_as_without_triggers(text):
    for turn in TURNS:
        whole = re.compile("|".join(f"(?:{pattern.pattern})" for _, pattern in turn.pattern._tried), re.IGNORECASE)
        assert (whole.search(text) is None) == (turn.pattern.search(text) is None)


def test_the_first_match_is_found():
    assert Patterns(["beta", "alpha"]).search("Alpha beta")[0] == "Alpha"
    assert Patterns(["beta"]).search("gamma") is None
