"""Every problem of a sheet is told by its line and column, and a sheet as a run laid it has none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipeline.desk.beside import leave_conflicts, leave_material
from pipeline.desk.checking import Checked, check, find_sheets
from pipeline.errors import InputError
from pipeline.files import json_line
from pipeline.records import Passage, Rejection
from pipeline.review.reading import column_of
from tests.commands import coursework as command
from tests.conftest import ROOT
from tests.desk.test_reviewed import REFUSING, recipe
from tests.review.test_sheets import Lain, record

TEXT = "A bridge of wood spans the river Elm. It was built in 1874 by Ada Byron. A ferry crosses the river as well."
PASSAGE = Passage(
    id="p", document="a.md", document_sha256="0", start=0, end=len(TEXT), pages=((0, 1),), text=TEXT
)  # fmt: skip


def bridge(name: str, question: str, **changes):
    quote = "It was built in 1874 by Ada Byron."
    texts = {"question": question, "answer": "The bridge was built in 1874.", "quote": quote}
    return record(name, **texts | {"span": (0, len(quote)), "fact": "f"} | changes)


def refusal(name: str, question: str):
    bare = {"quote": "", "page": None, "span": None, "passage": "", "source": "cooking", "field": "cooking"}
    return record(name, kind="off_topic", question=question, answer="Letters only.", **bare)


RECORDS = (
    bridge("aa", "When was the bridge over the Elm built?"),
    bridge("bb", "In which year did Ada Byron build the bridge?"),
    bridge("cc", "What crosses the river beside the bridge?", answer="A ferry crosses the river.", fact="g"),
    refusal("dd", "How long do eggs boil?"),
)


@pytest.fixture
def desk(tmp_path):
    lain = Lain(tmp_path / "outputs" / "n", recipe(refusals=REFUSING, checks={"language_odds": None}))
    lain.sheet = lain.lay(*RECORDS)
    leave_material(lain.outputs, lain.recipe, [PASSAGE])
    return lain


def lines_of(desk) -> list[dict]:
    return [json.loads(line) for line in desk.sheet.read_text(encoding="utf-8").splitlines()]


def write(desk, lines) -> None:
    text = "".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    desk.sheet.write_text(text, encoding="utf-8")


def told(desk) -> list[str]:
    return [str(problem).removeprefix(f"{desk.sheet}:") for problem in check([desk.sheet], Checked())]


def test_a_sheet_as_it_was_laid_has_no_problem_nor_has_one_that_was_judged_and_edited_well(desk):
    assert told(desk) == []
    lines = lines_of(desk)
    lines[0] |= {"review": "keep"}
    lines[1] |= {"review": "fix: too dry"}
    lines[2] |= {"answer": "A ferry does.", "quote": "A ferry crosses the river as well."}
    del lines[3]
    write(desk, lines)
    assert told(desk) == []


@pytest.mark.parametrize(
    ("number", "changes", "field", "what"),
    [
        (1, {"review": "dorp"}, "review", "'dorp' is no verdict; say keep, drop or fix: what is wrong."),
        (1, {"review": "fix:"}, "review", "'fix:' is no verdict"),
        (2, {"id": "zz"}, "id", "'zz' was never laid before anyone"),
        (2, {"id": "aa"}, "id", "'aa' stands twice, first in 0001.jsonl:1"),
        (3, {"answer": ""}, "answer", "was emptied"),
        (3, {"question": "   "}, "question", "was emptied"),
        (3, {"quote": ""}, "quote", "was emptied"),
        (4, {"answer": "letters only."}, "answer", "is not the recipe's refusal, byte for byte: 'Letters only.'"),
        (1, {"answer": "The bridge was built in 1875."}, "answer", "The answer says 1875, which the passage does not."),
        (1, {"quote": "It was built by somebody in 1874, they say."}, "quote", "does not stand in the passage"),
        (1, {"question": "When was the bridge built"}, "question", "does not end with a question mark"),
        (2, {"question": "What crosses the river beside a bridge?"}, "question", "0001.jsonl:3 asks the same"),
        (1, {"page": 7}, "page", "is not a person's to change"),
        (1, {"page": "seven"}, "page", ""),
        (1, {"colour": "red"}, "colour", "is not a field of a sheet"),
        (1, {"answer": 12}, "answer", "should be a valid string"),
        (1, {"earlier": "one turn"}, "earlier", "tuple"),
    ],
)
def test_each_fault_is_told_at_its_field(desk, number, changes, field, what):
    lines = lines_of(desk)
    lines[number - 1] |= changes
    write(desk, lines)
    (problem,) = told(desk)
    line = json.dumps(lines[number - 1], ensure_ascii=False)
    column = line.index(f'"{field}": ') + len(f'"{field}": ') + 1
    assert problem.startswith(f"{number}:{column}: {field}: ")
    assert what in problem


def test_a_line_that_is_not_json_is_told_with_a_caret_at_the_place(desk):
    lines = desk.sheet.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1] = lines[1].replace('"answer": ', '"answer" ')
    write(desk, lines)
    (problem,) = check([desk.sheet], Checked())
    place = lines[1].index('"answer" ') + len('"answer" ')
    assert (problem.fault.number, problem.fault.column) == (2, place + 1)
    assert problem.fault.excerpt[problem.fault.caret :].startswith(lines[1][place : place + 10])


def test_a_torn_last_line_is_told_where_it_ends(desk):
    text = desk.sheet.read_text(encoding="utf-8")
    for cut in range(1, 60, 7):
        desk.sheet.write_text(text[: -1 - cut], encoding="utf-8")
        (problem,) = told(desk)
        assert problem.startswith(f"4:{len(text.splitlines()[3]) - cut + 1}: the file ends in the middle of this line")


def test_a_last_line_without_its_line_feed_is_whole(desk):
    desk.sheet.write_text(desk.sheet.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    assert told(desk) == []


def test_what_is_said_twice_on_a_line_or_is_no_record_is_told(desk):
    lines = desk.sheet.read_text(encoding="utf-8").splitlines(keepends=True)
    write(desk, [*lines[:2], "[1, 2]\n", *lines[2:]])
    assert told(desk) == ["3:1: a line holds one record between { and }; this one is something else."]


def test_other_encodings_are_told(desk):
    text = desk.sheet.read_text(encoding="utf-8").replace("Ada", "Adä")
    desk.sheet.write_bytes(text.encode("latin-1"))
    assert all("not UTF-8" in problem for problem in told(desk)[:2])


def test_a_conflict_is_told_with_both_until_the_person_says_keep(desk):
    lines = lines_of(desk)
    lines[0] |= {"answer": "It was built in 1874."}
    write(desk, lines)
    machines = bridge("aa", RECORDS[0].question, answer="In 1874 it was built.")
    leave_conflicts(desk.outputs, desk.reviewed(machines, *RECORDS[1:]).decisions.conflicts)
    (problem,) = told(desk)
    assert problem.startswith(f"1:{column(lines[0], 'answer')}: answer: you and the machine have both changed it.")
    assert "'It was built in 1874.'" in problem and "'In 1874 it was built.'" in problem
    lines[0] |= {"review": "keep"}
    write(desk, lines)
    assert told(desk) == []


def column(line: dict, field: str) -> int:
    return column_of(json.dumps(line, ensure_ascii=False), field)


def test_a_fix_that_came_to_nothing_is_told_with_its_cause(desk):
    lines = lines_of(desk)
    lines[0] |= {"review": "fix: too long"}
    write(desk, lines)
    why = Rejection(cause="fix_unchanged", detail="It came back as it was.", kind="fix", replaces="aa")
    (desk.outputs / "rejected.jsonl").write_bytes(json_line(why))
    (problem,) = told(desk)
    assert problem == (
        f"1:{column(lines[0], 'review')}: review: the new version was rejected (fix_unchanged): It came back as it was."
        " This line stands."
    )


def test_problems_stand_in_the_order_of_lines_and_columns(desk):
    lines = lines_of(desk)
    lines[2] |= {"review": "?", "answer": "It says 12.", "id": "zz"}
    lines[0] |= {"review": "?"}
    write(desk, lines)
    places = [tuple(map(int, problem.split(":")[:2])) for problem in told(desk)]
    assert places == sorted(places) and len(places) == 3


def test_a_repeated_question_on_another_sheet_is_told_though_only_one_is_named(desk):
    other = desk.lay(*RECORDS, bridge("ee", "Who had the bridge built?"))
    desk.sheet = other
    write(desk, [lines_of(desk)[0] | {"question": RECORDS[0].question}])
    (problem,) = told(desk)
    assert "question: 0001.jsonl:1 asks the same." in problem


def test_a_sheet_in_no_outputs_folder_is_checked_for_its_form(desk, tmp_path):
    alone = tmp_path / "elsewhere" / "sheet.jsonl"
    alone.parent.mkdir()
    alone.write_text('{"review": "dorp", "question": "Q?", "answer": "A.", "id": "zz"}\n')
    counts = Checked()
    assert [problem.fault.problem for problem in check([alone], counts)] == [
        "review: 'dorp' is no verdict; say keep, drop or fix: what is wrong."
    ]
    assert len(counts.blind) == 1


def test_a_file_a_review_folder_an_outputs_folder_and_all_outputs_are_understood(desk):
    for named in (desk.sheet, desk.sheet.parent, desk.outputs, desk.outputs.parent):
        assert find_sheets([named]) == [desk.sheet]
    with pytest.raises(InputError, match="no such file or folder"):
        find_sheets([desk.outputs / "nothing"])


def coursework(*arguments: str) -> subprocess.CompletedProcess:
    return command(ROOT, *arguments)


def test_the_command_tells_people_a_forge_and_programs(desk):
    sheet = str(desk.sheet)
    assert coursework("check", sheet).returncode == 0
    lines = lines_of(desk)
    lines[0] |= {"review": "50%: dorp"}
    write(desk, [lines[0], "{\n", *lines[1:]])
    at = column(lines[0], "review")
    done = coursework("check", str(desk.outputs))
    assert done.returncode == 65
    first, second, excerpt, caret = done.stdout.splitlines()
    assert first == f"{sheet}:1:{at}: review: '50%: dorp' is no verdict; say keep, drop or fix: what is wrong."
    assert (second, excerpt, caret) == (f"{sheet}:2:2: not JSON: unexpected end of data.", "    {", "     ^")
    assert done.stderr == "coursework: 5 lines on 1 sheet: 2 problems.\n"
    (github, _) = coursework("check", sheet, "--format", "github").stdout.splitlines()
    place = f"::error file={sheet},line=1,col={at}"
    assert github == f"{place}::review: '50%25: dorp' is no verdict; say keep, drop or fix: what is wrong."
    (first, _) = map(json.loads, coursework("check", sheet, "--format", "json").stdout.splitlines())
    assert (first["file"], first["line"], first["column"]) == (sheet, 1, at)


@pytest.mark.parametrize("by_rename", [True, False])
def test_a_watched_sheet_is_checked_again_whichever_way_it_is_saved(desk, by_rename):
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "pipeline", "check", "--watch", str(desk.outputs)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert read_until(watching, "checked: ")[-1] == "checked: nothing is wrong\n"
        lines = lines_of(desk)
        lines[0] |= {"review": "dorp"}
        good, desk_sheet = desk.sheet.read_bytes(), desk.sheet
        if by_rename:
            desk.sheet = desk_sheet.with_name(".swap")
        write(desk, lines)
        if by_rename:
            desk.sheet.replace(desk_sheet)
        assert any(f"{desk_sheet}:1:12: review: " in line for line in read_until(watching, "checked: "))
        desk_sheet.write_bytes(good)
        assert read_until(watching, "checked: ")[-1] == "checked: nothing is wrong\n"
    finally:
        watching.kill()
        watching.communicate()


def read_until(process: subprocess.Popen, beginning: str) -> list[str]:
    """What it prints up to a line that begins so."""
    said: list[str] = []
    while not (said and said[-1].startswith(beginning)):
        said.append(process.stdout.readline())
        assert said[-1], "it ended"
    return said
