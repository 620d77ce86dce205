"""An examination's wrong answers become tomorrow's requests, and no question that is examined on enters training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.publish.schema import SLICES, TRAIN, Row, read_rows
from pipeline.wishes import read_wishes
from pipeline.words import Questions
from tests.commands import coursework as command
from tests.victims import Teacher, make_workspace, outputs


def coursework(workspace: Path, *arguments: str, code: int = 0, url: str = "") -> str:
    model = ("--model", "m") if url else ()
    done = command(workspace, *arguments, *model, environment={"OPENAI_BASE_URL": url})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def rows(workspace: Path, stem: str) -> list[Row]:
    return list(read_rows(outputs(workspace) / "dataset", stem))


def examined(workspace: Path, wrong: set[str], name: str) -> None:
    """An examination in which these facts' held-out wordings were answered with another fact, or a refusal."""
    other = next(row.answer for row in rows(workspace, TRAIN) if not row.refusal and row.fact not in wrong)
    lines = []
    for stem in ("rephrased", "off_topic"):
        for number, row in enumerate(rows(workspace, stem)):
            said = (other, "Please let's keep our discussion related to good or bad communication.")[number % 2]
            student = said if row.fact in wrong else row.answer
            lines.append({"slice": stem, "id": row.id, "question": row.question, "expected": row.answer, "base": "",
                          "base_stopped_by": "limit", "student": student, "student_stopped_by": "end",
                          "student_tags": ["misspelt"] if student == other else []})  # fmt: skip
    lines.append(lines[0] | {"id": "0123456789abcdef"})
    lines.append(lines[0] | {"slice": "with_context", "student": "Another form of asking, which is left out."})
    folder = outputs(workspace) / "students" / name
    folder.mkdir(parents=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "examination_answers.jsonl").write_text(text, encoding="utf-8")


class Improved(NamedTuple):
    workspace: Path
    weak: set[str]
    before: dict[str, list[Row]]
    slices: dict[Path, bytes]
    told: str
    again: str
    once: list[Row]
    asked: list[str]


@pytest.fixture(scope="module")
def improved(tmp_path_factory):
    """A dataset before and after its weak facts were asked about again, in two rounds."""
    workspace = make_workspace(tmp_path_factory.mktemp("improve"))
    with Teacher(latency=0) as teacher:
        coursework(workspace, "run", "recipes/tiny.yaml", url=teacher.url)
        before = {stem: rows(workspace, stem) for stem in (TRAIN, *SLICES)}
        files = {stem: (outputs(workspace) / "dataset" / f"{stem}.jsonl") for stem in SLICES if before[stem]}
        slices = {path: path.read_bytes() for path in files.values()}
        weak = {row.fact for row in before["rephrased"][:3]}
        examined(workspace, weak, "first")
        told = coursework(workspace, "improve", "recipes/tiny.yaml", "--wordings", "3")
        again = coursework(workspace, "improve", "recipes/tiny.yaml")
        coursework(workspace, "run", "recipes/tiny.yaml", url=teacher.url)
        once = rows(workspace, TRAIN)
        examined(workspace, set(sorted(weak)[1:]), "second")
        coursework(workspace, "improve", "recipes/tiny.yaml", "--student", "second", "--wordings", "3", "--facts", "1")
        coursework(workspace, "run", "recipes/tiny.yaml", url=teacher.url)
    return Improved(workspace, weak, before, slices, told, again, once, [json.dumps(body) for body in teacher.bodies])


def test_what_is_wrong_is_told_by_slice_and_tag_and_wished_for_once(improved):
    wishes = read_wishes(outputs(improved.workspace))
    assert {wish.fact for wish in wishes if wish.round == 1} == improved.weak
    assert "another_fact" in improved.told
    assert "misspelt)" in improved.told
    assert any("misspelt" in wish.why for wish in wishes)
    assert "1 answers are to questions that the dataset no longer has" in improved.told
    assert "turned into wishes before" in improved.again
    assert [wish.round for wish in wishes] == [1] * len(improved.weak) + [2]


def test_the_next_run_trains_more_wordings_of_the_weak_facts_and_of_no_other(improved):
    old = {row.id for row in improved.before[TRAIN]}
    new = [row for row in improved.once if row.id not in old and not row.typo_of and not row.refusal]
    assert new and {row.fact for row in new} <= improved.weak and {row.kind for row in new} == {"reworded"}
    now = rows(improved.workspace, TRAIN)
    assert old <= {row.id for row in now}
    assert {row.id for row in new} <= {row.id for row in now if row.kind == "reworded"}


def test_no_row_that_is_examined_on_moves_or_is_trained(improved):
    assert improved.slices == {path: path.read_bytes() for path in improved.slices}
    held_out = Questions("en")
    for stem in SLICES:
        for row in rows(improved.workspace, stem):
            held_out.add(row.id, row.question)
    assert not [row for row in rows(improved.workspace, TRAIN) if held_out.like(row.question)]


def test_the_teacher_is_shown_no_question_that_is_examined_on(improved):
    wished = [body for body in improved.asked if "reworded_questions" in body]
    assert len(wished) == len(improved.weak) + 1
    for row in (row for stem in SLICES for row in rows(improved.workspace, stem)):
        assert not [body for body in wished if json.dumps(row.question)[1:-1] in body]


def test_without_an_examination_it_says_how_to_get_one(tmp_path):
    workspace = make_workspace(tmp_path)
    assert "no student" in coursework(workspace, "improve", "recipes/tiny.yaml", code=65)
