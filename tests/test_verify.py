# ruff: noqa: E501
"""`coursework verify` finds every kind of damage to an outputs folder, names the file, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline.files import sha256
from pipeline.teacher.ledger import Ledger
from tests.commands import coursework
from tests.victims import Teacher, finish, make_workspace, outputs, problems


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with a finished run."""
    workspace = make_workspace(tmp_path_factory.mktemp("made"))
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
    return workspace


@pytest.fixture
def workspace(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_a_sound_folder_ends_with_0_and_one_line_that_counts(workspace):
    done = coursework(workspace, "verify", "outputs/tiny")
    rows = sum(len(path.read_bytes().splitlines()) for path in (outputs(workspace) / "dataset").glob("*.jsonl"))
    said = f"outputs/tiny: 18 requests, 18 replies, 1 sheets, {rows} rows: no problems\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_every_problem_is_a_line_and_the_end_is_65(workspace):
    dataset = outputs(workspace) / "dataset"
    (dataset / "train.jsonl").write_bytes(b"")
    (dataset / "notes.txt").write_text("mine")
    done = coursework(workspace, "verify", "outputs/tiny")
    assert done.returncode == 65
    assert "outputs/tiny/dataset/train.jsonl: not the file that the manifest vouches for" in done.stdout.splitlines()
    assert "outputs/tiny/dataset/notes.txt: not named by the manifest" in done.stdout.splitlines()
    assert done.stderr.count("\n") == 1
    assert f"{len(done.stdout.splitlines())} problems" in done.stderr


def test_a_folder_that_is_none_of_ours_is_refused(tmp_path):
    (tmp_path / "recipes").mkdir()
    for name in ("recipes", "nothing"):
        done = coursework(tmp_path, "verify", name)
        assert (done.returncode, done.stdout) == (65, "")
        assert done.stderr.count("\n") == 1


def test_a_run_that_died_before_it_made_its_ledger_left_nothing_to_mend(tmp_path):
    (tmp_path / "outputs" / "tiny").mkdir(parents=True)
    (tmp_path / "outputs" / "tiny" / "ledger.lock").touch()
    assert coursework(tmp_path, "verify", "outputs/tiny").returncode == 0


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_verifying_changes_nothing_and_is_stopped_by_nobody(workspace):
    before = everything(outputs(workspace))
    assert problems(workspace) == []
    assert everything(outputs(workspace)) == before
    with Ledger(outputs(workspace)):
        assert problems(workspace) == []


def test_who_is_at_work_is_named_beside_what_may_be_on_its_way(workspace):
    (outputs(workspace) / "dataset" / ".train.jsonl.aside").write_text("half")
    assert not any("at work" in line for line in problems(workspace))
    with Ledger(outputs(workspace)):
        told = problems(workspace)
    assert any(f"process {os.getpid()} since" in line and "at work" in line for line in told)


DAMAGE = {
    "another key": ("UPDATE requests SET key = x'00112233445566778899aabbccddeeff' WHERE place = 3", "request 3: its key"),
    "another question": ("UPDATE requests SET user = (SELECT user FROM requests WHERE place = 1) WHERE place = 2", "request 2: its key"),
    "another kind": ("UPDATE requests SET kind = 'persona_answers' WHERE place = 2", "request 2: it is filed as"),
    "another shape": ("UPDATE shapes SET body = replace(body, '0.7', '0.8')", "is not the hash of what was asked"),
    "a shape that is none": ("UPDATE shapes SET body = '[]' WHERE id = 1", "what was asked cannot be read"),
    "a question that cannot be read": ("UPDATE requests SET user = x'00ff' WHERE place = 4", "request 4: what was asked cannot be read"),
    "a reply that cannot be read": ("UPDATE replies SET body = x'00ff' WHERE place = 5", "request 5: its reply cannot be read"),
    "a reply without a request": ("DELETE FROM requests WHERE place = 6", "request 6: a reply without a request"),
    "a reply that brings money": ("UPDATE replies SET usd = -1 WHERE place = 7", "request 7: a reply that costs less than nothing"),
    "an open reservation for what is paid": ("INSERT INTO reservations (place, tokens, made) VALUES (8, 5, 0)", "request 8: still reserved"),
    "a reservation of nothing": ("INSERT INTO reservations (place, tokens, made, lost) VALUES (9, -5, 0, 1)", "request 9: less than nothing is reserved"),
    "a reservation for nobody": ("INSERT INTO reservations (place, tokens, made, lost) VALUES (999, 5, 0, 1)", "request 999: a reservation without a request"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_to_the_ledger_is_found(workspace, damage):
    statement, expected = DAMAGE[damage]
    with sqlite3.connect(outputs(workspace) / "ledger.sqlite") as db:
        assert db.execute(statement).rowcount
    db.close()
    told = problems(workspace)
    assert any(expected in line for line in told), told
    assert all(line.startswith(f"{outputs(workspace) / 'ledger.sqlite'}: ") for line in told)


def test_a_flipped_bit_anywhere_in_the_ledgers_replies_is_found(workspace):
    """In the packed text of a reply, where SQLite itself sees nothing wrong."""
    path = outputs(workspace) / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        (body,) = db.execute("SELECT body FROM replies WHERE place = 1").fetchone()
    db.close()
    for place in range(0, len(body), max(1, len(body) // 60)):
        with sqlite3.connect(path) as db:
            db.execute("UPDATE replies SET body = ? WHERE place = 1", (_flipped(body, place),))
        db.close()
        assert problems(workspace), f"byte {place} of {len(body)}"


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def test_any_flipped_bit_in_the_dataset_is_found(workspace):
    for path in sorted((outputs(workspace) / "dataset").iterdir()):
        content = path.read_bytes()
        if path.name == "manifest.json":
            continue  # it vouches for the others; nothing vouches for its prose
        path.write_bytes(_flipped(content, len(content) // 2))
        assert any(line.startswith(f"{path}") for line in problems(workspace)), path.name
        path.write_bytes(content)
    assert problems(workspace) == []


def vouched(workspace: Path, stem: str, change) -> list[str]:
    """What is found after a change to the rows of a file that the manifest then vouches for, so that only the rows tell."""
    dataset = outputs(workspace) / "dataset"
    path = dataset / f"{stem}.jsonl"
    rows = change([json.loads(line) for line in path.open(encoding="utf-8")])
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(content)
    manifest = json.loads((dataset / "manifest.json").read_bytes())
    manifest["files"][path.name] = sha256(content)
    (dataset / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return problems(workspace)


def trained(workspace: Path) -> list[dict]:
    return [json.loads(line) for line in (outputs(workspace) / "dataset" / "train.jsonl").open(encoding="utf-8")]


def asks(row: dict, question: str) -> dict:
    return row | {"question": question, "prompt": f"Question: {question}\nAnswer:"}


def test_rows_written_again_as_they_are_are_sound(workspace):
    for stem in ("train", "rephrased", "unseen", "off_topic", "near_topic"):
        assert vouched(workspace, stem, lambda rows: rows) == []


@pytest.mark.parametrize("stem", ["rephrased", "unseen", "off_topic", "near_topic"])
def test_a_question_that_is_trained_and_held_out_is_found(workspace, stem):
    question = trained(workspace)[0]["question"].upper()
    told = vouched(workspace, stem, lambda rows: [asks(rows[0], question), *rows[1:]])
    assert told == [f"{outputs(workspace) / 'dataset' / stem}.jsonl:1: its question is trained"]


LEAKS = {
    "a passage": ("unseen", "passage", "document", "its passage is trained"),
    "a fact": ("unseen", "fact", "document", "its fact is trained"),
    "a field": ("off_topic", "field", "off_topic", "its field"),
    "an id": ("rephrased", "id", "document", "stands twice"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_a_slice_shares_with_training_is_found(workspace, leak):
    stem, column, kind, expected = LEAKS[leak]
    value = next(row[column] for row in trained(workspace) if row["kind"] == kind)
    told = vouched(workspace, stem, lambda rows: [*rows[:-1], rows[-1] | {column: value}])
    assert len(told) == 1
    assert expected in told[0]


def test_a_rephrased_question_whose_fact_is_not_trained_is_found(workspace):
    told = vouched(workspace, "rephrased", lambda rows: [rows[0] | {"fact": "0" * 16}, *rows[1:]])
    assert told == [f"{outputs(workspace) / 'dataset' / 'rephrased.jsonl'}:1: its fact is not trained"]


def test_a_typing_slip_of_a_trained_question_in_a_slice_is_found(workspace):
    parent = next(row for row in trained(workspace) if row["kind"] == "document" and not row["typo_of"])
    told = vouched(workspace, "rephrased", lambda rows: [rows[0] | {"typo_of": parent["id"]}, *rows[1:]])
    assert told == [
        f"{outputs(workspace) / 'dataset' / 'rephrased.jsonl'}:1: the same but for a typing slip is trained"
    ]


def test_a_refusal_in_words_that_the_manifest_does_not_name_is_found(workspace):
    path = outputs(workspace) / "dataset" / "off_topic.jsonl"
    told = vouched(workspace, "off_topic", lambda rows: [rows[0] | {"answer": "No.", "completion": " No."}, *rows[1:]])
    assert told == [f"{path}:1: its answer is no refusal that the manifest names"]


ROWS = {
    "a row fewer": (lambda rows: rows[1:], "rows, and the manifest says"),
    "a column fewer": (lambda rows: [{"question": "Why?"}, *rows[1:]], "train.jsonl:1: prompt: Field required"),
    "another answer": (lambda rows: [rows[0] | {"answer": "Another."}, *rows[1:]], "the completion is not the answer"),
    "another question": (lambda rows: [rows[0] | {"question": "Why?"}, *rows[1:]], "the prompt is not the question"),
}


@pytest.mark.parametrize("change", ROWS)
def test_rows_that_are_not_what_they_say_are_found(workspace, change):
    how, expected = ROWS[change]
    assert any(expected in line for line in vouched(workspace, "train", how))


@pytest.mark.parametrize("name", ["train.jsonl", "manifest.json", "README.md", "unseen.jsonl"])
def test_a_file_of_the_dataset_that_is_gone_is_found(workspace, name):
    (outputs(workspace) / "dataset" / name).unlink()
    told = problems(workspace)
    assert any(name in line for line in told), told


def test_lines_of_sheets_and_rejections_that_cannot_be_read_are_found(workspace):
    sheet = outputs(workspace) / "review" / "0001.jsonl"
    sheet.write_text(sheet.read_text(encoding="utf-8") + "{not json\n", encoding="utf-8")
    (outputs(workspace) / "rejected.jsonl").write_text('{"cause": 3}\n')
    told = problems(workspace)
    assert any(line.startswith(f"{sheet}:") for line in told)
    assert any(line.startswith(f"{outputs(workspace) / 'rejected.jsonl'}:1: ") for line in told)


@pytest.mark.parametrize("inside", ["", "review", "dataset"])
def test_what_a_killed_run_left_is_found_and_the_next_run_removes_it(workspace, inside):
    left = outputs(workspace) / inside / ".0001.jsonl.aside"
    left.write_text("half a line")
    assert problems(workspace) == [f"{left}: left half-written by a killed run; the next run removes it"]
    with Teacher() as teacher:
        finish(workspace, teacher.url)
        assert not teacher.bodies
    assert problems(workspace) == []
