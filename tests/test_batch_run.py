"""The batch lane from the outside: a run sends a batch and ends, a later one collects it, nothing is bought twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import openai
import pytest

from pipeline.errors import CourseworkError
from pipeline.recipe import load_recipe
from pipeline.run import Options, plan
from pipeline.run import run as run_stages
from pipeline.runlog import Log
from pipeline.teacher.batches import calls, lane, service
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from tests.conftest import ROOT
from tests.test_killed_runs import BATCH, crash_points
from tests.victims import RECIPE, make_workspace, outputs, problems, started, train

BATCHED = RECIPE.replace("teacher: {", "teacher: {mode: batch, ")
PERSONA = f"""\
name: tiny
meaning: {{enabled: false}}
persona: {{file: {ROOT / "personas" / "elon_musk.yaml"}}}
teacher: {{mode: batch}}
"""
WANTED = 18
"""Requests of the recipe."""
KEY = "canary-77c1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The list of the rehearsal does not lag, so nobody need wait for it."""
    monkeypatch.setattr(service, "LOOKS", (0.01, 0.01))
    monkeypatch.setattr(lane, "LISTED_WITHIN", 0.0)
    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path, BATCHED)


def run(workspace, server, model="m") -> tuple[int, list[str]]:
    """The exit code of a run in this process, and what it said."""
    os.environ["OPENAI_BASE_URL"] = server.url
    os.environ["OPENAI_API_KEY"] = KEY
    said: list[str] = []
    try:
        loaded = load_recipe(workspace / "recipes" / "tiny.yaml")
        run_stages(loaded, Options(workspace / "outputs", model), said.append, Log())
    except CourseworkError as error:
        return error.exit_code, [*said, str(error)]
    else:
        return 0, said
    finally:
        del os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]


def finish(workspace, server) -> int:
    """Runs until nothing waits; returns how many that took."""
    for number in range(1, 200):
        code, said = run(workspace, server)
        assert code == 0, said
        if not any("wait in a batch" in line for line in said):
            return number
    raise AssertionError("it never ended")


def rewrite(workspace, text: str) -> None:
    (workspace / "recipes" / "tiny.yaml").write_text(text, encoding="utf-8")


def batches(server) -> list:
    with openai.OpenAI(base_url=server.url, api_key="k") as client:
        return list(client.batches.list())


def wait_for_the_end(server) -> None:
    """Until no batch is under way."""
    while any(batch.status != "completed" for batch in batches(server)):
        time.sleep(0.05)


def online(tmp_path_factory, recipe: str) -> bytes:
    """train.jsonl as the online lane makes it."""
    workspace = make_workspace(tmp_path_factory.mktemp("online"), recipe.replace("mode: batch", "mode: online"))
    with Rehearsing() as server:
        assert run(workspace, server)[0] == 0
    return train(workspace)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory) -> bytes:
    return online(tmp_path_factory, BATCHED)


def test_a_run_sends_a_batch_and_ends_and_a_later_one_collects_it(workspace, oracle):
    with Rehearsing(Rehearsal(batch_seconds=3)) as server:
        code, said = run(workspace, server)
        assert (code, said[-1]) == (
            0,
            f"{WANTED} requests wait in a batch; run the same command again to collect their replies.",
        )
        assert not (outputs(workspace) / "dataset").exists()
        assert problems(workspace) == []
        sent = server.counts()["calls"]
        assert sent == {"/v1/batches": 1, "/v1/files": 1}
        for looked in (2, 3):
            assert run(workspace, server)[0] == 0
            assert server.counts()["calls"] == {"/v1/batches": looked, "/v1/files": 1}
        wait_for_the_end(server)
        code, said = run(workspace, server)
        assert code == 0
        assert any(line.endswith(f"completed: {WANTED} replies") for line in said)
        assert train(workspace) == oracle
        assert problems(workspace) == []
        asked = server.counts()
        assert run(workspace, server)[0] == 0
        assert server.counts() == asked
        assert (asked["requests"], asked["bought_twice"]) == (0, 0)


def test_a_later_stage_is_sent_when_the_earlier_one_is_in(tmp_path, tmp_path_factory):
    workspace = make_workspace(tmp_path, PERSONA)
    with Rehearsing(Rehearsal(batch_seconds=0)) as server:
        finish(workspace, server)
        sizes = [batch.request_counts.total for batch in reversed(batches(server))]
    assert len(sizes) == 2
    assert train(workspace) == online(tmp_path_factory, PERSONA)


def test_a_batch_that_ended_badly_is_harvested_and_the_rest_sent_again(workspace, oracle):
    """Part of each batch expires, fails, is missing, doubled or a stranger's, and all of it comes shuffled."""
    settings = Rehearsal(
        batch_seconds=0,
        batch_expired=0.2,
        batch_errors=0.1,
        batch_missing=0.1,
        batch_duplicated=0.2,
        batch_unknown=0.2,
        seed=3,
    )
    rewrite(workspace, BATCHED.replace("tries: 1", "tries: 5"))
    with Rehearsing(settings) as server:
        run(workspace, server)
        code, said = run(workspace, server)
        assert code == 0
        assert any("expired" in line for line in said), said
        assert (outputs(workspace) / "dataset").exists(), "what is there is published"
        finish(workspace, server)
        assert len(batches(server)) > 2
        assert server.counts()["bought_twice"] == 0
    assert train(workspace) == oracle
    assert problems(workspace) == []


SENDING = {"batch-named", "batch-uploaded", "batch-asked", "batch-created", "batch-known"}
POINTS = [name for name in crash_points() if name.startswith(BATCH)]


def test_the_crash_points_of_the_lane_are_known():
    assert set(POINTS) > SENDING


@pytest.mark.parametrize(
    "point",
    [*(pytest.param(point, marks=pytest.mark.slow) for point in POINTS[1:]), POINTS[0], "replies-half-committed"],
)
def test_a_run_killed_beside_a_batch_sends_nothing_twice(workspace, oracle, point):
    with Rehearsing(Rehearsal(batch_seconds=0)) as server:
        if point not in SENDING:
            assert run(workspace, server)[0] == 0
        victim = started(workspace, server.url, COURSEWORK_CRASH_AT=point)
        said = victim.communicate(timeout=60)[1]
        assert victim.returncode == -signal.SIGKILL, f"the run never passed {point}: {said}"
        assert problems(workspace) == []
        finish(workspace, server)
        assert (len(batches(server)), server.counts()["bought_twice"]) == (1, 0)
    assert train(workspace) == oracle


def test_an_endpoint_that_fails_now_and_then_gets_one_batch_and_gives_every_reply(workspace, oracle):
    faults = {"too_many": 0.1, "error_500": 0.15, "reset": 0.2, "cut_body": 0.2}
    rewrite(workspace, BATCHED.replace("tries: 1", "tries: 12"))
    settings = Rehearsal(batch_seconds=0, retry_after=0.01, seed=5, **faults)
    with Rehearsing(settings) as server:
        finish(workspace, server)
        counts = server.counts()
        assert counts["call_faults"]
        assert counts["batch_lines"] == {"sound": WANTED}
    assert train(workspace) == oracle


def test_a_cap_on_requests_is_kept_and_a_later_run_goes_on(workspace, oracle):
    rewrite(workspace, BATCHED + "budget: {run: {requests: 8}}\n")
    with Rehearsing(Rehearsal(batch_seconds=0)) as server:
        assert finish(workspace, server) == 4
        assert [batch.request_counts.total for batch in reversed(batches(server))] == [8, 8, 2]
    assert train(workspace) == oracle


def test_a_cap_that_lets_nothing_be_sent_ends_with_75(workspace):
    rewrite(workspace, BATCHED + "budget: {life: {requests: 8}}\n")
    with Rehearsing(Rehearsal(batch_seconds=0)) as server:
        assert run(workspace, server)[0] == 0
        code, said = run(workspace, server)
        assert code == 75
        assert "8 requests in all" in said[-1]
        assert len(batches(server)) == 1


def test_the_worst_case_is_reserved_at_half_the_price_and_settled_when_collected(workspace):
    priced = BATCHED.replace("mode: batch", "mode: batch, usd_per_million: [2, 8]")
    rewrite(workspace, priced)
    with Rehearsing(Rehearsal(batch_seconds=0.5)) as server:
        os.environ["OPENAI_BASE_URL"] = server.url
        planned = plan(load_recipe(workspace / "recipes" / "tiny.yaml"), Options(workspace / "outputs", "m"), print)
        rewrite(workspace, priced.replace("mode: batch", "mode: online"))
        usual = plan(load_recipe(workspace / "recipes" / "tiny.yaml"), Options(workspace / "outputs", "m"), print)
        del os.environ["OPENAI_BASE_URL"]
        assert planned.usd == pytest.approx(usual.usd / 2)
        rewrite(workspace, priced)
        run(workspace, server)
        with Ledger.look(outputs(workspace)) as ledger:
            reserved = ledger.spent()
        finish(workspace, server)
        counts = server.counts()
        with Ledger.look(outputs(workspace)) as ledger:
            paid = ledger.spent()
    assert reserved.requests == paid.requests == WANTED
    assert reserved.usd > paid.usd
    read, written = counts["billed_input_tokens"], counts["billed_output_tokens"]
    assert paid.tokens == read + written
    assert paid.usd == pytest.approx((read * 2 + written * 8) / 1e6 / 2)


def test_plan_and_a_run_online_leave_alone_what_waits_in_a_batch(workspace, oracle):
    with Rehearsing(Rehearsal(batch_seconds=3)) as server:
        run(workspace, server)
        os.environ["OPENAI_BASE_URL"] = server.url
        planned = plan(load_recipe(workspace / "recipes" / "tiny.yaml"), Options(workspace / "outputs", "m"), print)
        del os.environ["OPENAI_BASE_URL"]
        assert (planned.waiting, planned.output_tokens) == (WANTED, 0)
        rewrite(workspace, RECIPE)
        code, said = run(workspace, server)
        assert (code, server.counts()["requests"]) == (0, 0)
        assert said[-1].startswith(f"{WANTED} requests wait")
        wait_for_the_end(server)
        assert finish(workspace, server) == 1
        assert server.counts()["requests"] == 0
    assert train(workspace) == oracle


def test_an_edited_prompt_waits_for_what_the_old_one_brings(workspace):
    with Rehearsing(Rehearsal(batch_seconds=60)) as server:
        run(workspace, server)
        (workspace / "prompts").mkdir()
        for path in (ROOT / "prompts").iterdir():
            text = path.read_text(encoding="utf-8").replace("everyday", "ordinary")
            (workspace / "prompts" / path.name).write_text(text, encoding="utf-8")
        run(workspace, server)
        assert len(batches(server)) == 1


def test_a_refused_key_ends_with_69_reserves_nothing_and_is_written_nowhere(workspace):
    with Rehearsing(Rehearsal(key_refused=True)) as server:
        code, said = run(workspace, server)
    assert code == 69
    assert "OPENAI_API_KEY" in said[-1]
    with Ledger.look(outputs(workspace)) as ledger:
        assert ledger.spent().requests == 0
    written = b"".join(path.read_bytes() for path in workspace.rglob("*") if path.is_file())
    assert KEY.encode() not in written
    assert KEY not in "".join(said)


@pytest.mark.parametrize(("how", "code"), [("deadline", 75), ("SIGTERM", 75), ("SIGINT", 130)])
def test_an_endpoint_that_hangs_does_not_hold_the_run(workspace, how, code):
    with Rehearsing(Rehearsal(hang_before=1)) as server:
        more = ("--deadline", "1s") if how == "deadline" else ()
        victim = started(workspace, server.url, *more)
        if not more:
            end = time.monotonic() + 20
            while not server.counts()["calls"]:
                assert time.monotonic() < end
                time.sleep(0.02)
            begun = time.monotonic()
            victim.send_signal(getattr(signal, how))
        said = victim.communicate(timeout=30)[1]
        assert more or time.monotonic() - begun < 5
        assert victim.returncode == code, said
        assert said.count("\n") == 1


def test_training_waits_for_the_replies(workspace):
    with Rehearsing(Rehearsal(batch_seconds=30)) as server:
        victim = started(workspace, server.url, "--train")
        said, complaints = victim.communicate(timeout=60)
    assert (victim.returncode, complaints) == (0, "")
    assert said.endswith("not trained yet: replies are still to come\n")


def test_a_recipe_that_knows_no_batch_loads_no_client(workspace):
    with Rehearsing() as server, contextlib.ExitStack() as stack:
        rewrite(workspace, RECIPE)
        stack.callback(os.environ.pop, "OPENAI_BASE_URL", None)
        os.environ["OPENAI_BASE_URL"] = server.url
        code = (
            "import sys\nfrom pipeline.cli import main\nsys.argv = ['coursework', 'run', 'recipes/tiny.yaml',"
            " '--model', 'm']\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
            "assert 'openai' not in sys.modules"
        )
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], cwd=workspace, env=environment, check=True, timeout=60)
