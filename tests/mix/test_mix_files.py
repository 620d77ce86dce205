"""Rows of files: each format streamed, a bad row told in its place, the others read."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.mix.files import Bad, find_files, rows_of
from tests.conftest import ROOT

ROWS = [{"question": f"What is {n}, and why?", "answer": f"Number\u2028{n}; “é”"} for n in range(5)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


def read(path, columns=()):
    return [(number, row if isinstance(row, dict) else "bad") for number, row in rows_of(path, columns)]


def test_json_lines_are_read_plain_and_packed(tmp_path):
    (tmp_path / "a.jsonl").write_text("\ufeff" + LINES, encoding="utf-8")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(LINES.encode()))
    (tmp_path / "c.jsonl.zst").write_bytes(zstandard.compress(LINES.encode()))
    (tmp_path / "d.json").write_text(LINES, encoding="utf-8")
    for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.zst", "d.json"):
        assert read(tmp_path / name) == list(enumerate(ROWS, 1))


def test_a_bad_line_is_told_and_the_others_are_read(tmp_path):
    lines = LINES.encode().splitlines(keepends=True)
    bad = [b'{"question": \n', b"\n", b'{"question": "\xff\xfe"}\n', b"[1, 2]\n", b'"a"\r\n', b'{"a": "\\ud800"}\n']
    (tmp_path / "a.jsonl").write_bytes(lines[0] + b"".join(bad) + b"".join(lines[1:]))
    found = read(tmp_path / "a.jsonl")
    assert [row for _, row in found if row != "bad"] == ROWS
    assert [number for number, row in found if row == "bad"] == [2, 4, 5, 6, 7]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_element_by_element(tmp_path, indent):
    (tmp_path / "a.json").write_text(" \n" + json.dumps(ROWS, indent=indent, ensure_ascii=False), encoding="utf-8")
    assert read(tmp_path / "a.json") == list(enumerate(ROWS, 1))


def test_an_array_that_breaks_off_gives_what_stands_before(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(ROWS)[:-20], encoding="utf-8")
    assert read(tmp_path / "a.json") == [*enumerate(ROWS[:-1], 1), (5, "bad")]


def test_a_large_array_is_never_held(tmp_path):
    with (tmp_path / "a.json").open("w", encoding="utf-8") as file:
        for number in range(60_000):
            file.write(("[" if number == 0 else ",") + json.dumps({"question": "x" * 1000, "answer": str(number)}))
        file.write("]")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom pipeline.mix.files import rows_of\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(1 for _ in rows_of(Path(sys.argv[1]))) == 60_000\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.json")],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert float(done.stdout) < 20  # of 62 MB


CSV = [("What is a, and b?", "It is; “so”\nand so."), ("Why?", 'He said "no"'), ("How, then?", "By; bus")]


def written(delimiter: str, head: str = "") -> str:
    cells = [["".join(('"', cell.replace('"', '""'), '"')) for cell in row] for row in CSV]
    return head + "".join(delimiter.join(row) + "\r\n" for row in cells)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["question{}answer\r\n", "Question{}Answer\r\n", ""])
def test_csv_is_read_with_any_delimiter_with_names_or_without(tmp_path, delimiter, head):
    (tmp_path / "a.csv").write_text(written(delimiter, head.format(delimiter)), encoding="utf-8-sig", newline="")
    found = [tuple(row[name] for name in row) for _, row in rows_of(tmp_path / "a.csv")]
    assert found == CSV


def test_csv_without_quotes_and_in_utf_16_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("question;answer\nWhat, then?;So, and so.\n", encoding="utf-16")
    assert read(tmp_path / "a.csv") == [(2, {"question": "What, then?", "answer": "So, and so."})]


def test_a_csv_row_of_other_columns_or_bytes_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"question,answer\nWhat?,So.\nWhy?,a,b\n\nHow?,By bus.\n")
    assert [(number, row == "bad") for number, row in read(tmp_path / "a.csv")] == [(2, False), (3, True), (5, False)]


def test_columns_without_names_are_called_by_number_where_the_recipe_does(tmp_path):
    (tmp_path / "a.csv").write_text("7,What?,So.\n8,Why?,Thus.\n", encoding="utf-8")
    assert read(tmp_path / "a.csv", ("2", "3"))[0] == (1, {"1": "7", "2": "What?", "3": "So."})


def test_parquet_is_read_by_the_columns_that_are_wanted(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    turn = [[{"from": "human", "value": row["question"]}, {"from": "gpt", "value": row["answer"]}] for row in ROWS]
    parquet.write_table(pyarrow.table({"conversations": turn, "vector": [[0.1] * 3] * 5}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", ["conversations"]) == [
        (number, {"conversations": one}) for number, one in enumerate(turn, 1)
    ]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"b\.parquet: is not Parquet"):
        read(tmp_path / "b.parquet")


def test_what_cannot_be_read_at_all_is_named(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINES.encode())[:-12])
    (tmp_path / "b.txt").write_text("no rows")
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: cannot be read"):
        read(tmp_path / "a.jsonl.gz")
    with pytest.raises(InputError, match=r"b\.txt: is neither"):
        read(tmp_path / "b.txt")
    with pytest.raises(InputError, match=r"c\.jsonl: no such file"):
        find_files(["c.jsonl"], tmp_path)


def test_without_pyarrow_one_line_says_what_to_install(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    code = (
        "import sys\nsys.modules['pyarrow'] = None\nfrom pathlib import Path\nfrom pipeline.mix.files import rows_of\n"
        "from pipeline.errors import InputError\n"
        "try:\n    list(rows_of(Path(sys.argv[1])))\nexcept InputError as fault:\n    print(fault)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.parquet")],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "pip install 'coursework[mix]'" in done.stdout


def test_folders_and_globs_are_gone_through_by_name(tmp_path):
    for name in ("b.jsonl", "a.csv", "x/c.jsonl.gz", "x/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in find_files(["."], tmp_path)] == ["a.csv", "b.jsonl", "c.jsonl.gz"]
    assert [path.name for path in find_files(["*.jsonl", "**/*.gz"], tmp_path)] == ["b.jsonl", "c.jsonl.gz"]


@given(st.binary(max_size=400), st.sampled_from([".jsonl", ".json", ".csv", ".tsv"]))
def test_no_bytes_bring_the_reader_down(tmp_path_factory, content, ending):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    try:
        assert all(isinstance(row, dict | Bad) for _, row in rows_of(path))
    except InputError:
        assert content
