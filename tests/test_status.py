"""`coursework status` tells how datasets stand, from what lies there, and is in nobody's way."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import RecipeError
from pipeline.recorded import Called, Wishes, record
from pipeline.run import Options
from pipeline.run import run as run_stages
from pipeline.runlog import Log
from pipeline.status import Status, statuses
from pipeline.teacher.ledger import Ledger
from tests.test_run_records import QUICK, teacher  # noqa: F401 - a fixture
from tests.victims import make_workspace

RECIPE = Path("recipes/tiny.yaml")


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(make_workspace(tmp_path, QUICK))
    return tmp_path


def run(recipe: Path = RECIPE, model: str = "m") -> None:
    """A run on record, in this process; how it ends is in the record."""

    def work(loaded, log: Log) -> None:
        run_stages(loaded, Options(Path("outputs"), model), log.noting(lambda line: None), log)

    try:
        record(Called("run", recipe, Path("outputs"), Wishes()), work, print, lambda line: None)
    except Exception as fault:  # noqa: BLE001
        assert fault.exit_code  # type: ignore[attr-defined]


def tell(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["status", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def the_only_one() -> Status:
    (status,) = statuses([], Path("outputs"))
    return status


def test_a_workspace_where_nothing_ran_says_so(workspace):
    assert "last run    none yet" in tell()
    assert "dataset     none yet" in tell()
    assert not (workspace / "outputs").exists()


def test_the_morning_after(workspace, teacher):  # noqa: F811
    run()
    said = tell(str(RECIPE))
    status = the_only_one()
    assert said == tell() == "".join(f"{line}\n" for line in status.lines())
    assert json.loads(tell("--json")) == status.model_dump(mode="json")
    assert status.last.end.cause == "done"
    assert status.spending.today.usd == status.spending.life.usd > 0
    lines = (workspace / "outputs/tiny/review/0001.jsonl").read_text().count("\n")
    assert f"{lines} lines await a verdict: 0001.jsonl {lines}" in said
    assert f"{status.published.rows['train']} train" in said
    assert "nothing is known to be left" in said


def test_what_is_left_to_do_and_what_went_wrong_is_named(workspace, teacher):  # noqa: F811
    RECIPE.write_text(QUICK + "budget: {run: {requests: 3}, day: {usd: 5}}\n")
    (workspace / "recipes" / "docs" / "b.pdf").write_bytes(b"")
    run()
    planned = the_only_one().unanswered
    said = tell()
    assert "75, budget: the budget of 3 requests a run is used up" in " ".join(said.split())
    assert f"{planned} requests were left without a reply, to be asked again" in said
    assert " of 5 USD" in said
    assert "trouble     docs/b.pdf is empty" in said
    sheet = workspace / "outputs/tiny/review/0001.jsonl"
    sheet.write_text(sheet.read_text().replace('"review": ""', '"review": "keep"', 1))
    later = sheet.stat().st_mtime + 10
    os.utime(sheet, (later, later))
    RECIPE.write_text(QUICK)
    assert "edits in 0001.jsonl, to be followed" in tell()
    assert "the recipe was changed, to be followed" in tell()
    waiting = sheet.read_text().count("\n") - 1
    assert the_only_one().awaiting == {"0001.jsonl": waiting}


def test_several_recipes_are_summed_and_one_bad_folder_keeps_no_other_from_being_told(workspace, teacher):  # noqa: F811
    other = workspace / "recipes" / "other.yaml"
    other.write_text(QUICK.replace("name: tiny", "name: other"))
    run()
    run(other)
    (workspace / "outputs/other/ledger.sqlite").write_bytes(b"no ledger at all, by any account" * 200)
    (workspace / "outputs/other/dataset/manifest.json").write_text("{")
    said = tell()
    assert said.index("\ntiny\n") > said.index("other\n")
    assert "spent       unknown" in said
    assert "trouble     outputs/other/ledger.sqlite" in said and "trouble     outputs/other/dataset/manifest" in said
    assert "spent on all 2: today" in said


def test_a_recipe_that_is_wrong_has_a_status_if_its_name_can_be_read(workspace):
    RECIPE.write_text(QUICK + "nonsense: 1\n")
    run()
    assert "78, recipe: recipes/tiny.yaml:6: nonsense: is not a field" in tell(str(RECIPE))
    RECIPE.write_text("nonsense: 1\n")
    with pytest.raises(RecipeError, match="name: is missing"):
        list(statuses([RECIPE], Path("outputs")))


def test_looking_locks_no_run_out(workspace):
    folder, looking = Path("outputs/tiny"), threading.Event()

    def look() -> None:
        while not looking.is_set():
            list(statuses([], Path("outputs")))

    with Ledger(folder):
        pass
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(50):
            with Ledger(folder):
                pass
    finally:
        looking.set()
        watcher.join()
