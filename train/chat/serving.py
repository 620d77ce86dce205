"""Serves the page to this machine alone, and lets it fetch nothing from elsewhere."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import UsageError
from train.chat.hearing import BYTES

LOOPBACK = "127.0.0.1"
PORT = 7860
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONOSPACED = ("ui-monospace", "Menlo", "Consolas", "monospace")
CSS = """
.gradio-container {max-width: 1200px !important; margin: 0 auto !important}
.remark p {color: var(--body-text-color-subdued); font-size: var(--text-sm); margin: 0}
"""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
"""Gradio's own scripts stand in its page and are compiled there; what comes from elsewhere is not even asked for."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def need_gradio() -> None:
    """Raises UsageError unless gradio is there; if it is, it is told to report nothing home.

    Settings of gradio in the environment are put away, for some of them open files or the network.
    """
    if find_spec("gradio") is None:
        raise UsageError(
            "The chat page needs gradio, which is not installed.",
            remedy='Install it with: pip install "coursework[chat]", or chat in the terminal with --terminal.',
        )
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@contextmanager
def uploads_for_a_while() -> Iterator[None]:
    """What visitors upload lies in a folder that goes with this process. Ctrl-C and a polite kill end the block."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), TemporaryDirectory(prefix="coursework-chat-") as folder:
            os.environ["GRADIO_TEMP_DIR"] = folder
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def serve(page: Any, door: socket.socket, framed_by: str = "'none'") -> None:
    """Serves a page until it is interrupted. `framed_by` says whose pages may show it inside of them."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Tabs that are still open are cut off then, which is no fault to tell of."""
            logging.getLogger("uvicorn.error").disabled = True
            await super().shutdown(sockets)

    app = application(page, framed_by, alone=door.getsockname()[0] == LOOPBACK)
    config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1)
    Server(config).run(sockets=[door])


def open_door(port: int | None, host: str = LOOPBACK) -> socket.socket:
    """The port to listen at: the named one, or the usual one, or any that is free. Raises UsageError if it is taken."""
    for wanted in (PORT, 0) if port is None else (port,):
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, wanted))
            # Whoever comes before the page is ready waits, and is not sent away.
            door.listen()
        except OSError as fault:
            door.close()
            taken = fault
            continue
        return door
    raise UsageError(f"--port {port} cannot be used: {taken.strerror}.", remedy="Name another, or leave it out.")


def address_of(door: socket.socket) -> str:
    """Where a browser finds it."""
    return f"http://{LOOPBACK}:{door.getsockname()[1]}/"


def application(page: Any, framed_by: str = "'none'", alone: bool = True) -> Any:
    """The page behind its guard, for any ASGI server; `alone` is whoever serves nobody but this machine."""
    return _Guard(_mounted(page), framed_by, alone)


def _mounted(page: Any) -> Any:
    import gradio as gr
    from fastapi import FastAPI

    page.queue(max_size=16, api_open=False)
    return gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        server_name=LOOPBACK,
        theme=gr.themes.Default(font=FONTS, font_mono=MONOSPACED),
        css=CSS,
        show_error=False,
        allowed_paths=[],
        app_kwargs={"openapi_url": None},
        max_file_size=BYTES,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
    )


class _Guard:
    """On this machine it answers nobody who came by another name or from another page; it says what may be loaded."""

    def __init__(self, app: Any, framed_by: str, alone: bool) -> None:
        self._app = app
        self._alone = alone
        self._headers = [
            (b"content-security-policy", f"{POLICY}; frame-ancestors {framed_by}".encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._alone and not self._welcome(scope):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"This page is for the machine that it runs on."})
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _welcome(self, scope: Scope) -> bool:
        """A foreign page may send requests here, and a foreign name may be made to lead here; browsers tell both."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        by_name = urlsplit(f"//{host}").hostname in (LOOPBACK, "localhost")
        return by_name and (origin is None or urlsplit(origin).netloc == host)
