"""A chat over piped lines, and what a student in this process is given."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from tests.train.made_up_course import REFUSAL, course_rows
from tests.train.talking import LlamaStub, spoken
from train.chat.retrieval import Document
from train.chat.turns import Model, Side, Turn, chat_in_terminal, open_chat
from train.cli import app
from train.generation import Generation

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
ROWS = course_rows(concepts=3)["train"]
REFUSED = next(row.question for row in ROWS if row.refusal)
RULES = Generation(max_new_tokens=30)


def answers(student: Path, questions: Iterable[str], side: Side = "student") -> list[str]:
    said: list[str] = []
    chat_in_terminal(open_chat(student), side, questions, said.append)
    return said


def test_each_question_gets_the_answer_that_was_taught(trained: Path) -> None:
    assert answers(trained, [f"{ROWS[0].question}\n", f"{REFUSED}\n"]) == [ROWS[0].answer, REFUSAL]


def test_the_chat_ends_at_quit_and_passes_over_empty_lines(trained: Path) -> None:
    assert answers(trained, ["\n", "  \n", REFUSED, "/quit\n", REFUSED]) == [REFUSAL]


def test_the_base_can_be_asked_too(trained: Path) -> None:
    (said,) = answers(trained, [REFUSED], "base")
    assert said != REFUSAL
    assert "cut off after" in said


def test_no_control_character_reaches_the_terminal(workspace: Path) -> None:
    path = workspace / "students" / "tiny" / "model" / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["decoder"] = {"type": "Replace", "pattern": {"String": "e"}, "content": "\x1b[2J"}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    (said,) = answers(workspace / "students" / "tiny", [REFUSED])
    assert "\ufffd[2J" in said
    assert "\x1b" not in said


def test_a_question_too_long_is_said_so_and_the_chat_goes_on(trained: Path) -> None:
    said = answers(trained, ["why " * 3000, REFUSED])
    assert "leaves no room" in said[0]
    assert said[1] == REFUSAL


def test_documents_that_leave_no_room_for_an_answer_are_left_out_the_last_first(trained: Path) -> None:
    short, long = (Document(text=text, source="a.pdf") for text in ("A word.", "word " * 3000))
    voice = Model(trained)
    assert voice.fitting(Turn("Why?", documents=(short, long)), RULES).documents == (short,)
    assert voice.fitting(Turn("Why?", documents=(long, short)), RULES).documents == ()
    assert voice.fitting(Turn("Why?"), RULES) == Turn("Why?")


def test_a_conversation_that_grows_too_long_loses_its_oldest_turns(trained: Path) -> None:
    earlier = ("word " * 1500, "One.", "Two?", "Two.")
    assert Model(trained).fitting(Turn("Why?", earlier=earlier), RULES).earlier == ("Two?", "Two.")


def test_a_student_without_its_base_has_one_voice(workspace: Path) -> None:
    student = workspace / "students" / "tiny"
    assert set(open_chat(student).voices) == {"student", "base"}
    shutil.rmtree(student / "base")
    assert set(open_chat(student).voices) == {"student"}


def test_what_the_dataset_tells_is_known_and_a_lost_one_is_said_to_be_lost(workspace: Path) -> None:
    student = workspace / "students" / "tiny"
    taught = open_chat(student).taught
    assert taught.examples
    assert not taught.dialogues
    assert not taught.unknown
    shutil.rmtree(workspace / "dataset")
    assert "is not a dataset folder" in open_chat(student).taught.unknown


def test_a_pipe_is_answered_by_a_server_without_any_model_here(trained: Path) -> None:
    with LlamaStub(spoken(" From", " afar.")).running() as server:
        said = run("chat", str(trained), "--server", server.url, stdin="Who?\n/quit\n")
    assert said.stdout == "From afar.\n"
    assert server.bodies[0]["prompt"] == "Question: Who?\nAnswer:"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--hub", "me/it"], "--hub has no meaning for a chat on this machine"),
        (["--documents"], "--documents has no meaning"),
        (["--terminal", "--port", "8000"], "--port has no meaning for a chat in the terminal"),
        (["--terminal", "--speech", "tiny"], "--speech has no meaning"),
        (["--space", "x", "--server", "http://127.0.0.1:1"], "--server has no meaning for --space"),
        (["--base-server", "http://127.0.0.1:1"], "goes with --server"),
    ],
)
def test_an_option_that_nobody_would_read_is_refused(trained: Path, options: list[str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        app(["chat", str(trained), *options], standalone_mode=False)


def test_without_gradio_one_line_says_what_to_install_and_what_to_do_instead(trained: Path) -> None:
    said = run("chat", str(trained), without="gradio")
    assert said.returncode == 2
    assert 'pip install "coursework[chat]"' in said.stderr
    assert "--terminal" in said.stderr
    assert said.stderr.count("\n") == 1


def run(*arguments: str, stdin: str | None = None, without: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; without stdin at a place that is neither pipe nor file."""
    code = (
        f"import sys\nsys.modules[{without!r}] = None\nsys.argv = ['coursework', *sys.argv[1:]]\n"
        "from pipeline.cli import main\nmain()"
    )
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False, **source
    )  # type: ignore[call-overload,no-any-return]
