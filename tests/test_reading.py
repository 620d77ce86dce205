"""`coursework read` shows what the pipeline would see, and fails where a file stays unread."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from pypdf import PdfReader, PdfWriter

from pipeline.recipe import Documents
from pipeline.sources import ReadLimits, ReadOptions
from tests.commands import coursework
from tests.conftest import ROOT

SAMPLE = ROOT / "samples" / "good_and_bad_communication.pdf"


@pytest.fixture
def read(tmp_path):
    def run(*arguments, **environment):
        return coursework(tmp_path, "read", *arguments, environment={"PATH": "/usr/bin:/bin", **environment})

    return run


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_is_told_by_fate_reader_pages_characters_and_passages(read):
    done = read(SAMPLE)
    assert done.returncode == 0
    assert "read by pypdf, 6 pages, 15,093 characters, 31 passages" in done.stdout


def test_json_has_one_line_a_file_and_each_unread_file_has_its_cause(read, tmp_path):
    (tmp_path / "good.txt").write_text("A word to the wise is enough.", encoding="utf-8")
    (tmp_path / "none.pdf").write_bytes(b"")
    (tmp_path / "page.pdf").write_bytes(b"<html>" * 300)
    done = read("--json", ".")
    assert done.returncode == 65
    assert "2 of 3 files were not read" in done.stderr
    assert [(one["file"], one["fate"], one["pages"], one["characters"], one["passages"]) for one in lines(done)] == [
        ("good.txt", "read", 1, 29, 1), ("none.pdf", "empty", 0, 0, 0), ("page.pdf", "not-a-pdf", 0, 0, 0),
    ]  # fmt: skip
    assert all(bool(one["cause"]) != (one["fate"] == "read") for one in lines(done))


def test_text_shows_each_passage_with_its_page_and_headings(read):
    done = read("--text", SAMPLE)
    assert (
        "--- page 1 | Good and Bad Communication | Listening | Silence\nSilence gives a hesitant speaker" in done.stdout
    )
    assert done.stdout.count("\n--- page") == 31


def test_pairs_are_told_by_their_lines(read, tmp_path):
    (tmp_path / "faq.csv").write_text('Q;A\n"Why\nwait?";To listen.\nbroken\nWho?;Ann.\n', encoding="utf-8")
    assert read("--text", "faq.csv").stdout.splitlines() == [
        "faq.csv: read by csv, 5 lines, 31 characters, 1 passage",
        "  line 4 was left out: it has 1 cell, and the first row has 2",
        "--- lines 2 to 5", "Why wait?", "To listen.", "", "Who?", "Ann.",
    ]  # fmt: skip


def test_a_recipe_says_how_its_files_are_read_and_with_which_password(read, tmp_path):
    writer = PdfWriter(clone_from=PdfReader(SAMPLE))
    writer.encrypt("geheim", algorithm="AES-256")
    writer.write(tmp_path / "locked.pdf")
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\ndocuments: {files: [locked.pdf], reader: pypdfium2, password_env: DOCS}\n")
    assert lines(read("--json", "--recipe", recipe, DOCS="geheim"))[0]["reader"] == "pypdfium2"
    locked = read("--json", "--recipe", recipe)
    assert locked.returncode == 65
    assert lines(locked)[0]["fate"] == "encrypted"
    assert lines(locked)[0]["cause"].endswith("DOCS is not set")
    assert lines(read("--json", "--recipe", recipe, DOCS="wrong"))[0]["cause"] == "the password given does not open it"


@pytest.mark.parametrize("arguments", [(), ("--text", "--json", SAMPLE)])
def test_a_command_line_that_asks_for_nothing_or_for_two_shapes_is_wrong(read, arguments):
    assert read(*arguments).returncode == 2


def test_a_name_that_no_terminal_can_show_is_escaped(read, tmp_path):
    (tmp_path / "a\x1b[2J.txt").write_text("A word to the wise.", encoding="utf-8")
    assert lines(read("--json", "."))[0]["file"] == "a\\x1b[2J.txt"


def test_what_a_recipe_leaves_out_is_what_the_readers_do_by_themselves():
    section = Documents(files=("x",)).model_dump()
    options = asdict(ReadOptions())
    assert {name: section[name] for name in options} == options
    assert section["seconds_per_file"] == ReadLimits().seconds
    assert section["memory_mib_per_file"] == ReadLimits().memory_mib
