"""The page about reviewing and the editor's files are true."""

from __future__ import annotations

import json
import re

from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.review.sheets import YOURS, Line, sheet_schema
from pipeline.workspace import make_workspace
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reviewing.md").read_text(encoding="utf-8")


def test_the_page_names_the_fields_of_a_line_in_their_order_and_which_are_a_persons():
    table = PAGE[PAGE.index("| field |") : PAGE.index("Nothing reads")]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    rows = [[*re.findall(r"`(\w+)`", line.split("|")[1]), line] for line in lines]
    assert [name for row in rows for name in row[:-1]] == list(Line.model_fields)
    yours = {row[0] for row in rows if "yours to edit" in row[-1]}
    assert yours == YOURS - {"review"}


def test_the_line_on_the_page_is_one():
    line = Line.model_validate_json(PAGE.split("```json\n")[1].split("\n```")[0])
    assert line.review == ""


def test_the_commands_of_the_page_exist_with_their_options():
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for command in block.splitlines():
            words = command.removeprefix("$ coursework ").split()
            verb = words[:2] if words[0] == "rule" else words[:1]
            help_text = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200"}).output
            assert all(option in help_text for option in re.findall(r"--[a-z]+", command)), command


def test_the_schema_takes_lines_as_they_are_laid_and_verdicts_as_people_write_them():
    schema = json.loads(sheet_schema())
    pattern = re.compile(schema["properties"]["review"]["pattern"])
    assert all(pattern.search(review) for review in ("", "keep", "drop", "fix: too long", " Keep "))
    assert not any(pattern.search(review) for review in ("dorp", "fix:", "fix", "keep it"))
    assert set(schema["required"]) == {"question", "answer", "id"}
    assert schema["additionalProperties"] is False


def settings(name: str) -> dict:
    text = (ROOT / "vscode" / name).read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def test_the_editor_finds_file_line_and_column_in_what_check_says_and_knows_when_a_round_ends():
    once, watching = settings("tasks.json")["tasks"]
    said = "outputs/tiny/review/0001.jsonl:12:57: answer: The answer says 1875: which is wrong."
    for task in (once, watching):
        pattern = task["problemMatcher"]["pattern"]
        found = re.search(pattern["regexp"], said)
        assert found
        assert [found[pattern[part]] for part in ("file", "line", "column")] == [
            "outputs/tiny/review/0001.jsonl", "12", "57"
        ]  # fmt: skip
        assert found[pattern["message"]].startswith("answer: ")
        assert not re.search(pattern["regexp"], '    "answer": "0001.jsonl"')
    source = (ROOT / "pipeline" / "cli_review.py").read_text(encoding="utf-8")
    background = watching["problemMatcher"]["background"]
    begins, ends = re.findall(r'typer\.echo\(f?"(check[^"{]*)', source)
    assert re.search(background["beginsPattern"], begins)
    assert re.search(background["endsPattern"], f"{ends}nothing is wrong")
    for task in (once, watching):
        verb, *options = task["command"].removeprefix("coursework ").split()
        help_text = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200"}).output
        assert all(option in help_text for option in options if option.startswith("--"))


def test_a_new_workspace_has_the_editors_files(tmp_path):
    make_workspace(tmp_path / "mine")
    for name in ("tasks.json", "settings.json"):
        assert (tmp_path / "mine" / ".vscode" / name).read_bytes() == (ROOT / "vscode" / name).read_bytes()
    assert settings("settings.json")["[jsonl]"]["editor.wordWrap"] == "on"
