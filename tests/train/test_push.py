"""Pushing: what would be sent is shown, what is sent is that, and what may not be handed on is not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.errors import InputError, UsageError
from tests.train.loopback import Quiet, served
from tests.train.made_up_course import write_course
from train.cli import app

ROOT = Path(__file__).parents[2]
RUN = CliRunner()
NC = {"licence": "CC-BY-NC-4.0", "read": 9, "checked": 9, "taken": 5}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A dataset folder with its card."""
    folder = write_course(tmp_path / "dataset", concepts=2)
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n\n# working-together\n", encoding="utf-8")
    return folder


def test_what_would_be_sent_is_shown_and_nothing_is(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub() as (url, received):
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        said = push(published, "me/working-together")
    assert received == {}
    assert said.startswith("dataset me/working-together, private:\n")
    assert said.endswith("Nothing was sent; --yes uploads it.\n")
    for name in ("README.md", "manifest.json", "train.jsonl", "off_topic.jsonl"):
        size, digest = (published / name).stat().st_size, hashlib.sha256((published / name).read_bytes()).hexdigest()
        assert f"{size:,}  {digest}  {name}\n" in said


def test_with_yes_the_hub_has_the_same_bytes_in_a_private_repository(published: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="uploading needs coursework[train]")
    with hub() as (url, received):
        done = in_a_process(tmp_path, url, "hf_secret", published, "me/talk", "--yes")
    assert done.returncode == 0, done.stderr
    assert received["made"] == {"name": "talk", "organization": "me", "type": "dataset", "visibility": "private"}
    assert received["key"] == "Bearer hf_secret"
    shown = {line.split()[2] for line in done.stdout.splitlines() if len(line.split()) == 3 and "," not in line}
    assert received["files"].keys() >= {"README.md", "manifest.json", "train.jsonl"} | shown
    for name, content in received["files"].items():
        assert content == (published / name).read_bytes()


def test_a_key_is_taken_from_the_environment_and_nowhere_else(published: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="uploading needs coursework[train]")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text("hf_stored", encoding="utf-8")
    with hub() as (url, received):
        done = in_a_process(tmp_path, url, "", published, "me/talk", "--yes")
        assert received == {}
        assert done.returncode == 2
        assert done.stderr.strip().splitlines()[-1].endswith("Set HF_TOKEN to a token that may write.")
        refused = in_a_process(tmp_path, url, "hf_wrong", published, "me/talk", "--yes")
    assert refused.returncode == 69
    assert "The hub refuses me/talk" in refused.stderr
    nobody = in_a_process(tmp_path, "http://127.0.0.1:9", "hf_secret", published, "me/talk", "--yes")
    assert nobody.returncode == 69
    assert "cannot be reached" in nobody.stderr
    assert "hf_" not in refused.stderr + nobody.stderr


@pytest.mark.parametrize(
    ("changes", "options", "why"),
    [
        ({"mix": {"a": NC}}, (), "forbids whatever earns money"),
        ({"licence": "CC-BY-NC-SA-4.0"}, (), "forbids whatever earns money"),
        ({"mix": {"a": NC | {"licence": "unknown"}}}, ("--non-commercial",), "nobody knows the licence of a"),
        ({"mix": {"a": NC | {"licence": "CC-BY-ND-4.0"}}}, (), "forbids handing on what is made of it"),
        ({}, ("--public",), "Nobody has decided"),
        ({"living_persons": ["Ada"]}, (), "does not say that answers imitate Ada"),
    ],
)
def test_what_may_not_be_handed_on_is_refused(
    published: Path, changes: dict[str, Any], options: tuple[str, ...], why: str
) -> None:
    change(published, changes)
    with pytest.raises(InputError, match=why):
        push(published, "me/talk", *options)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"mix": {"a": NC}}, ("--non-commercial",)),
        ({"mix": {"a": NC | {"taken": 0}}}, ()),
        ({"mix": {"a": NC | {"licence": "CC-BY-NC-4.0 OR MIT"}}}, ()),
        ({"licence": "CC-BY-4.0"}, ("--public",)),
    ],
)
def test_what_may_be_handed_on_is_shown(published: Path, changes: dict[str, Any], options: tuple[str, ...]) -> None:
    change(published, changes)
    assert "train.jsonl" in push(published, "me/talk", *options)


def test_a_living_person_is_named_as_imitated(published: Path) -> None:
    change(published, {"living_persons": ["Ada"]})
    card = "# x\n\n**Synthetic imitation.** The answers imitate the manner of Ada, a living person.\n\nmore\n"
    (published / "README.md").write_text(card, encoding="utf-8")
    assert "README.md" in push(published, "me/talk")


def test_a_file_that_changed_since_it_was_published_is_not_sent(published: Path) -> None:
    with (published / "train.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(InputError, match=r"train\.jsonl is not the file"):
        push(published, "me/talk")


def test_a_name_must_be_the_hubs(published: Path) -> None:
    for name in ("talk", "me/you/talk", "../talk", "me/ talk"):
        with pytest.raises(UsageError, match="no repository of the hub"):
            push(published, name)


def test_a_student_goes_with_its_weights_and_a_card(workspace: Path) -> None:
    student = workspace / "students" / "tiny"
    said = push(student, "me/tiny", "--licence", "Apache-2.0", "--public")
    assert said.startswith("model me/tiny, for everybody:\n")
    names = {line.split()[-1] for line in said.splitlines()[1:-1]}
    assert names >= {"README.md", "config.json", "model.safetensors", "tokenizer.json", "generation_config.json"}
    assert "student.json" not in names
    card = (student / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == "apache-2.0"
    assert head["library_name"] == "transformers"
    assert "base_model" not in head
    described = json.loads((student / "student.json").read_text(encoding="utf-8"))
    for part in (described["dataset_sha256"], described["weights_sha256"], "greedy", "<|endoftext|>"):
        assert part in card
    assert ("Not examined." in card) != (student / "examination.json").exists()
    assert str(workspace) not in card


def test_the_figures_of_the_examination_stand_in_the_card(workspace: Path) -> None:
    student = workspace / "students" / "tiny"
    measured = {"value": 0.75, "n": 8, "low": 0.4, "high": 0.9}
    examination = {
        "slices": {"off_topic": {"student": {"refusal_recall": measured}, "base": {}}},
        "generation": {"decoding": "greedy", "max_new_tokens": 33},
    }
    (student / "examination.json").write_text(json.dumps(examination), encoding="utf-8")
    (student / "examination.md").write_text("# The page\n", encoding="utf-8")
    (student / "examination.html").write_text("<p>The page</p>", encoding="utf-8")
    said = push(student, "me/tiny")
    assert all(f"  examination.{form}\n" in said for form in ("json", "md", "html"))
    card = (student / "README.md").read_text(encoding="utf-8")
    (results,) = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"]
    assert results["dataset"]["split"] == "off_topic"
    assert results["metrics"] == [{"type": "refusal_recall", "value": 0.75, "name": "refusal_recall (n=8)"}]
    assert "# The page" in card
    assert "max_new_tokens 33" in card


def push(what: Path, repo: str, *options: str) -> str:
    return RUN.invoke(app, ["push", str(what), repo, *options], catch_exceptions=False).stdout


def change(folder: Path, changes: dict[str, Any]) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def in_a_process(
    home: Path, url: str, token: str, what: Path, repo: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """As it is typed, with the hub's own client: whether it is offline is read where it is imported."""
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": str(home / "hf"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "pipeline", "push", str(what), repo, *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False, cwd=home)


@contextmanager
def hub() -> Iterator[tuple[str, dict[str, Any]]]:
    """A hub that keeps what it is given; it knows one key."""
    received: dict[str, Any] = {}

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Authorization"] != "Bearer hf_secret":
                return self.answer({"error": "Invalid username or password."}, 401)
            received["key"] = self.headers["Authorization"]
            if self.path == "/api/repos/create":
                received["made"] = json.loads(body)
                return self.answer({"url": f"{url}/datasets/me/talk"})
            if "/preupload/" in self.path:
                files = json.loads(body)["files"]
                plain = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]
                return self.answer({"files": plain})
            if "/commit/" in self.path:
                lines = [json.loads(line) for line in body.splitlines()]
                files = [line["value"] for line in lines if line["key"] == "file"]
                received["files"] = {file["path"]: base64.b64decode(file["content"]) for file in files}
                return self.answer(
                    {"success": True, "commitOid": "0" * 40, "commitUrl": f"{url}/datasets/me/talk/commit/{'0' * 40}"}
                )
            return self.answer({})

        def do_GET(self) -> None:
            self.answer({"error": "Not found"}, 404)

    with served(Handler) as url:
        yield url, received
