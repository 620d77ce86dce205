"""A fortnight of nights and mornings: whatever happens in it, the dataset is the one that was written down beforehand.

Each night is a process as cron starts it, each morning a person with an editor. What is expected at the end does not
come from the fortnight: a second workspace has the same documents from the start, is run once and is never disturbed;
what the person decided (`MORNINGS`) is then applied to its rows by hand.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.publish.schema import SLICES, TRAIN, Row, read_rows
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from tests.conftest import ROOT
from tests.victims import DOCUMENT, RECIPE, make_workspace, outputs, problems

pytestmark = pytest.mark.slow

CHAPTERS = DOCUMENT.split("\n## ")
LATER = {"b.md": CHAPTERS[4], "c.md": CHAPTERS[5], "d.md": CHAPTERS[6], "e.md": CHAPTERS[7]}
"""Documents that arrive in the course of the fortnight."""
IN_FLIGHT = 4
PRICED = RECIPE.replace("teacher: {", "teacher: {usd_per_million: [1, 4], ")
"""What cost nothing is simply asked again when a prompt changes."""


class Morning(NamedTuple):
    """What a person does to the lines of a sheet, by their number from 0."""

    sheet: str
    how: str
    """rename: as most editors save; in place: as the others do."""
    edited: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    fixed: tuple[int, ...] = ()


MORNINGS = {
    4: Morning("0001.jsonl", "in place", edited=(1, 6), dropped=(3, 8), deleted=(10, 12)),
    5: Morning("0001.jsonl", "rename", edited=(14,), kept=(15, 16)),
    13: Morning("0002.jsonl", "rename", edited=(2,), deleted=(4,), fixed=(6,)),
}
ANSWER = "A person wrote this answer to line {number} of {sheet}."


class Decided(NamedTuple):
    """All that the person decided, by record id."""

    edited: dict[str, str]
    gone: set[str]
    fixed: set[str]


class Fortnight:
    """The workspace, the teacher and the nights so far."""

    def __init__(self, workspace: Path, server: Rehearsing) -> None:
        self.workspace, self.server = workspace, server
        self.decided = Decided({}, set(), set())
        self.bought: list[int] = []
        """Replies of each night."""

    def start(self) -> subprocess.Popen[str]:
        """A night begins, as cron begins it."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "recipes/tiny.yaml", "--model", "m", "--json", *self.more],
            cwd=self.workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OPENAI_BASE_URL": self.server.url, "OPENAI_API_KEY": "k"},
        )  # fmt: skip

    more: tuple[str, ...] = ()

    def night(self, code: int = 0) -> dict:
        """A whole night. What it says it paid for is what the teacher served."""
        before = self.served
        process = self.start()
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, out + err
        facts = json.loads(out)
        assert facts["cost"]["replies"]["requests"] == self.served - before
        assert facts["end"]["code"] == code
        self.bought.append(self.served - before)
        return facts

    @property
    def served(self) -> int:
        return self.server.counts()["good"]

    def sheet(self, name: str) -> Path:
        return outputs(self.workspace) / "review" / name

    def morning(self, number: int) -> None:
        """A person works on a sheet and saves it."""
        wanted = MORNINGS[number]
        path = self.sheet(wanted.sheet)
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        for place in wanted.edited:
            lines[place]["answer"] = ANSWER.format(number=place, sheet=wanted.sheet)
            self.decided.edited[lines[place]["id"]] = lines[place]["answer"]
        for place in wanted.dropped:
            lines[place]["review"] = "drop"
        for place in wanted.kept:
            lines[place]["review"] = "keep"
        for place in wanted.fixed:
            lines[place]["review"] = "fix: say it in other words"
            self.decided.fixed.add(lines[place]["id"])
        self.decided.gone.update(lines[place]["id"] for place in (*wanted.dropped, *wanted.deleted))
        left = [line for place, line in enumerate(lines) if place not in wanted.deleted]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in left)
        if wanted.how == "in place":
            path.write_text(text, encoding="utf-8")
        else:
            aside = path.with_name(f".{path.name}.swp")
            aside.write_text(text, encoding="utf-8")
            aside.replace(path)

    def recipe(self, change: Callable[[str], str] = lambda text: text) -> None:
        (self.workspace / "recipes" / "tiny.yaml").write_text(change(PRICED), encoding="utf-8")

    def document(self, name: str) -> None:
        (self.workspace / "recipes" / "docs" / name).write_text(f"## {LATER[name]}", encoding="utf-8")

    def rows(self) -> list[Row]:
        folder = outputs(self.workspace) / "dataset"
        return [row for stem in (TRAIN, *SLICES) for row in read_rows(folder, stem)]


def said(rows: list[Row]) -> dict[str, tuple[str, str]]:
    """Question and answer by id, of what is to be answered and is no typing slip. How many refusals there are hangs
    on how many answers there are, so they are looked at by themselves."""
    return {row.id: (row.question, row.answer) for row in rows if not row.refusal and not row.typo_of}


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory):
    """All fourteen nights."""
    workspace = make_workspace(tmp_path_factory.mktemp("fortnight"))
    settings = Rehearsal(latency=0.1, batch_seconds=0.0)
    with Rehearsing(settings) as server:
        nights = Fortnight(workspace, server)
        yield nights, live(nights)


def live(nights: Fortnight) -> dict[int, object]:
    """What is worth knowing of each night, by its number."""
    told: dict[int, object] = {}
    # 1: the budget of a night is small, and used up
    nights.recipe(lambda text: text + "budget: {run: {requests: 5}}\n")
    told[1] = nights.night(code=75)
    # 2: it is raised, and the rest comes
    nights.recipe()
    told[2] = nights.night()
    # 3: nothing is new
    told[3] = nights.night()
    # 4: a person has judged
    nights.morning(4)
    told[4] = nights.night()
    # 5: a new document; the person judged more meanwhile
    nights.document("b.md")
    nights.morning(5)
    told[5] = nights.night()
    # 6: a prompt was edited: nothing is bought by itself
    prompt = nights.workspace / "prompts" / "document_questions.jinja"
    prompt.parent.mkdir(exist_ok=True)
    text = (ROOT / "prompts" / "document_questions.jinja").read_text(encoding="utf-8")
    prompt.write_text(text.replace("Find up to", "Please find up to"), encoding="utf-8")
    told[6] = nights.night()
    # 7: the change is accepted
    nights.more = ("--accept-changes",)
    told[7] = nights.night()
    nights.more = ()
    # 8: cron starts two at once, with a new document
    nights.document("c.md")
    before = nights.served
    two = [nights.start(), nights.start()]
    outs = [process.communicate(timeout=300)[0] for process in two]
    told[8] = sorted(
        (process.returncode, json.loads(out)["end"]["cause"]) for process, out in zip(two, outs, strict=True)
    )
    nights.bought.append(nights.served - before)
    # 9: at half the price: a batch is sent; 10: it is collected
    nights.document("d.md")
    nights.recipe(lambda text: text.replace("teacher: {", "teacher: {mode: batch, "))
    told[9] = night_of_batches(nights)
    nights.recipe()
    # 11: killed in the middle of a new document; 12: the same command again
    nights.document("e.md")
    told[11] = killed(nights)
    told[12] = finished(nights)
    # 13: a person saves a sheet, in both ways, while a run is going
    told[13] = edited_meanwhile(nights)
    # 14: the last night
    told[14] = nights.night()
    told[15] = nights.night()
    return told


def night_of_batches(nights: Fortnight) -> list[str]:
    """Nights until nothing waits any more; the causes of their ends."""
    causes: list[str] = []
    while len(causes) < 60 and (not causes or causes[-1] == "batch_waits"):
        process = nights.start()
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        causes.append(json.loads(out)["end"]["cause"])
    return causes


def killed(nights: Fortnight) -> int:
    """A night that is killed when some of its replies have come. Returns the replies served to it."""
    before = nights.served
    process = nights.start()
    while nights.served == before and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    time.sleep(0.5)  # what was under way is served to nobody
    return nights.served - before


def finished(nights: Fortnight) -> dict:
    process = nights.start()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return json.loads(out)


def edited_meanwhile(nights: Fortnight) -> int:
    """The sheet of the second lot is saved by rename while a run goes on, and a touch later in place with the same."""
    process = nights.start()
    time.sleep(0.3)
    nights.morning(13)
    path = nights.sheet(MORNINGS[13].sheet)
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert path.read_text(encoding="utf-8") == text
    return len(text)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same documents from the start, run once."""
    workspace = make_workspace(tmp_path_factory.mktemp("undisturbed"))
    with Rehearsing() as server:
        nights = Fortnight(workspace, server)
        nights.recipe()
        for name in LATER:
            nights.document(name)
        nights.night()
        return nights


def test_the_fortnight_ends_with_the_dataset_that_is_written_down(fortnight, undisturbed):
    nights, _ = fortnight
    expected = said(undisturbed.rows())
    for name in nights.decided.gone | nights.decided.fixed:
        expected.pop(name, None)
    for name, answer in nights.decided.edited.items():
        if name in expected:
            expected[name] = (expected[name][0], answer)
    found = said(nights.rows())
    versions = {name: text for name, text in found.items() if name not in expected}
    assert {name: text for name, text in found.items() if name in expected} == expected
    assert len(versions) <= len(nights.decided.fixed)


def test_every_request_is_counted_and_next_to_none_is_bought_twice(fortnight):
    nights, told = fortnight
    counts = nights.server.counts()
    assert counts["bought_twice"] <= IN_FLIGHT  # what was under way when a night was killed
    with Ledger.look(outputs(nights.workspace)) as ledger:
        assert ledger.replies() == counts["good"] - counts["bought_twice"]
    assert told[1]["end"]["cause"] == "budget" and nights.bought[0] == 5
    assert told[3]["end"]["cause"] == "nothing_new" and nights.bought[2] == nights.bought[3] == 0
    assert nights.bought[4] > 0
    assert told[6]["held"] > 0 and nights.bought[5] == 0
    assert nights.bought[6] == told[6]["held"]
    assert told[15]["end"]["cause"] == "nothing_new" and nights.bought[-1] == 0


def test_of_two_nights_at_once_one_gives_way(fortnight):
    _, told = fortnight
    assert [code for code, _ in told[8]] == [0, 75] and told[8][1][1] == "locked"


def test_a_batch_is_sent_and_collected_by_the_same_command(fortnight):
    _, told = fortnight
    assert told[9][0] == "batch_waits" and told[9][-1] in ("done", "nothing_new")


def test_the_night_after_a_kill_names_it(fortnight):
    _, told = fortnight
    assert told[11] > 0 and len(told[12]["never_ended"]) == 1


def test_no_edit_is_lost_and_nothing_that_was_deleted_comes_back(fortnight):
    nights, _ = fortnight
    rows = {row.id: row for row in nights.rows()}
    published = {name for name in nights.decided.edited if name in rows}
    assert published and all(rows[name].answer == nights.decided.edited[name] for name in published)
    assert all(rows[name].edited for name in published)
    assert not nights.decided.gone & set(rows)
    on_sheets = [json.loads(line)["id"] for path in nights.sheet("0001.jsonl").parent.glob("*.jsonl")
                 for line in path.read_text(encoding="utf-8").split("\n") if line]  # fmt: skip
    assert len(on_sheets) == len(set(on_sheets))


def test_the_folder_is_whole_and_a_fix_came_as_a_new_line(fortnight):
    nights, _ = fortnight
    assert problems(nights.workspace) == []
    lines = [json.loads(line) for path in sorted(nights.sheet("0001.jsonl").parent.glob("*.jsonl"))
             for line in path.read_text(encoding="utf-8").split("\n") if line]  # fmt: skip
    replaced = {line["replaces"] for line in lines if line.get("replaces")}
    assert replaced == nights.decided.fixed
