"""A sheet is written once and is the person's from then on; what the person decided outranks all."""

from __future__ import annotations

import json

import pytest

from pipeline.records import Record, Rejection
from pipeline.review.sheets import decide, lay_sheet, read_sheets


def record(name: str, **changes) -> Record:
    values = dict(
        id=name, kind="document", question=f"What is {name}?", answer=f"{name} is größer, 多.", quote="q",
        source="a.md", page=1, span=(0, 1), passage="p", fact=name, model="m", prompt="p", request="r",
    )  # fmt: skip
    return Record(**(values | changes))


class Desk:
    """A review folder with the memory that the ledger keeps of it."""

    def __init__(self, folder):
        self.folder = folder
        self.laid = {}

    def note(self, sheet, lines):
        self.laid |= {name: (sheet, line) for name, line in lines}

    def lay(self, *records):
        return lay_sheet(self.folder, records, self.laid, self.note)

    def after(self, *records):
        """What is kept, and what is dropped."""
        ends = list(decide(records, read_sheets(self.folder, self.laid)))
        return [end for end in ends if isinstance(end, Record)], [end for end in ends if isinstance(end, Rejection)]

    def edit(self, path, change):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)), encoding="utf-8")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "review")


A, B, C = record("a"), record("b"), record("c")


def test_a_sheet_holds_readable_lines_with_the_verdict_first(desk):
    text = desk.lay(A).read_text(encoding="utf-8")
    assert text.startswith('{"review": "", "question": "What is a?", "answer": "a is größer, 多."')


def test_only_new_records_are_laid_and_the_old_sheet_is_not_touched(desk):
    first = desk.lay(A)
    before = first.read_bytes(), first.stat().st_mtime_ns
    second = desk.lay(A, B)
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before
    assert second.name == "0002.jsonl"
    assert [json.loads(line)["id"] for line in second.open()] == ["b"]
    assert desk.lay(A, B) is None


def test_drop_and_a_deleted_line_both_drop_with_a_cause(desk):
    path = desk.lay(A, B, C)
    desk.edit(path, lambda lines: [lines[0] | {"review": "drop"}, lines[2]])
    kept, dropped = desk.after(A, B, C)
    assert [one.id for one in kept] == ["c"]
    assert {one.cause for one in dropped} == {"dropped_by_person"}
    assert desk.lay(A, B, C) is None


def test_an_edit_outranks_the_machine_and_survives_a_better_parser(desk):
    path = desk.lay(A, B)
    desk.edit(path, lambda lines: [lines[0] | {"answer": "By hand."}, lines[1]])
    reparsed = [record("a", answer="New machine text."), record("b", answer="New machine text.")]
    kept, _ = desk.after(*reparsed)
    assert [(one.answer, one.edited) for one in kept] == [("By hand.", True), ("New machine text.", False)]


def test_a_torn_line_is_named_and_deletes_nothing(desk):
    path = desk.lay(A, B)
    path.write_bytes(path.read_bytes()[:-20])
    verdicts = read_sheets(desk.folder, desk.laid)
    assert len(verdicts.problems) == 1
    assert verdicts.problems[0].startswith(f"{path}:2:")
    assert len(desk.after(A, B)[0]) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"review": "maybe"}, "is no verdict"),
        ({"id": "x"}, "never laid"),
        ({"question": ""}, "question"),
        ({"new": 1}, "new"),
    ],
)
def test_a_strange_line_is_named_by_file_and_line(desk, change, said):
    path = desk.lay(A)
    desk.edit(path, lambda lines: [lines[0] | change])
    (problem,) = read_sheets(desk.folder, desk.laid).problems
    assert problem.startswith(f"{path}:1:")
    assert said in problem


def test_a_verdict_nobody_knows_keeps_the_record(desk):
    path = desk.lay(A)
    desk.edit(path, lambda lines: [lines[0] | {"review": "dorp"}])
    assert [one.id for one in desk.after(A)[0]] == ["a"]


def test_a_sheet_that_is_gone_deletes_nothing_and_its_records_are_laid_again(desk):
    desk.lay(A).unlink()
    assert [one.id for one in desk.after(A)[0]] == ["a"]
    assert desk.lay(A).name == "0002.jsonl"


def test_a_byte_order_mark_blank_lines_and_crlf_from_an_editor_are_no_problem(desk):
    path = desk.lay(A, B)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert read_sheets(desk.folder, desk.laid).problems == []
    assert len(desk.after(A, B)[0]) == 2
