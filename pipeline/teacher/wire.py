"""HTTP/1.1 POSTs over kept connections, one at a time on each: httptools parses, asyncio carries.

A general HTTP client spends more on a request than everything else we do with it; one POST of JSON to one
address needs little of what it can do. Where a proxy is set, aiohttp carries instead (`ProxiedWire`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httptools

from pipeline.teacher.faults import TryFailed

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes. Whatever sends more is no chat completion."""
CONNECT_SECONDS = 30.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    retry_after: str | None
    body: bytes


class Wire(Protocol):
    """Carries POSTs to one URL."""

    async def post(self, body: bytes) -> Answer:
        """Raises TryFailed if no whole answer arrives."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def open_wire(url: str, headers: Mapping[str, str]) -> Wire:
    """The way to a URL; nothing is opened yet."""
    parts = urlsplit(url)
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname or ""):
        return ProxiedWire(url, headers)
    return DirectWire(url, headers)


class _Connection(asyncio.Protocol):
    """One connection to the server, and the answer that is being received on it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.fresh = True
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]

    @property
    def usable(self) -> bool:
        """The server has not hung up."""
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; the future ends with the answer, or with ConnectionError."""
        assert self.transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._retry_after: str | None = None
        self._body: list[bytes] = []
        self._received = 0
        self._bounded = False
        self._status = 0
        self.heard = False
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # nobody asked: the server is about to hang up, or confused
            self.abort()
            return
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as fault:
            self._fail(ConnectionError(f"no HTTP: {fault}"))
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser for each header."""
        low = name.lower()
        if low == b"retry-after":
            self._retry_after = value.decode("latin-1")
        elif low in (b"content-length", b"transfer-encoding"):
            self._bounded = True

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Called by the parser for each piece of the body."""
        self._received += len(data)
        if self._received > LARGEST_REPLY:
            self._fail(ConnectionError(f"more than {LARGEST_REPLY} bytes"))
            self.abort()
            return
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser: the answer is whole."""
        if self._status < 200:  # 100 Continue and its like precede the answer
            return
        if not self._parser.should_keep_alive():
            self.abort()
        self._succeed()

    def _succeed(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(self._status, self._retry_after, b"".join(self._body)))

    def connection_lost(self, fault: Exception | None) -> None:
        if self._waiting is None:
            return
        if fault is None and self._status >= 200 and not self._bounded:
            self._succeed()  # an answer without a length is whole when the server hangs up
        else:
            self._fail(ConnectionError(str(fault) if fault else "the server hung up before the answer was whole"))

    def _fail(self, fault: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(fault)

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()


class DirectWire:
    """Connections straight to the server, kept for the next request."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._tls: ssl.SSLContext | None = None
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json", **headers}
        named = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._head = f"POST {target or '/'} HTTP/1.1\r\n{named}Content-Length: ".encode("latin-1")
        self._idle: list[_Connection] = []

    async def post(self, body: bytes) -> Answer:
        """Send a body and wait for the answer.

        A kept connection on which the server hung up before it heard anything is replaced once: that is
        how HTTP servers end idle connections (RFC 9112, 9.3.1).
        """
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        while True:
            connection = await self._connected()
            try:
                answer = await connection.ask(request)
            except ConnectionError as fault:
                if connection.fresh or connection.heard:
                    raise TryFailed("no_connection", f"{type(fault).__name__}: {fault}") from None
                continue
            except BaseException:
                connection.abort()
                raise
            if connection.usable:
                connection.fresh = False
                self._idle.append(connection)
            return answer

    async def _connected(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        opening = asyncio.get_running_loop().create_connection(
            _Connection, self._host, self._port, ssl=self._tls, server_hostname=self._host if self._secure else None
        )
        try:
            _, connection = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except TimeoutError:
            raise TryFailed("no_connection", f"no connection within {CONNECT_SECONDS:g} seconds") from None
        except OSError as fault:
            raise TryFailed("no_connection", f"{type(fault).__name__}: {fault}") from None
        return connection

    async def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().abort()


class ProxiedWire:
    """Through the proxy that the environment names, by aiohttp."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        import aiohttp

        self._url = url
        self._aiohttp = aiohttp
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={"Content-Type": "application/json", **headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
        )

    async def post(self, body: bytes) -> Answer:
        """Send a body and wait for the answer."""
        try:
            async with self._session.post(self._url, data=body) as answer:
                return Answer(answer.status, answer.headers.get("Retry-After"), await answer.read())
        except (self._aiohttp.ClientError, OSError) as fault:
            raise TryFailed("no_connection", f"{type(fault).__name__}: {fault}") from None

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
