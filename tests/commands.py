"""The command `coursework` as a test calls it: a process of its own, and what it said."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


def coursework(
    folder: Path, *arguments: object, before: str = "", environment: dict[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Called in that folder. `before` is run in it first; `environment` is added to the test's own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        code = Command(folder, arguments, environment or {}, (out.fileno(), errors.fileno()), before).wait(timeout)
        said = []
        for stream in (out, errors):
            stream.seek(0)
            said.append(stream.read().decode())
    return subprocess.CompletedProcess(["coursework", *map(str, arguments)], code, *said)


def started(folder: Path, *arguments: object, before: str = "", environment: dict[str, str] | None = None) -> Talking:
    """One that runs on beside the test. `before` is run in it first."""
    return Talking(folder, arguments, environment or {}, before)


class Command:
    """A process that was begun, with as much of `subprocess.Popen` as tests use."""

    def __init__(
        self, folder: Path, arguments: tuple, environment: dict[str, str], streams: tuple[int, int], before: str = ""
    ) -> None:
        self._fate, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        call = {
            "folder": str(folder),
            "arguments": [*map(str, arguments)],
            "environment": os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            "before": before,
        }
        with theirs:
            socket.send_fds(_nursery(), [json.dumps(call).encode()], [theirs.fileno(), *streams])
        self.pid = self._told()
        self.returncode: int | None = None

    def _told(self) -> int:
        return int(self._fate.recv(100))

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. One that takes longer is killed."""
        try:
            return self._ended(timeout)
        except TimeoutError as fault:
            os.kill(self.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired("coursework", timeout or 0) from fault

    def poll(self) -> int | None:
        """Its exit code, or None as long as it runs."""
        try:
            return self._ended(0)
        except BlockingIOError:
            return None

    def _ended(self, timeout: float | None) -> int:
        if self.returncode is None:
            self._fate.settimeout(timeout)
            self.returncode = self._told()
            self._fate.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """To the process, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Talking(Command):
    """One whose streams can be read while it runs; a mebibyte of each is held until they are."""

    def __init__(self, folder: Path, arguments: tuple, environment: dict[str, str], before: str) -> None:
        (out, their_out), (errors, their_errors) = os.pipe(), os.pipe()
        for end in (out, errors):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.stdout, self.stderr = os.fdopen(out, encoding="utf-8"), os.fdopen(errors, encoding="utf-8")
        try:
            super().__init__(folder, arguments, environment, (their_out, their_errors), before)
        finally:
            os.close(their_out)
            os.close(their_errors)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it said, once it has ended."""
        self.wait(timeout)
        with self.stdout, self.stderr:
            return self.stdout.read(), self.stderr.read()


@cache
def _nursery() -> socket.socket:
    """The door of a process that lives as long as the tests do: it ends when it finds its door shut."""
    door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
            cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip
    return door
