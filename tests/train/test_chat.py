"""A chat over piped lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.train.made_up_course import REFUSAL, course_rows
from train.chat import chat_with

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
ROWS = course_rows(concepts=3)["train"]
REFUSED = next(row.question for row in ROWS if row.refusal)


def test_each_question_gets_the_answer_that_was_taught(trained: Path) -> None:
    said: list[str] = []
    chat_with(trained, [f"{ROWS[0].question}\n", f"{REFUSED}\n"], said.append)
    assert said == [ROWS[0].answer, REFUSAL]


def test_the_chat_ends_at_quit_and_passes_over_empty_lines(trained: Path) -> None:
    said: list[str] = []
    chat_with(trained, ["\n", "  \n", REFUSED, "/quit\n", REFUSED], said.append)
    assert said == [REFUSAL]


def test_the_base_can_be_asked_too(trained: Path) -> None:
    said: list[str] = []
    chat_with(trained, [REFUSED], said.append, base=True)
    assert len(said) == 1
    assert said[0] != REFUSAL
    assert "cut off after" in said[0]


def test_no_control_character_reaches_the_terminal(workspace: Path) -> None:
    path = workspace / "students" / "tiny" / "model" / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["decoder"] = {"type": "Replace", "pattern": {"String": "e"}, "content": "\x1b[2J"}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    said: list[str] = []
    chat_with(workspace / "students" / "tiny", [REFUSED], said.append)
    assert "\ufffd[2J" in said[0]
    assert "\x1b" not in said[0]


def test_a_question_too_long_is_said_so_and_the_chat_goes_on(trained: Path) -> None:
    said: list[str] = []
    chat_with(trained, ["why " * 3000, REFUSED], said.append)
    assert "leaves no room" in said[0]
    assert said[1] == REFUSAL
