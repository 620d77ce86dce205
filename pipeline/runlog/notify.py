"""A person's own command, told of a run's end."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress

SECONDS = 60.0
"""So long it may take; then it is ended, with all that it started."""


def notify(command: str, told: str, seconds: float = SECONDS) -> str:
    """Run a command by the shell with what it is told on its standard input; returns what went wrong, or nothing.

    Its output is shown to nobody unless it fails: then the last line of it is part of the answer. Files stand where
    pipes would, so that a command that reads nothing, or leaves something behind, holds up nobody.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(told.encode())
        given.seek(0)
        try:
            child = subprocess.Popen(command, shell=True, stdin=given, stdout=said, stderr=said, start_new_session=True)
        except OSError as fault:
            return f"--notify: {command!r} could not be started: {fault.strerror}"
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(child)
            return f"--notify: {command!r} took longer than {seconds:g} seconds and was ended"
        except BaseException:
            _end(child)
            raise
        if code == 0:
            return ""
        said.seek(0)
        last = (said.read().decode(errors="replace").strip().splitlines() or [""])[-1][:200]
        how = f"ended with {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"
        return f"--notify: {command!r} {how}{': ' if last else ''}{last}"


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
