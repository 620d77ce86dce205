"""Night and morning: what a person does to the sheets, before, between and during runs, reaches the dataset."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.desk.checking import Checked, check, find_sheets
from pipeline.errors import InputError
from pipeline.recipe import load_recipe
from pipeline.run import Options, Outcome
from pipeline.run import run as run_stages
from pipeline.runlog import Log
from pipeline.teacher.embedded import complete
from pipeline.teacher.ledger import Ledger
from tests.teacher.scripted import ScriptedServer, completion
from tests.test_run import rows
from tests.victims import DOCUMENT, problems, started, train

RECIPE = """\
name: tiny
meaning: {enabled: false}
checks: {language_odds: null}
documents: {files: [docs], passage_tokens: 200, wordings: 3}
refusals:
  topic: good or bad communication
  sentence: Please let's keep our discussion related to good or bad communication.
  off_topic: {fields: [astronomy, cooking], per_field: 3}
split: {unseen: 0, rephrased: 0, off_topic: 0}
typos: {train: 0}
"""


class Desk:
    """A workspace, and what a person does in it."""

    def __init__(self, folder: Path, recipe: str = RECIPE) -> None:
        self.folder, self.outputs = folder, folder / "outputs" / "tiny"
        (folder / "recipes" / "docs").mkdir(parents=True)
        text = "## " + "## ".join(DOCUMENT.split("\n## ")[1:2])
        (folder / "recipes" / "docs" / "a.md").write_text(text, encoding="utf-8")
        self.say(recipe)

    def say(self, recipe: str) -> None:
        (self.folder / "recipes" / "tiny.yaml").write_text(recipe, encoding="utf-8")

    def run(self) -> Outcome:
        loaded = load_recipe(self.folder / "recipes" / "tiny.yaml")
        self.said: list[str] = []
        return run_stages(loaded, Options(self.folder / "outputs"), self.said.append, Log())

    def sheet(self, number: int = 1) -> Path:
        return self.outputs / "review" / f"{number:04}.jsonl"

    def lines(self, number: int = 1) -> list[dict]:
        return [json.loads(line) for line in self.sheet(number).open(encoding="utf-8")]

    def write(self, lines: list[dict], number: int = 1, by_rename: bool = False) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        target = self.sheet(number)
        if not by_rename:
            target.write_text(text, encoding="utf-8")  # as vim with backupcopy, VS Code, nano: truncated, then filled
            return
        aside = target.with_name(f".{target.name}.swp")
        aside.write_text(text, encoding="utf-8")
        aside.replace(target)

    @property
    def recipe(self) -> str:
        return str(self.folder / "recipes" / "tiny.yaml")

    def rule(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, ["rule", *arguments, "--out", str(self.folder / "outputs")])
        assert done.exit_code == 0, done.output
        return done.output

    def trained(self) -> dict[str, dict]:
        return {row["id"]: row for row in rows(self.folder)}

    def checked(self) -> list[str]:
        return [str(problem) for problem in check(find_sheets([self.outputs]), Checked())]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_night_a_morning_and_the_next_night(desk):
    desk.run()
    lines = desk.lines()
    ours = [line for line in lines if line["kind"] == "document"]
    edited, dropped, mended, unchanged, deleted, reworded = ours[:6]
    edited["answer"] = f"{edited['answer'].rstrip('.')}, as people say."
    dropped["review"], mended["review"], unchanged["review"] = "drop", "fix: reword the question", "keep"
    reworded["question"] = f"In short: {reworded['question'][:1].lower()}{reworded['question'][1:]}"
    lines.remove(deleted)
    desk.write(lines)
    before = desk.sheet().read_bytes()
    assert desk.checked() == []
    outcome = desk.run()
    assert outcome.problems == []
    assert (outcome.funnel.adds_up, outcome.funnel.bought) == (True, 1)
    assert outcome.funnel.rejections["replaced_by_fix"] == 1
    assert desk.sheet().read_bytes() == before
    train = desk.trained()
    assert (train[edited["id"]]["answer"], train[edited["id"]]["edited"]) == (edited["answer"], True)
    assert train[reworded["id"]]["question"] == reworded["question"]
    assert not {dropped["id"], deleted["id"], mended["id"]} & train.keys()
    (new,) = desk.lines(2)
    assert list(new)[:3] == ["review", "question", "answer"]
    assert (new["replaces"], new["fix"]) == (mended["id"], "reword the question")
    assert new["question"] != mended["question"]
    assert train[new["id"]]["replaces"] == mended["id"]
    assert any(
        line.startswith("review: of 6 lines judged 1 are kept as they were, 2 edited, 3 dropped") for line in desk.said
    )
    again = desk.run()
    assert (again.funnel.bought, again.changed, len(list((desk.outputs / "review").glob("*.jsonl")))) == (0, False, 2)
    # The person tidies up: the line of the old version goes, and the new one is kept.
    desk.write([line for line in lines if line is not mended])
    desk.write([new | {"review": "keep"}], 2)
    desk.run()
    assert new["id"] in desk.trained() and mended["id"] not in desk.trained()
    assert problems(desk.folder) == []


def test_an_edit_and_what_is_kept_survive_another_prompt_and_what_is_new_is_laid(desk):
    desk.run()
    lines = desk.lines()
    lines[0]["answer"], lines[1]["review"] = "Said by hand, and meant.", "keep"
    desk.write(lines)
    prompts = desk.folder / "prompts"
    prompts.mkdir()
    template = (Path(__file__).parents[2] / "prompts" / "document_questions.jinja").read_text(encoding="utf-8")
    (prompts / "document_questions.jinja").write_text(template.replace("distinct facts", "facts"), encoding="utf-8")
    desk.say(RECIPE.replace("wordings: 3", "wordings: 2"))
    outcome = desk.run()
    train = desk.trained()
    assert train[lines[0]["id"]]["answer"] == "Said by hand, and meant."
    assert train[lines[1]["id"]]["answer"] == lines[1]["answer"]
    assert outcome.funnel.adds_up


def test_rules_are_made_on_all_but_edits_and_undone_by_name(desk):
    desk.run()
    oracle = train(desk.folder)
    lines = desk.lines()
    word = "listening"
    touched = [line for line in lines if word in line["answer"] and line["kind"] == "document"]
    touched[0]["answer"] = f"By hand: {touched[0]['answer'][:1].lower()}{touched[0]['answer'][1:]}"
    desk.write(lines)
    said = ["add", "hearing", desk.recipe, "--replace", word, "--with", "hearing", "--on", "answer"]
    shown = desk.rule(*said)
    assert "not stored; say --yes to store it" in shown
    assert f"-answer: {touched[1]['answer']}\n+answer: {touched[1]['answer'].replace(word, 'hearing')}\n" in shown
    assert "1 that were edited by hand stay as they are" in shown
    assert not (desk.outputs / "review" / "rules.yaml").exists()
    assert "stored in" in desk.rule(*said, "--yes")
    assert "hearing: 'listening' becomes 'hearing' in answers" in desk.rule("list", desk.recipe)
    desk.run()
    trained = desk.trained()
    assert trained[touched[0]["id"]]["answer"] == touched[0]["answer"]
    assert trained[touched[0]["id"]]["rules"] == []
    assert trained[touched[1]["id"]]["answer"] == touched[1]["answer"].replace(word, "hearing")
    assert trained[touched[1]["id"]]["rules"] == ["hearing"]
    assert not list((desk.outputs / "review").glob("0002*")), "a rule makes no record new"
    assert "is out of" in desk.rule("undo", "hearing", desk.recipe)
    desk.write(lines := [line for line in lines if line is not touched[0]])
    desk.run()
    gone = json.dumps(touched[0]["id"])
    assert train(desk.folder).splitlines() == [line for line in oracle.splitlines() if gone.encode() not in line]


def test_where_review_is_required_nothing_is_published_before_a_person_keeps_it(desk):
    desk.say(f"{RECIPE}review: {{mode: required}}\n")
    with pytest.raises(InputError, match="wait for a person's keep"):
        desk.run()
    lines = desk.lines()
    desk.write([line | {"review": "keep" if number % 2 else ""} for number, line in enumerate(lines)])
    outcome = desk.run()
    kept = {line["id"] for number, line in enumerate(lines) if number % 2}
    assert desk.trained().keys() <= kept
    assert (outcome.funnel.awaiting, outcome.funnel.adds_up) == (len(lines) - len(kept), True)


def test_a_sample_lays_a_share_and_tells_what_that_says_of_all(desk):
    desk.say(f"{RECIPE}review: {{sample: 0.3}}\n")
    outcome = desk.run()
    lines = desk.lines()
    assert 0 < len(lines) < outcome.funnel.drafts / 2
    desk.write([line | {"review": "keep"} for line in lines[1:]] + [lines[0] | {"review": "drop"}])
    desk.run()
    (told,) = [line for line in desk.said if line.startswith("review: of ")]
    assert f"of {len(lines)} lines judged of a sample of 30% {len(lines) - 1} are kept as they were" in told
    assert f"of {outcome.funnel.drafts} records" in told.replace(",", "")


def test_a_rule_file_that_cannot_be_read_ends_the_run_before_anything_is_asked(desk):
    (desk.outputs / "review").mkdir(parents=True)
    (desk.outputs / "review" / "rules.yaml").write_text("rules: [\n")
    with pytest.raises(InputError, match=r"rules\.yaml:2:1: not YAML"):
        desk.run()
    with Ledger.look(desk.outputs) as ledger:
        assert ledger.replies() == 0


class Held(ScriptedServer):
    """A teacher that answers once it is let: a run asks it and waits."""

    def __init__(self) -> None:
        self.let = threading.Event()
        super().__init__(self._answer)

    def _answer(self, body, number):
        assert self.let.wait(60)
        return completion(complete(body)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("by_rename", [True, False])
def test_what_a_person_saves_during_a_run_is_followed_by_that_run_and_lost_by_none(desk, by_rename):
    with Held() as teacher:
        teacher.let.set()
        begun(desk, teacher)
        lines = desk.lines()
        (desk.folder / "recipes" / "docs" / "b.md").write_text(
            "## " + DOCUMENT.split("\n## ")[3], encoding="utf-8"
        )  # fmt: skip
        teacher.let.clear()
        asked = len(teacher.bodies)
        victim = started(desk.folder, teacher.url)
        while len(teacher.bodies) == asked:
            time.sleep(0.01)
        lines[0]["answer"], lines[1]["review"] = "Said by hand during the run.", "drop"
        deleted = lines.pop(2)
        desk.write(lines, by_rename=by_rename)
        saved = desk.sheet().read_bytes()
        teacher.let.set()
        said = victim.communicate(timeout=120)[1]
        assert victim.returncode == 0, said
    train = desk.trained()
    assert train[lines[0]["id"]]["answer"] == "Said by hand during the run."
    assert not {lines[1]["id"], deleted["id"]} & train.keys()
    assert desk.sheet().read_bytes() == saved
    assert desk.sheet(2).exists()
    assert desk.checked() == []


def begun(desk, teacher) -> None:
    victim = started(desk.folder, teacher.url)
    assert victim.wait(120) == 0, victim.communicate()[1]
    victim.communicate()


def test_an_editor_that_empties_the_file_before_it_fills_it_deletes_nothing(desk):
    desk.run()
    before, whole = desk.trained(), desk.sheet().read_bytes()

    def save_slowly():
        with desk.sheet().open("wb") as file:
            for start in range(0, len(whole), len(whole) // 5):
                file.write(whole[start : start + len(whole) // 5])
                file.flush()
                time.sleep(0.15)

    saving = threading.Thread(target=save_slowly)
    saving.start()
    time.sleep(0.05)
    desk.run()
    saving.join()
    assert desk.trained() == before


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_torn_sheet_decides_nothing_it_does_not_say(desk, cut):
    desk.run()
    before = desk.trained()
    desk.sheet().write_bytes(desk.sheet().read_bytes()[:-cut])
    outcome = desk.run()
    assert desk.trained() == before
    assert len(outcome.problems) == (cut > 1)


def test_a_deleted_line_stays_deleted_and_is_not_bought_again(desk):
    desk.run()
    lines = desk.lines()
    gone = [line for line in lines if line["kind"] == "off_topic"]
    desk.write([line for line in lines if line not in gone])
    outcome = desk.run()
    assert (outcome.funnel.bought, outcome.funnel.rejections["dropped_by_person"]) == (0, len(gone))
    assert not any(row["refusal"] for row in rows(desk.folder))
