"""The verbs that carry a student out, on a machine that lacks what they need: one line, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.made_up_course import write_course

ROOT = Path(__file__).parents[2]
SAYING = """
import sys
for name in {lacking!r}:
    sys.modules[name] = None
from pipeline.errors import UsageError
from train.cli import app
for verb in {verbs!r}:
    try:
        app(verb, standalone_mode=False)
    except UsageError as fault:
        print(fault)
"""


@pytest.fixture
def student(workspace: Path) -> str:
    return str(workspace / "students" / "tiny")


def test_without_the_training_packages_each_verb_says_what_to_install(student: str) -> None:
    said = saying(["trl"], [["gguf", student], ["compare", student, "--base"]])
    assert len(said) == 2
    assert all("need trl" in line and 'pip install "coursework[train]"' in line for line in said)
    path = Path(student) / "student.json"
    described = json.loads(path.read_text("utf-8"))
    described["settings"] |= {"method": "lora", "base": "some/base", "lora": {}}
    for shape in ("hidden", "layers", "heads", "vocabulary"):
        described["settings"].pop(shape, None)
    path.write_text(json.dumps(described), encoding="utf-8")
    assert "need trl" in saying(["trl"], [["merge", student]])[0]


def test_without_gguf_or_the_hubs_client_one_line_says_so(student: str, tmp_path: Path) -> None:
    (line,) = saying(["gguf"], [["gguf", student]])
    assert line == 'GGUF files need gguf, which is not installed. Install it with: pip install "coursework[train]"'
    dataset = write_course(tmp_path / "dataset", concepts=2)
    (dataset / "README.md").write_text("# x\n", encoding="utf-8")
    said = saying(["huggingface_hub"], [["push", str(dataset), "me/talk", "--yes"]])
    assert said[-1].startswith("Uploading needs huggingface_hub, which is not installed.")


def test_set_up_without_a_checkout_has_nothing_to_set_up(student: str) -> None:
    (line,) = saying([], [["gguf", student, "--set-up"]])
    assert "--llama-cpp" in line


def saying(lacking: list[str], verbs: list[list[str]]) -> list[str]:
    """What the verbs say on a machine without these packages."""
    done = subprocess.run(
        [sys.executable, "-c", SAYING.format(lacking=lacking, verbs=verbs)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    return done.stdout.splitlines()
