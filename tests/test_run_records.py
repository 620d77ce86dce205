"""Every run leaves its record, whatever becomes of it: exit code, one line, a file that says it too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline import cli
from pipeline.errors import EXIT_CODES
from pipeline.runlog import Facts
from pipeline.runlog.facts import End
from pipeline.runlog.folder import RunFile, Runs
from pipeline.runlog.metrics import metrics
from pipeline.runlog.notify import notify
from pipeline.runlog.trouble import trouble
from pipeline.sources.documents import Unread
from pipeline.teacher.lock import take_lock
from tests.test_mishaps import NONSENSE, write_in_the_ledger
from tests.victims import Teacher, make_workspace, outputs, started

QUICK = """\
name: tiny
meaning: {enabled: false}
checks: {language_odds: null}
documents: {files: [docs], passage_tokens: 120, wordings: 1}
teacher: {in_flight: 2, tries: 1, usd_per_million: [1, 2]}
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(make_workspace(tmp_path, QUICK))
    return tmp_path


@pytest.fixture
def teacher(monkeypatch) -> Iterator[Teacher]:
    with Teacher(latency=0) as teacher:
        monkeypatch.setenv("OPENAI_BASE_URL", teacher.url)
        yield teacher


@pytest.fixture
def coursework(monkeypatch, capfd):
    """The command, in this process: exit code, standard output, standard error."""
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["coursework", *map(str, arguments)])
        capfd.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capfd.readouterr()

    yield call
    signal.signal(signal.SIGTERM, handler)


def facts_of(workspace: Path, name: str = "tiny") -> list[Facts]:
    """Of every run, the oldest first."""
    return [*Runs(workspace / "outputs" / name / "runs").newest_first()][::-1]


RUN = ("run", "recipes/tiny.yaml", "--model", "m")


def test_a_quiet_night_says_nothing_and_leaves_its_facts(workspace, teacher, coursework):
    assert coursework(*RUN, "--quiet") == (0, "", "")
    assert coursework(*RUN, "--quiet") == (0, "", "")
    first, second = facts_of(workspace)
    assert (first.end, second.end) == (End(code=0, cause="done"), End(code=0, cause="nothing_new"))
    assert first.funnel.adds_up and first.funnel.bought == len(teacher.bodies) == first.cost.replies.requests
    assert first.changed and not second.changed
    assert (second.previous, second.cost.replies.requests) == (first.run, 0)
    assert second.cost.account == first.cost.account
    assert first.cost.usd == first.cost.account.today.usd > 0
    assert [stage.name for stage in first.stages] == ["sources", "teacher", "records", "sheet", "dataset"]
    assert first.stages[1].requests == first.funnel.bought
    assert first.awaiting == {"0001.jsonl": first.funnel.drafts - first.funnel.rejections.total()}
    assert any(line.startswith("drafts") for line in first.said)
    assert sum(stage.seconds for stage in first.stages) <= first.seconds


def test_the_facts_go_to_stdout_to_a_command_and_to_prometheus(workspace, teacher, coursework):
    told = "cat > told.json; echo a word; echo another >&2"
    code, said, aside = coursework(*RUN, "--json", "--metrics", "run.prom", "--notify", told)
    (facts,) = facts_of(workspace)
    assert (code, said) == (0, (workspace / "told.json").read_text())
    assert json.loads(said) == json.loads((outputs(workspace) / "runs" / f"{facts.run}.json").read_text())
    assert said.count("\n") == 1
    assert "drafts" in aside and "a word" not in aside
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families((workspace / "run.prom").read_text())
        for sample in family.samples
        if set(sample.labels) == {"recipe"}
    }
    assert found["coursework_run_exit_code"] == 0
    assert found["coursework_run_replies"] == facts.funnel.bought
    assert found["coursework_paid_usd_total"] == pytest.approx(facts.cost.usd)
    assert found["coursework_last_success_timestamp_seconds"] == pytest.approx(facts.ended.timestamp())
    assert not any(name.endswith("_created") for name in found)


def unanswered(workspace: Path) -> dict[str, str]:
    return {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}


def wrong(workspace: Path) -> None:
    (workspace / "recipes" / "tiny.yaml").write_text(QUICK + "splits: {}\nalso: wrong\n")


def without_text(workspace: Path) -> None:
    (workspace / "recipes" / "docs" / "a.md").write_text("")


def capped(workspace: Path) -> None:
    (workspace / "recipes" / "tiny.yaml").write_text(QUICK + "budget: {run: {requests: 3}}\n")


def full(workspace: Path) -> None:
    (workspace / "outputs").write_text("")


def held(workspace: Path) -> object:
    return take_lock(outputs(workspace))


def with_a_bug(workspace: Path) -> None:
    assert cli  # the ledger is there after a run
    write_in_the_ledger(workspace, NONSENSE, "k")


ENDS = [
    (wrong, (), 78, "recipe", "splits: is not a field"),
    (without_text, (), 65, "no_documents", "a.md is empty"),
    (unanswered, (), 69, "no_teacher", "Mend that, then run again"),
    (capped, (), 75, "budget", "3 requests a run"),
    (None, ("--deadline", "0s"), 75, "deadline", "deadline"),
    (held, (), 75, "locked", "in use by"),
    (full, (), 73, "cannot_write", "outputs"),
    (with_a_bug, (), 70, "bug", "The traceback is in outputs/crash-"),
]


@pytest.mark.parametrize(("plight", "more", "code", "cause", "words"), ENDS, ids=[cause for *_, cause, _ in ENDS])
def test_a_run_that_fails_says_so_in_one_line_and_in_its_record(
    workspace, teacher, coursework, monkeypatch, plight, more, code, cause, words
):
    if plight is with_a_bug:
        assert coursework(*RUN)[0] == 0
    kept = plight(workspace) if plight else None
    for name, value in (kept or {}).items() if isinstance(kept, dict) else ():
        monkeypatch.setenv(name, value)
    ended, said, aside = coursework(*RUN, *more, "--quiet", "--json", "--metrics", "run.prom")
    assert (ended, aside.count("\n")) == (code, 1), aside
    assert aside.startswith("coursework: ") and words in aside
    facts = Facts.model_validate_json(said)
    assert (facts.end.code, facts.end.cause) == (code, cause)
    assert aside == f"coursework: {' '.join(facts.end.problem.splitlines())} {facts.end.remedy}".strip() + "\n"
    assert f'coursework_run_exit_code{{recipe="tiny"}} {code}.0' in (workspace / "run.prom").read_text()
    if plight is not full:
        assert facts_of(workspace)[-1] == facts


def test_the_codes_that_runs_end_with_are_all_in_the_table():
    by_signals_and_typing = {0, 2, 130}
    assert {code for _, _, code, _, _ in ENDS} | by_signals_and_typing == set(EXIT_CODES)


def test_a_killed_run_says_that_it_began_and_the_next_one_names_it(workspace, teacher, coursework):
    victim = started(workspace, teacher.url, COURSEWORK_CRASH_AT="asking-over")
    assert victim.wait(60) == -signal.SIGKILL
    (dead,) = facts_of(workspace)
    assert (dead.end, dead.ended) == (None, None)
    code, said, aside = coursework(*RUN, "--quiet")
    assert (code, said, aside.count("\n")) == (0, "", 1)
    assert f"1 earlier run began and never ended ({dead.run})" in aside
    buried, living = facts_of(workspace)
    assert (buried.end.code, buried.end.cause) == (None, "never_ended")
    assert living.run in buried.end.problem
    assert living.never_ended == [dead.run]
    assert coursework(*RUN, "--quiet") == (0, "", "")


def test_a_run_that_is_locked_out_leaves_its_record_and_takes_no_living_run_for_dead(workspace, coursework):
    with Teacher(latency=0.3) as slow:
        os.environ["OPENAI_BASE_URL"] = slow.url
        long = started(workspace, slow.url)
        while len(slow.bodies) < 2:
            time.sleep(0.01)
        assert coursework(*RUN, "--quiet")[0] == 75
        del os.environ["OPENAI_BASE_URL"]
        assert long.wait(60) == 0
    first, second = facts_of(workspace)
    assert (first.end.code, first.never_ended) == (0, [])
    assert (second.end.cause, second.cost, second.never_ended) == ("locked", None, [])


@pytest.mark.parametrize(
    ("sent", "code", "cause"), [(signal.SIGTERM, 75, "stopped"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_run_that_a_signal_ends_says_so_in_its_record(workspace, sent, code, cause):
    with Teacher(latency=0.3) as slow:
        victim = started(workspace, slow.url, "--json", "--notify", "cat > told.json")
        while len(slow.bodies) < 3:
            time.sleep(0.01)
        victim.send_signal(sent)
        said, _ = victim.communicate(timeout=20)
    assert victim.returncode == code
    (facts,) = facts_of(workspace)
    assert (facts.end.code, facts.end.cause) == (code, cause)
    assert said == (workspace / "told.json").read_text()
    assert facts.cost.replies.requests >= 1


def test_runs_of_one_second_each_have_a_file_of_their_own(tmp_path):
    facts = [Facts(began=datetime(2026, 5, 1, 2, 30, tzinfo=UTC)) for _ in range(3)]
    files = [RunFile.begin(tmp_path, one) for one in facts]
    assert [one.run for one in facts] == ["20260501T023000Z", "20260501T023000Z-2", "20260501T023000Z-3"]
    runs = Runs(tmp_path)
    assert all(runs.lives(one.run) for one in facts)
    assert runs.bury("") == []
    for file, one in zip(files, facts, strict=True):
        one.end = End(code=0, cause="done")
        file.end(one)
    assert [one.run for one in runs.newest_first()] == [one.run for one in reversed(facts)]
    assert not any(runs.lives(one.run) for one in facts)
    assert all(path.suffix == ".json" for path in tmp_path.iterdir())


def test_what_is_no_runs_file_is_left_alone(tmp_path):
    (tmp_path / "notes.json").write_text('{\n  "end": null,\n')
    (tmp_path / "20260501T023000Z.json").mkdir()
    runs = Runs(tmp_path)
    (tmp_path / ".20260501T023000Z.json.aside").write_text("left by a run that was killed as it began")
    assert (runs.bury(""), [*runs.newest_first()], runs.last_done()) == ([], [], None)
    assert [path.name for path in runs.strays()] == ["20260501T023000Z.json", "notes.json"]


def unread(name: str) -> Unread:
    return Unread(name, "scanned", "It has no text.")


def test_trouble_is_told_once_and_again_only_if_it_is_new():
    known = Facts(began=datetime.now(UTC), unread=[unread("a.pdf")], problems=["review/0001.jsonl:2: bad"])
    same = known.model_copy(update={"recipe": "tiny", "folder": "outputs/tiny", "run": "R"})
    assert trouble(same, known) == ""
    assert "1 document could not be read (a.pdf is scanned: It has no text)" in trouble(same, None)
    held = same.model_copy(update={"held": 4, "path": "recipes/tiny.yaml"})
    assert "`coursework plan recipes/tiny.yaml --accept-changes`" in trouble(held, same)
    assert trouble(held, held) == ""
    late = same.model_copy(update={"waiting": 9, "waiting_since": same.began - timedelta(days=3)})
    assert "cancel it at the endpoint" in trouble(late, late)
    many = same.model_copy(update={"unfollowed": 4000, "problems": ["review/0002.jsonl:1: no JSON."]})
    assert "4,000 lines of review sheets cannot be followed (review/0002.jsonl:1: no JSON)" in trouble(many, same)
    more = same.model_copy(update={"unread": [unread(f"{n}.pdf") for n in "abcdef"]})
    assert trouble(more, known) == (
        "tiny: 5 documents could not be read (b.pdf is scanned: It has no text; c.pdf is scanned: It has no text;"
        " d.pdf is scanned: It has no text; ...). See outputs/tiny/runs/R.json."
    )


def test_a_run_that_came_to_know_nothing_has_metrics_of_its_end_all_the_same():
    facts = Facts(path='odd "name"\n.yaml', began=datetime.now(UTC), end=End(code=78, cause="recipe"))
    families = {one.name: one for one in text_string_to_metric_families(metrics(facts, None).decode())}
    (sample,) = families["coursework_run_exit_code"].samples
    assert (sample.labels, sample.value) == ({"recipe": 'odd "name"\n.yaml'}, 78)
    assert "coursework_requests_planned" not in families
    assert "coursework_last_success_timestamp_seconds" not in families


def test_a_command_that_fails_is_named_and_changes_no_exit_code(workspace, coursework):
    code, said, aside = coursework("run", "recipes/tiny.yaml", "--quiet", "--notify", "echo no such host >&2; exit 3")
    assert (code, said) == (0, "")
    assert aside == "coursework: --notify: 'echo no such host >&2; exit 3' ended with 3: no such host\n"


def _ends(stat: Path) -> bool:
    """A process that was killed goes when the machine has time for it."""
    for _ in range(200):
        with suppress(FileNotFoundError, ProcessLookupError):
            if stat.read_text().split()[2] != "Z":
                time.sleep(0.05)
                continue
        return True
    return False


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path):
    command = f"sleep 30 & echo $! > {tmp_path}/child; wait"
    begun = time.monotonic()
    assert "took longer than 0.5 seconds" in notify(command, "", 0.5)
    assert time.monotonic() - begun < 20
    child = Path("/proc") / (tmp_path / "child").read_text().strip() / "stat"
    assert _ends(child)


def test_a_command_that_reads_nothing_or_leaves_something_behind_holds_up_nobody():
    assert notify("sleep 5 & exit 0", "x" * 1_000_000, 4) == ""
    assert notify("kill -9 $$", "x") == "--notify: 'kill -9 $$' was ended by SIGKILL"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_command_runs_ends_the_command_and_nothing_else(workspace, coursework, sent):
    threading.Thread(target=_when_there, args=(workspace / "told", sent)).start()
    begun = time.monotonic()
    code, _, aside = coursework("run", "recipes/tiny.yaml", "--quiet", "--notify", "touch told; sleep 50")
    assert (code, aside) == (0, "coursework: --notify: 'touch told; sleep 50' was cut short by a signal\n")
    assert time.monotonic() - begun < 50
    assert facts_of(workspace)[-1].done


def _when_there(path: Path, sent: int) -> None:
    while not path.exists():
        time.sleep(0.05)
    os.kill(os.getpid(), sent)


@pytest.mark.slow
def test_a_quiet_night_that_trains_says_nothing_either(workspace, coursework):
    (workspace / "recipes" / "tiny.yaml").write_text(QUICK + "student: {base: local, epochs: 1}\n")
    assert coursework("run", "recipes/tiny.yaml", "--quiet", "--train") == (0, "", "")
    (facts,) = facts_of(workspace)
    assert facts.stages[-1].name == "student"
    assert any(line.startswith("student: ") for line in facts.said)


def test_a_metrics_file_that_cannot_be_written_ends_the_run_with_73_and_the_record_says_so(workspace, coursework):
    code, _, aside = coursework("run", "recipes/tiny.yaml", "--quiet", "--metrics", "recipes/tiny.yaml/run.prom")
    assert (code, aside.count("\n")) == (73, 1)
    assert "recipes/tiny.yaml" in aside
    assert facts_of(workspace)[-1].end.code == 73


SEES = """
import sys
from pipeline.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print("rich" in sys.modules, file=sys.stderr)
"""


def test_without_a_terminal_there_is_no_bar_and_rich_is_not_loaded(workspace):
    command = [sys.executable, "-c", SEES, "run", "recipes/tiny.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "False\n"
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_on_a_terminal_the_stages_are_drawn_unless_the_run_is_quiet(workspace, quiet):
    pty = pytest.importorskip("pty")
    with Teacher(latency=0.2) as slow:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "pipeline", *RUN, *quiet]
        environment = os.environ | {"OPENAI_BASE_URL": slow.url, "TERM": "xterm", "COLUMNS": "120"}
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True)
        os.close(theirs)
        seen = b""
        while part := _read(ours):
            seen += part
        said = run.communicate(timeout=60)[0]
    shown = seen.decode()
    assert run.returncode == 0, shown
    if quiet:
        assert (said, shown) == ("", "")
        return
    for words in ("sources", "teacher", "requests", "a second", "left", "USD", "records"):
        assert words in shown
    assert "drafts" in said and "\x1b" not in said


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""
