"""An answer told again loses, adds and changes nothing, and may still be told freely."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.curate import Material, Origin
from pipeline.curate.retold import retold
from pipeline.embedder import find_embedder
from pipeline.recipe import Checks, Meaning
from pipeline.records import Draft, Record
from tests.draft.made_of_records import parent

VOICE = "The support desk of Harbour, warm and plain."


def lines(name: str) -> list[list[str]]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def told_again(question: str, answer: str, said: str) -> tuple[Draft, Record]:
    one = parent(question, answer)
    name = re.match(r"(?:Good \w+|Hello|Hi|Dear) (\w+)", said)
    asked = f"My name is {name[1]}. {question}" if name else question
    return Draft(kind="tone", question=asked, answer=said, parent=one.id, fact=one.fact, request="r"), one


def verdicts(name: str, embedder=None) -> list[tuple[str, str, str]]:
    """What was expected, what the check says, and of which answer."""
    rows = [(fate, *told_again(question, answer, said)) for fate, question, answer, said in lines(name)]
    material = Material(
        {}, lambda key: Origin("t", "p"), parents={one.id: one for _, _, one in rows}, voice=VOICE, embedder=embedder
    )
    found = []
    for fate, draft, one in rows:  # by itself, for two rows may have one parent
        alone = Material({}, material.origin, parents={one.id: one}, voice=VOICE, embedder=embedder)
        (findings,) = retold(alone, Checks())([draft])
        worst = {finding.verdict for finding in findings}
        said = next((verdict for verdict in ("rejected", "doubtful") if verdict in worst), "passed")
        found.append((fate, said, draft.answer))
    return found


WRONG = {("sure", "doubtful"), ("sure", "rejected"), ("kept", "rejected"), ("caught", "passed")}


@pytest.mark.parametrize("name", ["retold.tsv", "retold_held_out.tsv"])
def test_no_free_telling_is_rejected_and_nothing_lost_added_or_changed_passes(name):
    assert not [row for row in verdicts(name) if row[:2] in WRONG]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["retold.tsv", "retold_held_out.tsv"])
def test_meaning_settles_more_than_words_do(name, tmp_path):
    embedder = find_embedder(Meaning(), "en", tmp_path, tmp_path / "vectors.sqlite")
    by_meaning = verdicts(name, embedder)
    assert not [row for row in by_meaning if row[:2] in WRONG]
    doubts = [
        Counter(said for fate, said, _ in rows if fate == "kept")["doubtful"] for rows in (verdicts(name), by_meaning)
    ]
    assert doubts[1] < doubts[0]


@pytest.mark.parametrize(
    ("answer", "said", "cause"),
    [
        ("A repair takes 10 days.", "Hello! A repair takes ten days. Anything else?", None),
        ("A repair takes 10 days.", "Hello! A repair takes 12 days.", "changed_number"),
        ("A repair takes 10 days.", "Hello! A repair takes some days.", "lost_number"),
        ("A repair takes days.", "Hello! A repair takes days, and costs 40 euros.", "added_number"),
        ("Eva Lund repairs it.", "Hello! Our Eva Berg repairs it.", "changed_name"),
        ("The desk opens on Monday.", "Hello! The desk opens on Tuesday.", "changed_word"),
        ("A seal can be changed.", "Hello! A seal can not be changed.", "turned_round"),
        ("Lime makes the kettle louder.", "Hello! Lime makes the kettle quieter.", "turned_round"),
        ("Lime makes the kettle louder.", "Hello! Thank you for asking. Have a nice day!", "lost_fact"),
    ],
)
def test_each_change_has_a_name(answer, said, cause):
    draft, one = told_again("What is it about?", answer, said)
    material = Material({}, lambda key: Origin("t", "p"), parents={one.id: one})
    (findings,) = retold(material, Checks())([draft])
    assert (cause or "") in {finding.cause for finding in findings}


def test_what_the_recipe_says_of_the_voice_may_be_said():
    draft, one = told_again(
        "Who?", "A seal can be changed.", "Hello! A seal can be changed. Robin of Harbour, room 12."
    )
    voices = {"": {"doubtful", "rejected"}, "Signs as Robin of Harbour, room 12.": {"passed"}}
    for voice, expected in voices.items():
        material = Material({}, lambda key: Origin("t", "p"), parents={one.id: one}, voice=voice)
        (findings,) = retold(material, Checks())([draft])
        assert {finding.verdict for finding in findings} <= expected
