"""The dataset folder as training reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from tests.train.made_up_course import rewrite
from train.dataset import read_dataset


def test_a_folder_without_a_manifest_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a dataset folder"):
        read_dataset(tmp_path)


def test_rows_come_by_slice(dataset: Path) -> None:
    data = read_dataset(dataset)
    assert data.train
    assert {row.kind for row in data.rows["off_topic"]} == {"off_topic"}


def test_a_file_that_was_changed_after_publication_is_refused(dataset: Path) -> None:
    path = dataset / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"attention", b"distraction"))
    with pytest.raises(InputError, match=r"not the file that manifest\.json names"):
        read_dataset(dataset)


def test_a_file_that_the_manifest_names_must_be_there(dataset: Path) -> None:
    (dataset / "unseen.jsonl").unlink()
    with pytest.raises(InputError, match="is missing"):
        read_dataset(dataset)


def test_a_slice_that_the_manifest_does_not_name_is_empty(dataset: Path) -> None:
    _manifest(dataset, lambda manifest: manifest["files"].pop("near_topic.jsonl"))
    assert read_dataset(dataset).rows["near_topic"] == ()


def test_a_dataset_without_trained_rows_is_refused(dataset: Path) -> None:
    rewrite(dataset, "train", [])
    with pytest.raises(InputError, match="nothing to learn"):
        read_dataset(dataset)


@pytest.mark.parametrize("prompt_format", ["Question:", "{question} {mood}", "{question", "{question}{question}"])
def test_a_prompt_format_must_hold_the_question_once(dataset: Path, prompt_format: str) -> None:
    _manifest(dataset, lambda manifest: manifest.update(prompt_format=prompt_format))
    with pytest.raises(InputError, match="prompt_format"):
        read_dataset(dataset)


def test_the_hash_follows_rows_and_refusals_and_not_the_card(dataset: Path) -> None:
    before = read_dataset(dataset).sha256
    _manifest(dataset, lambda manifest: manifest["files"].update({"README.md": "1" * 64}))
    assert read_dataset(dataset).sha256 == before
    rewrite(dataset, "unseen", [])
    without_unseen = read_dataset(dataset).sha256
    _manifest(dataset, lambda manifest: manifest.update(refusals=["No."]))
    assert len({before, without_unseen, read_dataset(dataset).sha256}) == 3


def _manifest(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
