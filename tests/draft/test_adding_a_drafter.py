"""docs/add-a-drafter.md, followed to the letter in a copy of the package: the drafter runs and passes its tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

_BLOCK = re.compile(r"^```(?:python|jinja) (\S+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_AFTER = {
    "KINDS": "KINDS: dict[str, Kind] = {\n",
    "DRAFTERS": "DRAFTERS: dict[str, Line] = {\n",
    "_drafters": "def _drafters() -> dict[str, Drafter]:\n",
    "return": '        "document_questions": document_questions,\n',
    "signs": "    signs = {\n",
    "SAMPLES": "SAMPLES: dict[str, Sample] = {\n",
}
"""After which line of a file a block named so goes."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy of the package with all that the page says in it."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("pipeline", "prompts", "samples", "personas", "recipes", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    page = (ROOT / "docs" / "add-a-drafter.md").read_text(encoding="utf-8")
    blocks = _BLOCK.findall(page)
    assert len(blocks) == page.count("\n```python ") + page.count("\n```jinja ") == 9
    for name, place, text in blocks:
        path = copy / name
        if not place:
            assert not path.exists()
            path.write_text(text, encoding="utf-8")
            continue
        before = path.read_text(encoding="utf-8")
        assert before.count(_AFTER[place]) == 1
        path.write_text(before.replace(_AFTER[place], _AFTER[place] + text), encoding="utf-8")
    return copy


def ran(folder, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_brings_a_drafter_that_passes_the_tests_of_every_drafter(followed):
    chosen = "glossary and (offline or second or formats)"
    said = ran(followed, "pytest", "-q", "-p", "no:cacheprovider", "tests/draft/test_every_drafter.py", "-k", chosen)
    assert "3 passed" in said


def test_what_the_page_shows_is_written_as_the_rest_of_the_package_is(followed):
    files = ("pipeline/draft/glossary.py", "pipeline/teacher/embedded/glossary.py", "pipeline/kinds.py")
    ran(followed, "ruff", "check", "--no-cache", *files)
