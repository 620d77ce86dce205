# ruff: noqa: E501
"""What nobody foresaw ends with 70 and a file that says where; what is odd about a ledger is no surprise; no key leaks."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.mishap import redacted, report
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.packing import unpacked
from tests.commands import coursework as command
from tests.conftest import ROOT
from tests.teacher.calling import call
from tests.teacher.scripted import Answer, ScriptedServer, error
from tests.victims import Teacher, finish, make_workspace, outputs

KEY = "sk-canary-7f3a9c41d2"


@pytest.fixture
def workspace(tmp_path) -> Path:
    return make_workspace(tmp_path)


def coursework(workspace: Path, *arguments: str, url: str = "", key: str = KEY) -> subprocess.CompletedProcess:
    real = {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": url} if url else {}
    return command(workspace, *arguments, environment=real)


def run(workspace: Path, url: str = "", key: str = KEY) -> subprocess.CompletedProcess:
    return coursework(workspace, "run", "recipes/tiny.yaml", *(["--model", "m"] if url else []), url=url, key=key)


def write_in_the_ledger(workspace: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(outputs(workspace) / "ledger.sqlite") as db:
        db.execute(statement, values)
    db.close()


def nowhere(key: str, workspace: Path, *said: str) -> bool:
    """Neither in what was said nor in any file, packed texts of the ledger included."""
    texts = [*said, *(str(path) for path in workspace.rglob("*"))]
    texts += [path.read_bytes().decode("latin-1") for path in workspace.rglob("*") if path.is_file()]
    if (outputs(workspace) / "ledger.sqlite").exists():
        with Ledger.look(outputs(workspace)) as ledger:
            samples = "SELECT user, sample FROM requests JOIN shapes ON shapes.id = shape"
            texts += [unpacked(user, sample) for user, sample in ledger.rows(samples)]
            texts += [unpacked(body) for (body,) in ledger.rows("SELECT body FROM replies")]
    return not any(key in text for text in texts)


# An invariant that nothing guards: what the ledger remembers of an endpoint was written by us. The key in it
# stands for whatever an exception may quote.
NONSENSE = "UPDATE endpoints SET speech = ? || ' max_tokens 1'"


def test_a_bug_of_ours_ends_with_70_and_one_line_that_says_where_the_traceback_is(workspace):
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
        write_in_the_ledger(workspace, NONSENSE, KEY)
        done = run(workspace, teacher.url)
    assert done.returncode == 70
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr + done.stdout
    (path,) = (workspace / "outputs").glob("crash-*.txt")
    assert re.fullmatch(r"crash-\d{8}T\d{6}Z-\d+\.txt", path.name)
    assert f"outputs/{path.name}" in done.stderr
    page = path.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in page
    assert "ValueError" in page.splitlines()[-1] and "[secret]" in page.splitlines()[-1]
    assert "command: coursework run recipes/tiny.yaml --model m" in page
    write_in_the_ledger(workspace, "UPDATE endpoints SET speech = ''")
    assert nowhere(KEY, workspace, done.stdout, done.stderr)


def test_a_traceback_goes_where_temporary_files_go_if_the_folder_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    line = report(ValueError("first line\nsecond line"), tmp_path / "none", {})
    (path,) = tmp_path.iterdir()
    assert str(path) in line
    assert "\n" not in line
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert "written nowhere" in report(ValueError("x"), tmp_path / "none", {})


def test_secrets_are_known_by_the_names_of_their_variables():
    environment = {
        "HF_TOKEN": "hf_abcdef",
        "OPENAI_API_KEY": " hf_abcdef123 ",
        "TOKENIZERS_PARALLELISM": "false",
        "X_KEY": "a",
    }
    assert redacted("false hf_abcdef123 hf_abcdef a", environment) == "false [secret] [secret] a"


def truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def overwritten(path: Path) -> None:
    """All but the first page, which holds the schema."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()


def without_a_table(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE replies")
    db.close()


def with_unreadable_replies(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE replies SET body = x'00ff00'")
    db.close()


def of_a_later_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


ODD = [truncated, overwritten, of_another_program, without_a_table, with_unreadable_replies, of_a_later_version]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_an_odd_ledger_is_named_in_one_line_by_every_command(workspace, odd):
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
        path = outputs(workspace) / "ledger.sqlite"
        odd(path)
        before = path.read_bytes()
        for verb in (["run", "recipes/tiny.yaml", "--model", "m"], ["plan", "recipes/tiny.yaml", "--model", "m"]):
            done = coursework(workspace, *verb, url=teacher.url)
            if (verb[0], odd) == ("plan", with_unreadable_replies):
                continue  # it counts replies, and reads none but those that bring further requests
            assert done.returncode == 65, done.stderr
            assert done.stderr.count("\n") == 1, done.stderr
            assert "outputs/tiny/ledger.sqlite" in done.stderr
        proved = coursework(workspace, "verify", "outputs/tiny")
        assert proved.returncode == 65, proved.stderr
        assert "outputs/tiny/ledger.sqlite: " in proved.stdout
        assert "Traceback" not in proved.stderr
        assert path.read_bytes() == before
        assert len(teacher.bodies) == len(teacher.bought)


def test_a_ledger_that_was_moved_without_its_journal_is_not_begun_anew(workspace):
    """SQLite would take what the old journal holds for the new ledger's."""
    with Teacher(latency=0) as teacher:
        with Ledger(folder := outputs(workspace)) as ledger:
            ledger.note_speech("somebody", "json_schema max_tokens 1")
            journal = (folder / "ledger.sqlite-wal").read_bytes()
        (folder / "ledger.sqlite").unlink()
        (folder / "ledger.sqlite-wal").write_bytes(journal)
        done = run(workspace, teacher.url)
        assert done.returncode == 65
        assert "ledger.sqlite-wal" in done.stderr
        assert (folder / "ledger.sqlite-wal").read_bytes() == journal
        assert not teacher.bodies
        (folder / "ledger.sqlite-wal").unlink()
        assert run(workspace, teacher.url).returncode == 0


def quoting(status: int) -> Answer:
    return error(
        status, f"Incorrect API key provided: {KEY}. See your account.", "invalid_api_key" if status == 401 else None
    )


MODES = {
    "401": quoting(401),
    "403": quoting(403),
    "404": quoting(404),
    "400": quoting(400),
    "429": quoting(429),
    "500": quoting(500),
    "503 in bare text": Answer(503, f"upstream refused Authorization: Bearer {KEY}".encode()),
    "200 in HTML": Answer(200, f"<html>Bearer {KEY}</html>".encode()),
    "200 of another kind": Answer(200, f'{{"error": "{KEY}"}}'.encode()),
    "across the end of what is told of an error": error(500, "x" * (300 - len(KEY) // 2) + KEY),
    "across the end of what is told of a reply": Answer(200, b"<" * (120 - len(KEY) // 2) + KEY.encode()),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_key_that_the_endpoint_quotes_is_written_nowhere(workspace, mode):
    with ScriptedServer(lambda body, number: MODES[mode]) as server:
        done = run(workspace, server.url)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert done.returncode in (69, 75), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for part in (KEY, KEY[: len(KEY) // 2]):
        assert nowhere(part, workspace, done.stdout, done.stderr)


@pytest.mark.slow
def test_the_rehearsal_tells_nobody_the_key_it_was_asked_with(workspace):
    command = [sys.executable, "-m", "pipeline", "rehearse", "--batch-seconds", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as rehearsal:
        url = re.search(r"http://\S+/v1", first := rehearsal.stdout.readline())[0]
        runs = [run(workspace, url)]
        path = workspace / "recipes" / "tiny.yaml"
        path.write_text(
            path.read_text().replace("teacher: {", "teacher: {mode: batch, ").replace("name: tiny", "name: b")
        )
        runs.append(run(workspace, url))
        assert [done.returncode for done in runs] == [0, 0], runs
        counts = call(url.removesuffix("/v1"), "GET", "/rehearsal/counts").body.decode()
        assert '"/v1/batches"' in counts
        rehearsal.terminate()
        said = [first, *rehearsal.communicate(timeout=20), counts]
    assert nowhere(KEY, workspace, *said, *(done.stdout + done.stderr for done in runs))


def test_a_key_is_written_nowhere_if_nobody_answers(workspace):
    done = run(workspace, "http://127.0.0.1:9/v1")
    assert done.returncode == 69
    assert nowhere(KEY, workspace, done.stdout, done.stderr)
    planned = coursework(workspace, "plan", "recipes/tiny.yaml", "--model", "m", url="http://127.0.0.1:9/v1")
    assert nowhere(KEY, workspace, planned.stdout, planned.stderr)
