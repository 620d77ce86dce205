"""A persona file is read whole, and every fault in it is named with its line."""

from __future__ import annotations

import hashlib

import pytest
import yaml

from pipeline.constraints import broken_constraints
from pipeline.errors import RecipeError
from pipeline.sources.personas import read_persona
from tests.conftest import ROOT

MUSK = ROOT / "personas" / "elon_musk.yaml"
COOK = """\
name: Ada Tull
living_person: false
voice: A polite ship's cook.
do: [Answer first.]
dont: [Never shout.]
phrases: ["If I may say so:", Mind the step.]
topics: [fish soup, storms]
examples:
  - question: Is it raining?
    answer: It is, my dear, and salt water too. ⚓
questions:
  - id: kitchen
    prompt: Ask her ten things about the kitchen.
    count: 10
constraints:
  words: {min: 3, max: 20}
  emoji: {max: 1}
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "cook.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_card_shows_the_voice_and_hides_the_question_prompts(written):
    card = read_persona(written(COOK)).card()
    shown = yaml.safe_load(card)
    assert list(shown) == ["name", "voice", "do", "dont", "phrases", "topics", "examples", "constraints"]
    assert shown["phrases"] == ["If I may say so:", "Mind the step."]
    assert shown["examples"] == [{"question": "Is it raining?", "answer": "It is, my dear, and salt water too. ⚓"}]
    assert shown["constraints"]["words"] == {"min": 3, "max": 20}
    assert "⚓" in card, "a teacher reads the emoji, not an escape for it"
    assert "ten things" not in card


def test_a_persona_knows_the_hash_of_its_file(written):
    path = written(COOK)
    assert read_persona(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    before = read_persona(path)
    assert read_persona(written(COOK + "\n# a remark\n")).sha256 != before.sha256
    assert read_persona(path).card() == before.card()


@pytest.mark.parametrize(
    ("found", "instead", "letter"),
    [
        ("living_person: false\n", "", r"cook\.yaml:1: living_person: is missing"),
        ("voice: A", "vioce: A", r"cook\.yaml:3: vioce: is not a field\. Did you mean voice"),
        ("min: 3, max: 20", "min: 30, max: 20", r"cook\.yaml:16: constraints\.words: min is 30 and max is 20"),
        ("count: 10", "count: 0", r"cook\.yaml:14: questions\.0\.count: "),
        ("id: kitchen", "id: The Kitchen", r"cook\.yaml:12: questions\.0\.id: "),
        ("max: 20", "max: 5", r"examples: answer 1 breaks the constraints: 8 words, at most 5"),
        ("⚓", "⚓🌊", r"examples: answer 1 breaks the constraints: 2 emoji, at most 1"),
        ("[fish soup, storms]", "['']", r"cook\.yaml:7: topics\.0: "),
        ("questions:\n", "questions:\n  - {id: kitchen, prompt: Again., count: 1}\n", "the id kitchen stands twice"),
    ],
)
def test_a_fault_is_named_with_its_line(written, found, instead, letter):
    assert found in COOK
    with pytest.raises(RecipeError, match=letter):
        read_persona(written(COOK.replace(found, instead)))


def test_the_shipped_persona_asks_for_four_times_fifty_questions():
    persona = read_persona(MUSK)
    assert persona.living_person
    assert [(prompt.id, prompt.count) for prompt in persona.questions] == [
        ("controversial", 50),
        ("tech_entrepreneur", 50),
        ("funny", 50),
        ("hilarious", 50),
    ]
    assert len(persona.phrases) >= 20
    assert len(persona.topics) >= 12


def test_the_shipped_examples_keep_their_own_constraints():
    persona = read_persona(MUSK)
    assert persona.examples
    for example in persona.examples:
        assert broken_constraints(example.answer, persona.constraints) == []
