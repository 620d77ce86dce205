"""A run may be killed anywhere: the next one ends with the same bytes, and buys again at most what was under way."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import os
import random
import signal
import threading
import time

import pytest

from pipeline.teacher.journal import Journal
from pipeline.teacher.ledger import Cost
from tests.conftest import ROOT
from tests.teacher.test_ledger import reply, request
from tests.victims import (
    IN_FLIGHT,
    Teacher,
    faulty,
    finish,
    make_workspace,
    of_the_ledger,
    outputs,
    problems,
    stamps,
    started,
    train,
)


def crash_points() -> list[str]:
    """Every name that the source passes, so that a new point cannot be forgotten here."""
    names = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "passing":
                names.append(ast.literal_eval(node.args[0]))
    return names


BATCH, EXPORT = "batch-", "export-"
"""Points of these prefixes are passed in `mode: batch` or an export: test_batch_run or test_exporting kills there."""
POINTS = [name for name in crash_points() if not name.startswith((BATCH, EXPORT))]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory) -> bytes:
    """train.jsonl of a run that nobody disturbed."""
    workspace = make_workspace(tmp_path_factory.mktemp("oracle"))
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
    assert problems(workspace) == []
    return train(workspace)


@pytest.fixture(scope="module")
def usual_seconds(tmp_path_factory) -> float:
    """What a run that nobody disturbs takes, from its start to its end."""
    workspace = make_workspace(tmp_path_factory.mktemp("usual"))
    with Teacher() as teacher:
        begun = time.monotonic()
        said = started(workspace, teacher.url).communicate(timeout=60)[1]
        assert said == ""
        return time.monotonic() - begun


def with_a_stray_file(workspace):
    """As an earlier recipe's dataset would leave one, so that there is one to remove."""
    (outputs(workspace) / "dataset").mkdir(parents=True)
    (outputs(workspace) / "dataset" / "near_duplicates.jsonl").write_text("{}\n")
    return workspace


def killed_at(workspace, url, point, passing=1) -> bool:
    """Run until that passing of the point; False if the run came to its end before."""
    victim = started(workspace, url, COURSEWORK_CRASH_AT=f"{point}:{passing}")
    said = victim.communicate(timeout=60)[1]
    assert victim.returncode in (-signal.SIGKILL, 0, 75), said
    return victim.returncode == -signal.SIGKILL


def prove_it_goes_on(workspace, teacher, oracle) -> None:
    """Nothing committed is damaged or bought again, the next run mends the rest, and one more does nothing."""
    assert of_the_ledger(problems(workspace) if outputs(workspace).exists() else []) == []
    finish(workspace, teacher.url)
    assert train(workspace) == oracle
    assert problems(workspace) == []
    assert teacher.twice <= IN_FLIGHT
    asked, before = len(teacher.bodies), stamps(workspace)
    finish(workspace, teacher.url)
    assert (len(teacher.bodies), stamps(workspace)) == (asked, before)


def test_every_crash_point_has_a_name_of_its_own():
    assert len(POINTS) == len(set(POINTS)) > 15


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_a_crash_point_goes_on(tmp_path, oracle, point):
    workspace = with_a_stray_file(make_workspace(tmp_path))
    with faulty() as teacher:
        assert killed_at(workspace, teacher.url, point), f"the run never passed {point}"
        prove_it_goes_on(workspace, teacher, oracle)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_any_later_passing_of_a_crash_point_goes_on(tmp_path, oracle, point):
    for passing in range(2, 100):
        workspace = with_a_stray_file(make_workspace(tmp_path / str(passing)))
        with faulty() as teacher:
            if not killed_at(workspace, teacher.url, point, passing):
                return
            prove_it_goes_on(workspace, teacher, oracle)
    raise AssertionError(f"{point} was passed more often than anybody would believe")


def killed_after(workspace, url, seconds, once_begun=False) -> bool:
    """Seconds from the start, or from when the run has made its folder. False if the run had ended by then."""
    victim = started(workspace, url)
    while once_begun and not outputs(workspace).exists() and victim.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    victim.send_signal(signal.SIGKILL)
    said = victim.communicate(timeout=60)[1]
    assert victim.returncode in (-signal.SIGKILL, 0), said
    return victim.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_killed_over_and_over_loses_nothing(tmp_path, oracle, usual_seconds):
    """Each workspace is killed until one of its runs comes to its end first; twelve kills in all."""
    dice, kills, workspaces = random.Random(3), 0, 0
    while kills < 12:
        workspaces += 1
        workspace = make_workspace(tmp_path / str(workspaces))
        here = 0
        with Teacher() as teacher:
            # Ever later, or a machine that has become slower since would never let one of its runs end.
            while killed_after(workspace, teacher.url, dice.uniform(0.4, 1.0) * usual_seconds * 1.1**here):
                here += 1
                assert of_the_ledger(problems(workspace) if outputs(workspace).exists() else []) == []
                assert teacher.twice <= here * IN_FLIGHT
        kills += here
        assert train(workspace) == oracle
        assert problems(workspace) == []


@pytest.mark.slow
def test_a_run_killed_at_any_of_200_moments_goes_on(tmp_path, oracle, usual_seconds):
    """From its folder's making on, for before that there is nothing to go on with. How long a run takes changes with
    what else the machine does, so the span of the moments follows it."""
    dice, kills, tries, span = random.Random(200), 0, 0, usual_seconds
    while kills < 200:
        tries += 1
        assert tries < 400, "most kills came too late"
        workspace = make_workspace(tmp_path / str(tries))
        with Teacher() as teacher:
            if killed_after(workspace, teacher.url, dice.uniform(0.0, span), once_begun=True):
                kills += 1
                span *= 1.05
                prove_it_goes_on(workspace, teacher, oracle)
            else:
                span *= 0.8


def test_a_killed_run_frees_the_ledger_for_the_next_at_once(tmp_path):
    workspace = make_workspace(tmp_path)
    with Teacher(latency=0.2) as teacher:
        victim = started(workspace, teacher.url)
        while not teacher.bodies:
            time.sleep(0.01)
        os.kill(victim.pid, signal.SIGKILL)
        victim.communicate()
        finish(workspace, teacher.url)
    assert problems(workspace) == []


SLOW_CURATING = """
import signal, time
import pipeline.rebuild
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
def curate(*arguments):
    print("curating", flush=True)
    time.sleep(30)
pipeline.rebuild.curate = curate
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_run_that_is_told_to_end_after_the_asking_ends_at_once_and_the_next_goes_on(tmp_path, oracle, sent, code):
    workspace = make_workspace(tmp_path)
    with Teacher(latency=0) as teacher:
        victim = started(workspace, teacher.url, before=SLOW_CURATING)
        while (line := victim.stdout.readline()) != "curating\n":
            assert line, victim.communicate()[1]  # it ended before
        begun = time.monotonic()
        victim.send_signal(sent)
        said = victim.communicate(timeout=20)[1]
        assert time.monotonic() - begun < 5
        assert (victim.returncode, said.count("\n")) == (code, 1), said
        finish(workspace, teacher.url)
        assert teacher.twice == 0
    assert train(workspace) == oracle


def test_no_thread_outlives_an_asking_that_is_let_go_while_a_commit_is_flushed():
    """Else a second Ctrl-C would end in a process that waits for ever."""

    class SlowDisk:
        def commit(self, replies):
            time.sleep(0.2)

    async def let_go() -> None:
        journal = Journal(SlowDisk())
        await journal.kept(reply(request(1)), Cost(1, None))  # slow enough for the next to go to the thread
        second = asyncio.create_task(journal.kept(reply(request(2)), Cost(1, None)))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(journal.close())
        await asyncio.sleep(0.01)
        assert not second.done()
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing

    asyncio.run(let_go())
    assert not [thread for thread in threading.enumerate() if thread.name == "journal"]
