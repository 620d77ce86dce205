"""A recipe is checked whole, and every fault is named by file, line and field."""

from __future__ import annotations

import pytest

from pipeline.errors import RecipeError
from pipeline.recipe import load_recipe
from tests.conftest import ROOT

GOOD = """\
name: tiny
documents:
  files: [a.md]
refusals:
  topic: ships
  sentence: Ships only, please.
  off_topic:
    fields: [cooking]
"""


def faults(tmp_path, text: str) -> list[str]:
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    return [line.removeprefix(str(tmp_path) + "/") for line in str(caught.value).splitlines()]


def test_defaults_fill_what_a_recipe_leaves_out(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD, encoding="utf-8")
    recipe = load_recipe(path).recipe
    assert recipe.documents.wordings == 8
    assert recipe.prompt_format == "Question: {question}\nAnswer:"


def test_a_misspelt_field_is_named_with_its_line_and_the_field_that_was_meant(tmp_path):
    assert faults(tmp_path, GOOD.replace("files: [a.md]", "files: [a.md]\n  wordigns: 3")) == [
        "r.yaml:4: documents.wordigns: is not a field. Did you mean wordings?"
    ]


def test_every_fault_is_named_at_once(tmp_path):
    text = GOOD.replace("name: tiny", "name: Tiny Set").replace("topic: ships", "topic: 7") + "split:\n  unseen: 1.5\n"
    found = faults(tmp_path, text)
    assert len(found) == 3
    assert found[0].startswith("r.yaml:1: name: string should match pattern")
    assert any(
        line.startswith("r.yaml:10: split.unseen: input should be less than 1") and "1.5" in line for line in found
    )


def test_a_field_said_twice_is_an_error_not_a_silent_choice(tmp_path):
    assert "r.yaml:2: name: is said twice, first in line 1" in faults(tmp_path, "name: a\nname: b\n")[0]


def test_broken_yaml_is_named_with_line_and_column(tmp_path):
    assert faults(tmp_path, "name: a\n  documents: [")[0].startswith("r.yaml:2:")


def test_an_empty_file_is_no_recipe(tmp_path):
    assert "expected `field: value` lines" in faults(tmp_path, "")[0]


@pytest.mark.parametrize("bad", ["no question here", "{question} {answer}", "{question}{question}", "Q: {question}\\n"])
def test_a_prompt_format_holds_the_question_once_and_ends_without_a_blank(tmp_path, bad):
    assert "prompt_format: expected one {question}" in faults(tmp_path, GOOD + f'prompt_format: "{bad}"\n')[0]


def test_a_recipe_that_drafts_from_nothing_is_refused(tmp_path):
    assert "nothing to draft from" in faults(tmp_path, "name: tiny\n")[0]


def test_an_absent_recipe_says_how_to_get_one(tmp_path):
    with pytest.raises(RecipeError, match="coursework init"):
        load_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_right(path):
    assert load_recipe(path).recipe.name == path.stem


def test_a_recipe_refuses_with_one_sentence_or_with_several_of_them(tmp_path):
    several = GOOD.replace("sentence: Ships only, please.", "sentences: [Ships only., Let us keep to ships.]")
    path = tmp_path / "r.yaml"
    path.write_text(several, encoding="utf-8")
    assert load_recipe(path).recipe.refusals.every_sentence == ("Ships only.", "Let us keep to ships.")
    both = GOOD.replace("  off_topic", "  sentences: [Ships only.]\n  off_topic")
    neither = GOOD.replace("  sentence: Ships only, please.\n", "")
    for text in (both, neither):
        assert "expected either sentence: or sentences:" in faults(tmp_path, text)[0]
