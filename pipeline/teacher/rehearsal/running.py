"""Opens the rehearsal on the loopback interface: in this event loop, in a thread, in a process, or until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pipeline
from pipeline.errors import TeacherError, UsageError
from pipeline.teacher.rehearsal.connection import Connection
from pipeline.teacher.rehearsal.options import arguments
from pipeline.teacher.rehearsal.server import Server
from pipeline.teacher.rehearsal.settings import Rehearsal

_BACKLOG = 1024
_HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def rehearsing(settings: Rehearsal) -> AsyncIterator[str]:
    """The endpoint, open in this event loop; yields the base URL. Raises UsageError if the port is taken."""
    server = Server(settings)
    open_ones: set[Connection] = set()
    try:
        listening = await asyncio.get_running_loop().create_server(
            lambda: Connection(server.answer, open_ones), _HOST, settings.port, backlog=_BACKLOG
        )
    except OSError as fault:
        raise UsageError(
            f"Port {settings.port} of this machine cannot be opened: {fault.strerror}.",
            remedy="Name another with --port, or 0 for any.",
        ) from None
    try:
        yield f"http://{_HOST}:{listening.sockets[0].getsockname()[1]}/v1"
    finally:
        listening.close()
        server.close()
        for connection in list(open_ones):
            connection.abort()
        await listening.wait_closed()


def serve(settings: Rehearsal, ready: Callable[[str], None]) -> None:
    """Keep the endpoint open until SIGINT or SIGTERM; `ready` is told the base URL once it can be called."""

    async def until_told() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, told.set)
        async with rehearsing(settings) as url:
            ready(url)
            await told.wait()

    asyncio.run(until_told())


class _Open:
    """An open rehearsal as its user sees it."""

    url: str
    """The base URL, ending in /v1."""

    def counts(self) -> dict[str, Any]:
        """What was served since the start or the last reset."""
        return self._told("counts", None)

    def reset(self) -> None:
        """Forget all that was served: counts, draws, files and batches start anew."""
        self._told("reset", b"")

    def _told(self, what: str, body: bytes | None) -> dict[str, Any]:
        address = f"{self.url.removesuffix('/v1')}/rehearsal/{what}"
        # A proxy named in the environment has no business between two programs on one machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(address, data=body), timeout=30) as reply:
            told: dict[str, Any] = json.load(reply)
        return told


class Rehearsing(_Open):
    """The endpoint, open in a thread of this process: `with Rehearsing(settings) as server: server.url`."""

    def __init__(self, settings: Rehearsal | None = None) -> None:
        self._settings = settings or Rehearsal()
        self._left = asyncio.Event()

    def __enter__(self) -> Self:
        opened: Future[tuple[str, asyncio.AbstractEventLoop]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._until_left(opened)), daemon=True)
        self._thread.start()
        self.url, self._loop = opened.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._left.set)
        self._thread.join()

    async def _until_left(self, opened: Future[tuple[str, asyncio.AbstractEventLoop]]) -> None:
        try:
            async with rehearsing(self._settings) as url:
                opened.set_result((url, asyncio.get_running_loop()))
                await self._left.wait()
        except UsageError as fault:
            opened.set_exception(fault)


class RehearsingApart(_Open):
    """The endpoint in a process of its own, so that it shares no interpreter with whoever is measured."""

    def __init__(self, settings: Rehearsal | None = None) -> None:
        self._settings = settings or Rehearsal()

    def __enter__(self) -> Self:
        root = str(Path(pipeline.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.teacher.rehearsal", *arguments(self._settings)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        said = self.process.stdout.readline() if self.process.stdout else ""
        if not said:
            raise TeacherError(f"The rehearsal ended at once, with exit code {self.process.wait()}.")
        self.url = said.split()[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.communicate()
