"""Runs that are to be disturbed: a small workspace, a teacher that counts, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from functools import cache
from pathlib import Path

from pipeline.errors import TryAgainLater
from pipeline.recipe import load_recipe
from pipeline.run import Options
from pipeline.run import run as run_stages
from pipeline.runlog import Log
from pipeline.teacher.embedded import complete
from pipeline.verify import verify
from tests.commands import Talking
from tests.commands import started as begin
from tests.conftest import ROOT
from tests.teacher.scripted import Answer, ScriptedServer, completion, error

IN_FLIGHT = 4
LATENCY = 0.05
RECIPE = f"""\
name: tiny
meaning: {{enabled: false}}
checks: {{language_odds: null}}
documents:
  files: [docs]
  passage_tokens: 200
  wordings: 4
refusals:
  topic: good or bad communication
  sentence: Please let's keep our discussion related to good or bad communication.
  asked_from: 1
  off_topic: {{fields: [astronomy, cooking, geography, chemistry], per_field: 6}}
  near_topic: {{fields: [prices, sport, animals], per_field: 6}}
teacher: {{in_flight: {IN_FLIGHT}, tries: 1}}
split: {{unseen: 0.2, off_topic: 0.3, near_topic: 0.4, salt: c}}
"""
DOCUMENT = (ROOT / "samples" / "good_and_bad_communication.md").read_text(encoding="utf-8")


def make_workspace(folder: Path, recipe: str = RECIPE) -> Path:
    """A recipe and a document under `folder`."""
    (folder / "recipes" / "docs").mkdir(parents=True)
    text = "## " + "\n## ".join(DOCUMENT.split("\n## ")[1:4])
    (folder / "recipes" / "docs" / "a.md").write_text(text, encoding="utf-8")
    (folder / "recipes" / "tiny.yaml").write_text(recipe, encoding="utf-8")
    return folder


class Teacher(ScriptedServer):
    """Answers as the embedded teacher does, and counts. Each fault meets one question once, and that question only."""

    def __init__(self, *faults: Answer, latency: float = LATENCY) -> None:
        self._faults = list(faults)
        self._latency = latency
        self.bought: Counter[str] = Counter()
        """Good answers by question."""
        super().__init__(self._script)

    def _script(self, body: dict, number: int) -> Answer:
        time.sleep(self._latency)
        with contextlib.suppress(IndexError):
            return self._faults.pop()
        content = _content(json.dumps(body, sort_keys=True))
        self.bought[body["messages"][1]["content"]] += 1
        return completion(content)

    @property
    def twice(self) -> int:
        """Answers that were bought again."""
        return self.bought.total() - len(self.bought)


@cache
def _content(body: str) -> str:
    return complete(json.loads(body))["choices"][0]["message"]["content"]


def faulty() -> Teacher:
    """A teacher whose first two answers are faults, so that a run gives up a reservation and releases another."""
    return Teacher(Answer(200, b"<html>not a completion</html>"), error(500, "a passing fault"))


def started(workspace: Path, url: str, *more: str, before: str = "", **environment: str) -> Talking:
    """The victim: a run in a process of its own, in which `before` is run first."""
    environment["OPENAI_BASE_URL"] = url
    return begin(workspace, "run", "recipes/tiny.yaml", "--model", "m", *more, before=before, environment=environment)


def finish(workspace: Path, url: str) -> None:
    """Run again, in this process, until nothing is left to ask."""
    os.environ["OPENAI_BASE_URL"] = url
    try:
        for _ in range(3):
            with contextlib.suppress(TryAgainLater):
                loaded = load_recipe(workspace / "recipes" / "tiny.yaml")
                run_stages(loaded, Options(workspace / "outputs", "m"), lambda line: None, Log())
                return
        raise AssertionError("three runs were not enough")
    finally:
        del os.environ["OPENAI_BASE_URL"]


def outputs(workspace: Path) -> Path:
    return workspace / "outputs" / "tiny"


def train(workspace: Path) -> bytes:
    return (outputs(workspace) / "dataset" / "train.jsonl").read_bytes()


def problems(workspace: Path) -> list[str]:
    """What `verify` finds."""
    told: list[str] = []
    verify(outputs(workspace), told.append)
    return told


def of_the_ledger(told: list[str]) -> list[str]:
    return [line for line in told if "/ledger.sqlite" in line]


def stamps(workspace: Path) -> dict[str, int]:
    """When each file a reader may see was last written. SQLite touches its own to read them."""
    files = [path for path in outputs(workspace).rglob("*") if path.is_file() and "ledger" not in path.name]
    return {str(path): path.stat().st_mtime_ns for path in files}
