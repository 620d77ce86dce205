# ruff: noqa: E501, PLW1510
"""A disk that is full, read-only or failing ends a run with 73 and one line; the next run goes on with what was paid."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import files
from pipeline.errors import CannotWrite
from pipeline.teacher import ledger as ledger_module
from pipeline.teacher.ledger import Cost, Ledger
from tests.commands import coursework as command
from tests.conftest import ROOT
from tests.teacher.test_ledger import reply, request
from tests.victims import (
    IN_FLIGHT,
    Teacher,
    finish,
    make_workspace,
    of_the_ledger,
    outputs,
    problems,
    stamps,
    train,
)

KIB = 1024


@pytest.fixture(scope="module")
def oracle(tmp_path_factory) -> bytes:
    workspace = make_workspace(tmp_path_factory.mktemp("oracle"))
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
    return train(workspace)


@pytest.fixture
def workspace(tmp_path) -> Path:
    return make_workspace(tmp_path)


def coursework(
    workspace: Path, *arguments: str, environment: dict[str, str] | None = None, **options
) -> subprocess.CompletedProcess:
    """A command in a process of its own; one that needs more than `before` is begun by hand."""
    if options.keys() <= {"before"}:
        return command(workspace, *arguments, environment=environment, timeout=60, **options)
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=workspace,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 60} | options),
    )


def run(workspace: Path, url: str, **options) -> subprocess.CompletedProcess:
    return coursework(
        workspace, "run", "recipes/tiny.yaml", "--model", "m", environment={"OPENAI_BASE_URL": url}, **options
    )


def refuses(done: subprocess.CompletedProcess, *words: str) -> None:
    """It ended with the exit code for disks, after one line that says what is wrong."""
    assert done.returncode == 73, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("coursework: ")
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def goes_on(workspace: Path, teacher: Teacher, oracle: bytes) -> None:
    """With room again: nothing that was kept is damaged or bought again, and the dataset is that of a calm day."""
    assert of_the_ledger(problems(workspace) if outputs(workspace).exists() else []) == []
    finish(workspace, teacher.url)
    assert train(workspace) == oracle
    assert problems(workspace) == []
    assert teacher.twice <= IN_FLIGHT


def slow(*sizes: int) -> list:
    return [pytest.param(size, marks=pytest.mark.slow) for size in sizes]


@pytest.mark.parametrize("limit", [20 * KIB, 72 * KIB, *slow(1 * KIB, 40 * KIB, 110 * KIB)])
def test_files_that_may_not_grow_end_the_run_with_73(workspace, oracle, limit):
    """The limit cuts a write short as a full disk does, first the ledger's, then those of sheets and dataset."""

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    with Teacher(latency=0.01) as teacher:
        refuses(run(workspace, teacher.url, preexec_fn=narrow))
        goes_on(workspace, teacher, oracle)


@pytest.mark.parametrize("limit", [40 * KIB, 100 * KIB])
def test_a_dataset_that_cannot_be_written_leaves_the_manifest_for_the_next_run(workspace, oracle, limit):
    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
        shutil.rmtree(outputs(workspace) / "dataset")
        refuses(run(workspace, teacher.url, preexec_fn=narrow), "dataset/", "File too large")
        assert not (outputs(workspace) / "dataset" / "manifest.json").exists()
        assert any("manifest.json" in line for line in problems(workspace))
        goes_on(workspace, teacher, oracle)
        assert teacher.twice == 0


@contextlib.contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """A small file system of its own on the folder."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount command here")
@pytest.mark.parametrize("size", [80 * KIB, 420 * KIB, *slow(16 * KIB, 200 * KIB, 500 * KIB)])
def test_a_full_disk_ends_the_run_with_73_and_with_space_the_next_goes_on(workspace, oracle, size):
    (workspace / "outputs").mkdir()
    with mounted(workspace / "outputs", size), Teacher(latency=0.01) as teacher:
        refuses(run(workspace, teacher.url))
        remount(workspace / "outputs", "size=64m")
        goes_on(workspace, teacher, oracle)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount command here")
def test_a_read_only_folder_is_refused_before_anything_is_bought_and_can_still_be_looked_at(workspace, oracle):
    (workspace / "outputs").mkdir()
    with mounted(workspace / "outputs", 16 * KIB * KIB), Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
        asked = len(teacher.bodies)
        remount(workspace / "outputs", "ro")
        refuses(run(workspace, teacher.url), "outputs/tiny", "Read-only file system")
        sound = coursework(workspace, "verify", "outputs/tiny")
        assert (sound.returncode, sound.stderr) == (0, "")
        planned = coursework(workspace, "plan", "recipes/tiny.yaml", "--model", "m",
                             environment={"OPENAI_BASE_URL": teacher.url})  # fmt: skip
        assert "11 document_questions, 11 already answered" in planned.stdout, planned.stdout + planned.stderr
        remount(workspace / "outputs", "rw")
        goes_on(workspace, teacher, oracle)
        assert len(teacher.bodies) == asked


def without_roots_right() -> None:
    """Root writes anywhere, unless it lets go of CAP_DAC_OVERRIDE before the command begins."""
    if os.geteuid() == 0:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        assert prctl(24, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_folder_that_one_may_not_write_is_refused_before_anything_is_bought(workspace, oracle):
    (workspace / "outputs").mkdir(mode=0o500)
    with Teacher(latency=0) as teacher:
        refuses(run(workspace, teacher.url, preexec_fn=without_roots_right), "outputs/tiny", "Permission denied")
        assert not teacher.bodies
        (workspace / "outputs").chmod(0o700)
        finish(workspace, teacher.url)
        asked = len(teacher.bodies)
        outputs(workspace).chmod(0o500)
        refuses(run(workspace, teacher.url, preexec_fn=without_roots_right), "outputs/tiny/runs", "Permission denied")
        sound = coursework(workspace, "verify", "outputs/tiny", preexec_fn=without_roots_right)
        assert (sound.returncode, sound.stderr) == (0, "")
        outputs(workspace).chmod(0o700)
        goes_on(workspace, teacher, oracle)
        assert len(teacher.bodies) == asked


@pytest.mark.parametrize("name", ["outputs", "outputs/tiny", "outputs/tiny/review", "outputs/tiny/dataset"])
def test_a_file_where_a_folder_should_be_is_named(workspace, oracle, name):
    path = workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file")
    with Teacher(latency=0) as teacher:
        refuses(run(workspace, teacher.url), name)
        assert path.read_text() == "a file"
        path.unlink()
        goes_on(workspace, teacher, oracle)
        assert teacher.twice == 0


def test_a_folder_where_a_file_should_be_is_named(workspace, oracle):
    path = outputs(workspace) / "dataset" / "train.jsonl"
    path.mkdir(parents=True)
    with Teacher(latency=0) as teacher:
        refuses(run(workspace, teacher.url), "train.jsonl")
        path.rmdir()
        goes_on(workspace, teacher, oracle)
        assert teacher.twice == 0


FAILING_FSYNC = """
import os
def fails(handle):
    raise OSError(5, "Input/output error")
os.fsync = fails
"""


def test_a_file_that_cannot_be_flushed_to_the_disk_is_not_taken_for_written(workspace, oracle):
    with Teacher(latency=0) as teacher:
        refuses(run(workspace, teacher.url, before=FAILING_FSYNC), "Input/output error")
        assert not (outputs(workspace) / "dataset").exists()
        goes_on(workspace, teacher, oracle)
        assert teacher.twice == 0


def test_a_log_on_a_full_disk_ends_the_run_with_73_before_anything_is_bought(workspace, oracle):
    with Teacher(latency=0) as teacher, Path("/dev/full").open("w") as full:
        refuses(run(workspace, teacher.url, stdout=full), "No space left on device")
        assert not teacher.bodies
        silent = run(workspace, teacher.url, stdout=full, stderr=full)
        assert silent.returncode == 73
        goes_on(workspace, teacher, oracle)


def test_the_ledger_refuses_what_it_could_not_write_and_keeps_what_it_could(tmp_path):
    """A full disk in the middle of a commit: SQLite is given no page more."""
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(number) for number in range(50)])
        ledger.commit([(reply(request(1)), Cost(1, None))])
        with ledger._transaction() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        noise = os.urandom(200_000).hex()
        with pytest.raises(CannotWrite, match="database or disk is full"):
            ledger.commit([(reply(request(2), noise), Cost(1, None))])
        assert ledger.has(request(1).key)
        assert not ledger.has(request(2).key)
    with Ledger(tmp_path) as ledger:
        ledger.commit([(reply(request(2), noise), Cost(1, None))])
        assert ledger.get(request(2).key).body == noise


@pytest.mark.parametrize("failing", ["flush", "rename"])
def test_a_file_stays_as_it_was_if_the_new_one_cannot_be_finished(tmp_path, monkeypatch, failing):
    path = tmp_path / "a.jsonl"
    files.write_whole(path, b"old")

    def fails(*arguments):
        raise OSError(5, "Input/output error")

    if failing == "flush":
        monkeypatch.setattr(os, "fsync", fails)
    else:
        monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(CannotWrite, match="Input/output error"):
        files.write_whole(path, b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["a.jsonl"]
    assert path.read_bytes() == b"old"


def test_a_clock_that_goes_backwards_changes_no_order_and_no_byte(workspace, oracle, monkeypatch):
    """Every look at the clock is a day before the last; the next run starts ten years earlier."""
    day = 86_400.0
    moments = (2_000_000_000.0 - day * number for number in range(100_000))
    monkeypatch.setattr(ledger_module, "_now", lambda: next(moments))
    with Teacher(latency=0) as teacher:
        finish(workspace, teacher.url)
        asked, before = len(teacher.bodies), stamps(workspace)
        moments = (1_600_000_000.0 - day * number for number in range(100_000))
        finish(workspace, teacher.url)
        assert (len(teacher.bodies), stamps(workspace)) == (asked, before)
    assert train(workspace) == oracle
    assert problems(workspace) == []
