"""The page changes the line that a person saw and no other, whoever else writes to the sheet meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reviewing.lines import Seen, Sheets

EDITOR = """
import json, os, sys, time
from pathlib import Path
path, how, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(rounds):
    lines = path.read_bytes().split(b"\\n")
    if len(lines) < 41:  # somebody is half-way: an editor would say that the file has changed
        continue
    line = json.loads(lines[2 * number + 1])
    line["answer"] = f"By hand, {number}."
    lines[2 * number + 1] = json.dumps(line, ensure_ascii=False).encode()
    content = b"\\n".join(lines)
    if how == "rename":
        aside = path.with_suffix(".swp")
        aside.write_bytes(content)
        os.replace(aside, path)
    else:
        with path.open("r+b") as file:
            for start in range(0, len(content), 512):
                file.write(content[start : start + 512])
                file.flush()
            file.truncate()
    time.sleep(0.4)
"""


def sheet(folder: Path, count: int = 40, end: str = "\n") -> Sheets:
    lines = [{"review": "", "question": f"What is {number}?", "answer": f"It is {number}.", "id": f"{number:016x}"}
             for number in range(count)]  # fmt: skip
    (folder / "0001.jsonl").write_text("".join(json.dumps(line) + end for line in lines), encoding="utf-8", newline="")
    old = time.time() - 60
    os.utime(folder / "0001.jsonl", (old, old))
    return Sheets(folder)


def seen(sheets: Sheets, name: str) -> Seen:
    return next(one for one in sheets.lines() if isinstance(one, Seen) and one.line["id"] == name)


def on_disk(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "0001.jsonl").read_bytes().split(b"\n") if line.strip()]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_line_is_changed_and_the_others_stay_byte_for_byte(tmp_path, end):
    sheets = sheet(tmp_path, end=end)
    before = (tmp_path / "0001.jsonl").read_bytes().split(b"\n")
    line = seen(sheets, f"{7:016x}")
    changed = sheets.change(
        "0001.jsonl", line.line["id"], line.mark, {"review": "drop", "answer": "Zażółć “x” \u2028."}
    )
    after = (tmp_path / "0001.jsonl").read_bytes().split(b"\n")
    assert changed.done and [number for number, one in enumerate(before) if one != after[number]] == [7]
    assert json.loads(after[7])["answer"] == "Zażółć “x” \u2028." and list(json.loads(after[7])) == list(
        json.loads(before[7])
    )
    assert "Zażółć".encode() in after[7] and after[7].endswith(b"\r") == (end == "\r\n")
    assert changed.seen.mark == seen(sheets, f"{7:016x}").mark


def test_a_line_that_stands_otherwise_by_now_is_not_touched_and_is_shown(tmp_path):
    sheets = sheet(tmp_path)
    line = seen(sheets, f"{3:016x}")
    text = (tmp_path / "0001.jsonl").read_text(encoding="utf-8").replace("It is 3.", "It is three.")
    (tmp_path / "0001.jsonl").write_text(text, encoding="utf-8")
    refused = sheets.change("0001.jsonl", line.line["id"], line.mark, {"review": "drop"})
    assert not refused.done and refused.seen.line["answer"] == "It is three."
    assert (tmp_path / "0001.jsonl").read_text(encoding="utf-8") == text
    assert sheets.change("0001.jsonl", line.line["id"], refused.seen.mark, {"review": "drop"}).done


def test_a_line_or_a_sheet_that_is_gone_is_said_to_be(tmp_path):
    sheets = sheet(tmp_path, 2)
    line = seen(sheets, f"{1:016x}")
    assert sheets.change("0001.jsonl", "f" * 16, line.mark, {"review": "drop"}).seen is None
    (tmp_path / "0001.jsonl").unlink()
    assert sheets.change("0001.jsonl", line.line["id"], line.mark, {"review": "drop"}).seen is None


def test_lines_that_cannot_be_read_are_named_and_kept(tmp_path):
    sheets = sheet(tmp_path, 3)
    path = tmp_path / "0001.jsonl"
    path.write_bytes(path.read_bytes() + b'{"review": "keep", "question"\n[1]\n')
    problems = [one for one in sheets.lines() if isinstance(one, str)]
    assert [problem.rsplit(":", 1)[0] for problem in problems] == [f"{path}:4", f"{path}:5"]
    line = seen(sheets, f"{0:016x}")
    os.utime(path, (1, 1))
    assert sheets.change("0001.jsonl", line.line["id"], line.mark, {"review": "keep"}).done
    assert path.read_bytes().endswith(b'{"review": "keep", "question"\n[1]\n')


@pytest.mark.parametrize("how", ["rename", "in place"])
def test_an_editor_that_saves_meanwhile_loses_nothing_and_neither_does_the_page(tmp_path, how):
    """The editor changes lines 1, 3, 5 ..., the page judges the lines between them."""
    sheets, rounds = sheet(tmp_path), 8
    editor = subprocess.Popen([sys.executable, "-c", EDITOR, str(tmp_path / "0001.jsonl"), how, str(rounds)])
    judged = 0
    while editor.poll() is None or judged < 20:
        name = f"{2 * judged:016x}"
        if judged < 20 and sheets.change("0001.jsonl", name, seen(sheets, name).mark, {"review": "keep"}).done:
            judged += 1
        time.sleep(0.05)
    found = on_disk(tmp_path)
    assert len(found) == 40
    assert [line["review"] for line in found[::2]] == ["keep"] * 20
    by_hand = [line["answer"] for line in found[1::2] if line["answer"].startswith("By hand")]
    assert by_hand == [f"By hand, {number}." for number in range(rounds)]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6), st.integers(0, 5), st.text(min_size=1, max_size=30))
def test_whatever_a_person_types_reads_back_as_typed(tmp_path_factory, texts, number, typed):
    folder = tmp_path_factory.mktemp("sheet")
    lines = [{"question": text, "answer": "a", "id": f"{place:016x}"} for place, text in enumerate(texts)]
    (folder / "0001.jsonl").write_bytes(b"\n".join(json.dumps(line).encode() for line in lines))
    os.utime(folder / "0001.jsonl", (1, 1))
    sheets = Sheets(folder, wait=lambda seconds: None)
    line = seen(sheets, f"{number % len(texts):016x}")
    assert sheets.change("0001.jsonl", line.line["id"], line.mark, {"answer": typed}).done
    lines[number % len(texts)]["answer"] = typed
    assert on_disk(folder) == lines
