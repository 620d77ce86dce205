"""Pairs come of records, rest on them, and are published by themselves."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pipeline.errors import RecipeError
from pipeline.publish.schema import Pair, read_manifest, read_pairs, read_rows
from pipeline.recipe import load_recipe
from pipeline.run import Options, run
from pipeline.runlog import Log
from pipeline.verify import verify
from tests.conftest import ROOT

RECIPE = """\
name: pairs
meaning: {enabled: false}
documents: {files: [a.md], facts_per_passage: 6, wordings: 3}
refusals:
  topic: communication
  sentence: Let us speak of communication.
  asked_from: 1
  off_topic: {fields: [astronomy, cooking], per_field: 4}
split: {unseen: 0.3}
drafters:
  preference: {share: 0.5, pairs_per_record: 2}
"""


def run_recipe(folder, text=RECIPE):
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    told: list[str] = []
    run(load_recipe(folder / "r.yaml"), Options(out=folder / "out"), told.append, Log())
    return told


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    text = (ROOT / "samples" / "good_and_bad_communication.md").read_text(encoding="utf-8")
    (folder / "a.md").write_text("## " + "\n## ".join(text.split("\n## ")[1:4]), encoding="utf-8")
    told = run_recipe(folder)
    return folder / "out" / "pairs", told


@pytest.fixture(scope="module")
def pairs(made) -> list[Pair]:
    return list(read_pairs(made[0] / "dataset"))


def test_each_pair_has_its_parents_answer_and_a_worse_one_in_the_form_that_trl_takes(made, pairs):
    parents = {row.id: row for row in read_rows(made[0] / "dataset", "train")}
    assert len(pairs) > 20
    for pair in pairs:
        parent = parents[pair.parent]
        assert (pair.prompt, pair.chosen) == (parent.prompt, parent.completion)
        assert pair.rejected.startswith(" ") and pair.rejected != pair.chosen
        assert (pair.passage, pair.fact, pair.quote) == (parent.passage, parent.fact, parent.quote)


def test_every_fault_that_the_recipe_names_is_asked_for_and_two_pairs_of_a_record_have_two(pairs):
    assert len({pair.fault for pair in pairs}) == 5
    for _, number in Counter((pair.parent, pair.fault) for pair in pairs).items():
        assert number == 1
    assert all(pair.rejected == " Let us speak of communication." for pair in pairs if pair.fault == "refuses")


def test_pairs_of_held_out_records_are_withheld(made, pairs):
    held_out = [row for stem in ("unseen", "rephrased") for row in read_rows(made[0] / "dataset", stem)]
    assert held_out
    assert not {pair.passage for pair in pairs} & {row.passage for row in held_out if row.kind != "document"}
    assert not {pair.parent for pair in pairs} & {row.id for row in held_out}


def test_supervised_training_does_not_see_them(made):
    rows = [row for stem in ("train", "rephrased", "unseen") for row in read_rows(made[0] / "dataset", stem)]
    assert "preference" not in {row.kind for row in rows}


def test_manifest_card_features_and_verify_know_the_pairs(made, pairs):
    dataset = made[0] / "dataset"
    manifest = read_manifest(dataset)
    assert manifest.counts["preference"] == len(pairs)
    assert {"preference.jsonl", "preference_schema.json", "preference_features.json"} <= set(manifest.files)
    assert "config_name: preference" in (dataset / "README.md").read_text(encoding="utf-8")
    problems: list[str] = []
    assert verify(made[0], problems.append).problems == 0, problems


def test_verify_finds_a_pair_that_is_none(made, tmp_path):
    folder = tmp_path / "pairs"
    (folder / "dataset").mkdir(parents=True)
    for path in (made[0] / "dataset").iterdir():
        (folder / "dataset" / path.name).write_bytes(path.read_bytes())
    lines = (folder / "dataset" / "preference.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    spoilt = json.loads(lines[0])
    spoilt["rejected"] = spoilt["chosen"]
    (folder / "dataset" / "preference.jsonl").write_text("".join([json.dumps(spoilt) + "\n", *lines[1:]]), "utf-8")
    problems: list[str] = []
    verify(folder, problems.append)
    assert any("preference.jsonl:1: the two answers are one" in problem for problem in problems)


@pytest.mark.slow
def test_datasets_loads_rows_and_pairs_as_two_configurations(made, pairs):
    from datasets import load_dataset

    folder = str(made[0] / "dataset")
    cache = str(made[0] / "cache")
    assert len(load_dataset(folder, "preference", cache_dir=cache)["train"]) == len(pairs)
    assert "completion" in load_dataset(folder, cache_dir=cache)["train"].column_names


def test_what_answers_nothing_is_no_parent(tmp_path):
    text = RECIPE.replace("{share: 0.5, pairs_per_record: 2}", "{kinds: [off_topic]}")
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match="no kind that answers"):
        load_recipe(tmp_path / "r.yaml")
