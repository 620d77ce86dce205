"""The rehearsal as a command: its options, the one line it prints, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.options import arguments, rehearse
from pipeline.teacher.rehearsal.running import Rehearsing, RehearsingApart, rehearsing
from tests.conftest import ROOT
from tests.teacher.calling import ask, numbered

COMMAND = [sys.executable, "-m", "pipeline.teacher.rehearsal"]


def started(*options: str) -> subprocess.Popen:
    return subprocess.Popen([*COMMAND, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_process_of_its_own_behaves_as_its_settings_say():
    settings = Rehearsal(
        fixed=True, seed=5, too_many=0.5, retry_after=2.5, retry_after_form="seconds", formats="plain", port=0
    )
    asked = [numbered(number) for number in range(12)]
    with RehearsingApart(settings) as apart, Rehearsing(settings) as here:
        assert [ask(apart, body).status for body in asked] == [ask(here, body).status for body in asked]
        assert apart.counts() == here.counts()
        assert ask(apart, numbered(1, response_format={"type": "json_object"})).status == 400
    assert apart.process.returncode == 0


def test_every_option_of_the_command_line_is_a_field_and_the_other_way_round():
    seen = []
    app = typer.Typer()

    def kept(**options):
        seen.append(Rehearsal(**options))

    kept.__signature__, kept.__annotations__ = rehearse.__signature__, rehearse.__annotations__
    app.command()(kept)
    settings = Rehearsal(
        port=8123, latency=0.25, fixed=True, drip=0.5, retry_after_form="past-date", key_refused=True,
        formats="json_object", limit_name="max_tokens", batch_in_order=True, batch_unknown=1.0, credit_gone_from=7,
    )  # fmt: skip
    for wanted in (settings, Rehearsal()):
        CliRunner().invoke(app, arguments(wanted), catch_exceptions=False)
        assert seen.pop() == wanted


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_and_ends_cleanly_with_requests_under_way(name):
    process = started("--fixed", "--hang-before", "1")
    line = process.stdout.readline()
    url = line.split()[0]
    assert line == f"{url} answers until Ctrl-C: OPENAI_BASE_URL={url} coursework run RECIPE --model rehearsal\n"
    host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
    assert host == "127.0.0.1"
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        process.send_signal(name)
        assert process.wait(timeout=10) == 0
    assert process.stdout.read() + process.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--too-many", "0.7", "--reset", "0.7"], "add up to 1.4"),
        (["--formats", "xml"], "'xml' are not known"),
        (["--too-many", "1.5"], "less than or equal to 1"),
    ],
)
def test_options_that_cannot_be_end_with_2_and_a_reason(options, said):
    done = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_ends_with_2_and_one_line():
    with Rehearsing() as server:
        port = server.url.removesuffix("/v1").rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"Port {port}" in done.stderr


def test_it_opens_in_a_running_event_loop_and_leaves_nothing_behind():
    async def once() -> str:
        async with rehearsing(Rehearsal(fixed=True, batch_seconds=60)) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.removesuffix("/v1").rpartition(":")[2]))
            writer.write(b"GET /rehearsal/counts HTTP/1.1\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert len(asyncio.all_tasks()) == 1
        writer.close()
        return url

    url = asyncio.run(once())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.removesuffix("/v1").rpartition(":")[2])))


def test_the_command_line_loads_no_server_until_it_serves():
    code = (
        "import sys, pipeline.teacher.rehearsal.options\n"
        "print([name for name in ('asyncio', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
