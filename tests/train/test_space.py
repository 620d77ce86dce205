"""A folder for a Hugging Face Space: it holds all that its page needs, and its app.py runs offline."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from pipeline.errors import UsageError
from tests.browser import page
from tests.conftest import ROOT
from tests.train.bases import write_adapted
from tests.train.made_up_course import REFUSAL, course_rows
from train.chat.space import write_space
from train.chat.turns import Model, Pieces, Turn
from train.generation import Generation
from train.taught import Taught

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
pytest.importorskip("gradio", reason="the chat page needs coursework[chat]")
REFUSED = next(row.question for row in course_rows(concepts=3)["train"] if row.refusal)


@contextmanager
def started(space: Path, **environment: str) -> Iterator[str]:
    """The address of the app, run as a Space runs it: nothing of ours can be imported but what the folder holds."""
    code = (
        f"import runpy, sys\nsys.path[:] = ['.'] + [one for one in sys.path if one and one != {str(ROOT)!r}]\n"
        "runpy.run_path('app.py', run_name='__main__')"
    )
    bare = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "GRADIO_TEMP_DIR")}
    bare |= {"HF_HUB_OFFLINE": "1", "TMPDIR": str(space.parent)}
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=space, env=bare | environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("chat page: "), line or server.communicate(timeout=60)[1]
        yield line.split()[-1]
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert list(space.parent.glob("coursework-chat-*")) == []


@pytest.mark.slow
def test_the_app_of_a_space_answers_offline(trained: Path, tmp_path: Path) -> None:
    space = tmp_path / "space"
    write_space(trained, space)
    with page() as tab, started(space) as address:
        tab.goto(address)
        tab.locator("#question textarea").fill(REFUSED)
        tab.locator("#question textarea").press("Enter")
        tab.locator("#student").get_by_text(REFUSAL).wait_for()
        assert not tab.locator("#beside").is_visible()


def test_the_folder_has_what_a_space_asks_for(trained: Path, tmp_path: Path) -> None:
    space = tmp_path / "space"
    write_space(trained, space)
    _, front, text = (space / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    matter = yaml.safe_load(front)
    assert (matter["sdk"], matter["app_file"], matter["title"]) == ("gradio", "app.py", "tiny")
    assert tuple(map(int, matter["sdk_version"].split("."))) >= (6, 7)
    assert "No document of that dataset" in text
    requirements = (space / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {line.split("==")[0] for line in requirements} >= {"torch", "transformers", "peft", "bm25s"}
    assert all("==" in line for line in requirements)
    assert "safetensors" in (space / ".gitattributes").read_text(encoding="utf-8")
    assert not (space / "train" / "sft.py").exists()


def test_documents_go_along_only_where_they_are_asked_for(workspace: Path, tmp_path: Path) -> None:
    dataset = workspace / "dataset"
    rows = [json.loads(line) for line in (dataset / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    text = "\n".join(json.dumps({**row, "quote": row["answer"], "passage": row["fact"]}) for row in rows) + "\n"
    (dataset / "train.jsonl").write_text(text, encoding="utf-8")
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["train.jsonl"] = hashlib.sha256(text.encode()).hexdigest()
    (dataset / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for wanted in (False, True):
        space = tmp_path / f"space-{wanted}"
        write_space(workspace / "students" / "tiny", space, documents=wanted)
        taught = Taught.model_validate_json((space / "taught.json").read_bytes())
        assert bool(taught.documents) is wanted
        assert taught.examples
        assert ("passages of that dataset" in (space / "README.md").read_text(encoding="utf-8")) is wanted


@pytest.mark.slow
def test_a_student_of_the_hub_is_fetched_by_its_name(trained: Path, tmp_path: Path) -> None:
    space = tmp_path / "space"
    write_space(trained, space, hub="me/tiny")
    assert [path.name for path in (space / "student").iterdir()] == ["student.json"]
    assert "me/tiny" in (space / "README.md").read_text(encoding="utf-8")
    cached = tmp_path / "hub" / "models--me--tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("c" * 40, encoding="utf-8")
    (cached / "snapshots").mkdir()
    (cached / "snapshots" / ("c" * 40)).symlink_to(trained / "model")
    with started(space, HF_HUB_CACHE=str(tmp_path / "hub")) as address:
        assert address.startswith("http://127.0.0.1:")


@pytest.mark.slow
def test_an_adapter_brings_its_base_along(
    base: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapted = write_adapted(dataset, base, tmp_path / "students" / "adapted")
    space = tmp_path / "space"
    with pytest.raises(UsageError, match="adapter to a base of this machine, so the hub"):
        write_space(adapted, space, hub="me/adapted")
    write_space(adapted, space)
    monkeypatch.chdir(space)
    rules = Generation(max_new_tokens=8)
    here, there = (
        Pieces(Model(folder).stream(Turn(REFUSED), rules)).whole() for folder in (adapted, space / "student")
    )
    assert here == there
    assert json.loads((space / "student" / "student.json").read_text())["settings"]["base"] == "./student/base"


def test_a_folder_with_something_in_it_is_left_alone(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty"):
        write_space(trained, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
