"""A sheet is written once and is the person's from then on; what the person decided outranks all."""

from __future__ import annotations

import hashlib
import json

import pytest

from pipeline.desk.laid import Laid
from pipeline.desk.reviewed import Reviewed
from pipeline.desk.said import Desk
from pipeline.recipe import Recipe
from pipeline.records import Record
from pipeline.review.sheets import lay_sheet
from pipeline.review.verdicts import read_sheets, read_verdict
from pipeline.teacher.ledger import Ledger


def record(name: str, **changes) -> Record:
    values = dict(
        id=name, kind="document", question=f"What is {name}?", answer=f"{name} is größer, 多.", quote="q",
        source="a.md", page=1, span=(0, 1), passage="p", fact=name, model="m", prompt="p", request="r",
    )  # fmt: skip
    return Record(**(values | changes))


RECIPE = Recipe.model_validate({"name": "n", "persona": {"file": "p.yaml"}})


class Lain:
    """A dataset's review folder, with the memory that its ledger keeps of it."""

    def __init__(self, outputs, recipe=RECIPE, passages=None):
        self.outputs, self.folder, self.recipe, self.passages = outputs, outputs / "review", recipe, passages or {}

    def lay(self, *records):
        with Ledger(self.outputs) as ledger:
            laid = Laid(ledger)
            return lay_sheet(self.folder, records, laid.lines, laid.note)

    def note_fixes(self):
        with Ledger(self.outputs) as ledger:
            desk = Desk.read(self.outputs, ledger)
            desk.laid.note_fixes((one.record, one.words) for one in desk.fixes)

    @property
    def laid(self):
        with Ledger.look(self.outputs) as ledger:
            return Laid(ledger).lines

    def reviewed(self, *records, **more):
        with Ledger(self.outputs) as ledger:
            desk = Desk.read(self.outputs, ledger)
            reviewed = Reviewed(records, desk, self.passages, self.recipe, **more)
            _ = reviewed.decisions, desk.fixes  # while the ledger is open
            return reviewed

    def after(self, *records):
        """What is kept, and what is dropped."""
        reviewed = self.reviewed(*records)
        return list(reviewed), list(reviewed.rejections())

    def edit(self, path, change):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)), encoding="utf-8")


@pytest.fixture
def desk(tmp_path):
    return Lain(tmp_path)


A, B, C = record("a"), record("b"), record("c")


def test_a_sheet_holds_readable_lines_with_the_verdict_first(desk):
    text = desk.lay(A).read_text(encoding="utf-8")
    assert text.startswith('{"review": "", "question": "What is a?", "answer": "a is größer, 多."')


def test_a_line_shows_what_there_is_and_nothing_that_is_empty(desk):
    refusal = record("r", kind="off_topic", quote="", page=None, span=None, passage="", source="cooking")
    text = desk.lay(refusal).read_text(encoding="utf-8")
    assert json.loads(text) == {
        "review": "", "question": "What is r?", "answer": "r is größer, 多.", "source": "cooking", "kind": "off_topic",
        "fact": "r", "id": "r",
    }  # fmt: skip


def test_signs_that_editors_take_for_the_end_of_a_line_are_escaped(desk):
    text = desk.lay(record("a", answer="one\u2028two\u2029three\x85")).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 1
    assert json.loads(text)["answer"] == "one\u2028two\u2029three\x85"


def laid_ids(path) -> list[str]:
    return [json.loads(line)["id"] for line in path.open(encoding="utf-8")]


def test_the_doubtful_stand_first_and_wordings_of_one_fact_together(desk):
    path = desk.lay(
        record("a1", fact="a"),
        record("b1", fact="b", score=0.9),
        record("c1", fact="c", flags=("weakly_supported",), score=0.8),
        record("a2", fact="a"),
        record("d1", fact="d", flags=("similar_question:b1",), score=0.3),
        record("b2", fact="b"),
        record("e1", fact="e", flags=("unknown_fact",)),
        record("c2", fact="c"),
    )
    assert laid_ids(path) == ["d1", "b1", "b2", "c1", "c2", "e1", "a1", "a2"]


def test_what_stands_beside_a_question_is_on_its_line_and_may_be_edited(desk):
    turns = record("a", earlier=("Who is it?", "It is a."), context="The text.")
    path = desk.lay(turns, B)
    assert list(json.loads(path.open(encoding="utf-8").readline()))[:2] == ["review", "earlier"]
    assert not read_sheets(desk.folder, desk.laid).edited
    desk.edit(path, lambda lines: [lines[0] | {"earlier": ["Who is it?", "It was a."]}, lines[1]])
    kept, _ = desk.after(turns, B)
    assert [(one.earlier, one.context, one.edited) for one in kept] == [
        (("Who is it?", "It was a."), "The text.", True), ((), "", False)
    ]  # fmt: skip


def test_blanks_that_slip_in_at_the_ends_are_no_edit(desk):
    path = desk.lay(A)
    desk.edit(path, lambda lines: [lines[0] | {"answer": lines[0]["answer"] + " "}])
    assert not desk.after(A)[0][0].edited


def test_a_sheet_of_the_first_format_is_read(desk):
    desk.folder.mkdir()
    lines = [
        {"review": "drop", "question": "What is a?", "answer": "An a.", "quote": "q", "page": 1, "source": "a.md",
         "kind": "document", "flags": [], "id": "a"},
        {"review": "", "question": "What is b?", "answer": "By hand.", "quote": "q", "page": None, "source": "a.md",
         "kind": "document", "flags": ["similar:a"], "id": "b"},
        {"review": "", "question": "What is c?", "answer": "A c.", "quote": "", "page": 1, "source": "", "kind": "",
         "flags": [], "id": "c"},
    ]  # fmt: skip
    (desk.folder / "0001.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    texts = {"a": ("What is a?", "An a.", "q"), "b": ("What is b?", "A b.", "q"), "c": ("What is c?", "A c.", "")}
    laid = {}
    for name, text in texts.items():  # as the first version hashed them
        digest = hashlib.blake2b("\x1f".join(text).encode(), digest_size=8).hexdigest()
        laid[name] = ("0001.jsonl", digest)
    verdicts = read_sheets(desk.folder, laid)
    assert (verdicts.dropped, set(verdicts.edited), verdicts.problems) == ({"a"}, {"b"}, [])


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


@pytest.mark.parametrize(
    ("review", "read"),
    [
        ("keep", ("keep", "")),
        (" Drop ", ("drop", "")),
        ("fix: too long: cut it", ("fix", "too long: cut it")),
        ("FIX:too long", ("fix", "too long")),
        ("", ("", "")),
        ("fix", None),
        ("fix: ", None),
        ("keep: because", None),
        ("dorp", None),
    ],
)
def test_verdicts_are_read_as_people_write_them(review, read):
    assert read_verdict(review) == read


def test_a_copy_that_a_person_made_beside_a_sheet_decides_nothing(desk):
    path = desk.lay(A, B)
    (desk.folder / "0001 copy.jsonl").write_bytes(path.read_bytes())
    desk.edit(path, lambda lines: [lines[0] | {"review": "drop"}, lines[1]])
    verdicts = read_sheets(desk.folder, desk.laid)
    assert verdicts.dropped == {"a"}
    assert len(verdicts.problems) == 2 and all("stands twice" in problem for problem in verdicts.problems)


def test_an_emptied_sheet_deletes_nothing(desk):
    desk.lay(A, B).write_bytes(b"")
    assert len(desk.after(A, B)[0]) == 2


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
