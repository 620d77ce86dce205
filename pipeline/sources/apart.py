"""Reading a file in a process of its own, so that a hostile one can waste only what it is given."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal, get_args

from pipeline.sources.blocks import Block, Fate, Reading, ReadLimits, ReadOptions, Stopped, Unit, Unreadable

Format = Literal["pdf", "markdown", "text", "html", "docx", "epub", "csv", "json"]

_ROOT = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.append(sys.argv[1]); from pipeline.sources.child import main; main()"
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TESSDATA_PREFIX")
"""All of the environment the child sees: it has no use for a key."""
_BYTES_PER_CHARACTER = 8
_MIB = 1024 * 1024


def read_apart(
    path: Path, form: Format, limits: ReadLimits, options: ReadOptions, password: str | None = None
) -> Reading:
    """What the reader for `form` makes of the file. Raises Unreadable, and nothing else, if it makes nothing.

    The child gets `limits.seconds` of clock time, or what the pages it reads earn it, and `limits.memory_mib` of
    address space, and may answer with no more bytes than `limits.characters` can need.
    """
    size = path.stat().st_size
    job = {
        "path": str(path),
        "format": form,
        "password": password,
        "limits": asdict(limits),
        "options": asdict(options),
    }
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _START, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        try:
            data = _conversation(child, json.dumps(job).encode(), limits, size)
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            raise Stopped("too-slow", f"reading it took longer than {limits.share * limits.seconds:g} s") from None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)  # with it the text recognition it may have started
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        return _understood(data, child.returncode, limits, complaints)


def _conversation(child: subprocess.Popen[bytes], job: bytes, limits: ReadLimits, size: int) -> bytes:
    """Hands over the job and collects the answer, for no longer and no more of it than allowed."""
    begun, allowed = time.monotonic(), limits.allowed(b"", size)
    cap = _BYTES_PER_CHARACTER * limits.characters + _MIB
    if child.stdin is None or child.stdout is None:
        raise Unreadable("damaged", "the reader could not be reached")
    with contextlib.suppress(BrokenPipeError):  # it died at once: its exit status tells why
        child.stdin.write(job)
        child.stdin.close()
    data = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while ready.select(max(0.0, begun + allowed - time.monotonic())):
            chunk = os.read(child.stdout.fileno(), _MIB)
            if not chunk:
                return bytes(data)
            data += chunk
            if not data.strip():  # so far it tells of its progress
                allowed = limits.allowed(bytes(data), size)
            if len(data) > cap:
                raise Unreadable("unsupported", f"it holds more text than {limits.characters} characters")
    raise subprocess.TimeoutExpired(child.args, limits.seconds)


def _understood(data: bytes, status: int, limits: ReadLimits, complaints: IO[bytes]) -> Reading:
    if status == -getattr(signal, "SIGXCPU", 0) and status:
        raise Stopped("too-slow", f"reading it took longer than {limits.share * limits.seconds:g} s")
    if status != 0:
        said = _last_words(status, complaints)
        if said == "MemoryError":  # there was too little left even to say so in order
            raise Stopped("unsupported", f"reading it took more than {limits.memory_mib} MiB of memory")
        raise Stopped("damaged", f"reading it stopped the reader: {said}")
    try:
        answer: dict[str, Any] = json.loads(data)
        if "fate" in answer:
            fate: Fate = answer["fate"] if answer["fate"] in get_args(Fate) else "damaged"
            kind = Stopped if answer["stopped"] else Unreadable
            raise kind(fate, str(answer["cause"]), int(answer["page_count"]))
        pages = [(int(number), [Block(*block) for block in blocks]) for number, blocks in answer["pages"]]
        warnings = [str(warning) for warning in answer["warnings"]]
        unit: Unit = answer["unit"] if answer["unit"] in get_args(Unit) else "page"
        return Reading(pages, warnings, str(answer["reader"]), int(answer["page_count"]), unit)
    except (ValueError, KeyError, TypeError):
        raise Unreadable("damaged", "reading it confused the reader: its answer makes no sense") from None


def _last_words(status: int, complaints: IO[bytes]) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
    complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, complaints.tell() - 2000))
    lines = complaints.read().decode("utf-8", "replace").strip().split("\n")
    return lines[-1][:200] or f"exit status {status}"
