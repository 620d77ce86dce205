"""The command `coursework` as a test calls it: a process of its own, and what it said."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).parent.parent


def coursework(
    folder: Path, *arguments: object, environment: dict[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Called in that folder. `environment` is added to the test's own."""
    return _nursery().call(folder, [*map(str, arguments)], environment or {}, timeout)


@cache
def _nursery() -> _Nursery:
    return _Nursery()


class _Nursery:
    """Its process lives as long as the tests do: it ends when it finds its door shut."""

    def __init__(self) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
                cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
            )  # fmt: skip

    def call(
        self, folder: Path, arguments: list[str], environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        call = {
            "folder": str(folder),
            "arguments": arguments,
            "environment": os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        }
        with self._lock, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            self._door.settimeout(timeout)
            socket.send_fds(self._door, [json.dumps(call).encode()], [out.fileno(), errors.fileno()])
            try:
                code = json.loads(self._door.recv(100))
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise
            said = []
            for stream in (out, errors):
                stream.seek(0)
                said.append(stream.read().decode())
        return subprocess.CompletedProcess(["coursework", *arguments], code, *said)
