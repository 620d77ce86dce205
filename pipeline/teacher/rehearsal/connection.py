"""HTTP/1.1 on one connection: calls in, one after the other, and each answer out in the manner it asks for."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from typing import Any, cast

Ended = Callable[[bool], None]
"""Told once how an answer ended: True if the client was given the whole of it."""

_MOST_HEAD = 64 << 10
_MOST_BODY = 256 << 20
_NO_BODY = b"\r\n\r\n"
_BEFORE_RESET = 0.02
"""Seconds for which the client can read the first half before the connection breaks."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    method: str
    path: str
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """A header's value; `name` in lower case. Empty if it is absent."""
        return _header(self.head, self.head.lower(), name)


class Manner(Enum):
    """How the bytes of an answer reach the client, or do not."""

    WHOLE = auto()
    RESET = auto()
    HANG_BEFORE = auto()
    HANG_AFTER = auto()
    DRIP = auto()


@dataclass(slots=True)
class Answer:
    """What is sent back: when, how, and who wants to know how it ended."""

    head: bytes
    body: bytes
    delay: float = 0.0
    manner: Manner = Manner.WHOLE
    between_bytes: float = 0.0
    ended: Ended | None = None

    @property
    def status(self) -> int:
        """The HTTP status, as the head says it."""
        return int(self.head[9:12])


def answer(status: int, body: bytes, media: str = "application/json", **headers: str) -> Answer:
    """An answer with the headers every answer has; underscores in names of further ones stand for hyphens."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {media}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Answer(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body)


def as_json(value: Any) -> bytes:
    """A value as JSON in UTF-8; half of a surrogate pair, which UTF-8 cannot say, stays an escape."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


class Connection(asyncio.Protocol):
    """One client's connection. Answers go out in the order of the calls; a call waits for the answer before it."""

    def __init__(self, handler: Callable[[Call], Answer], open_ones: set[Connection]) -> None:
        self._handler = handler
        self._open_ones = open_ones
        self._unread = bytearray()
        self._coming: _Coming | None = None
        self._current: Answer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the open connections."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._open_ones.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The client left, or was left: what was under way has ended undelivered."""
        self._open_ones.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        current, self._current = self._current, None
        if current is not None and current.ended is not None:
            current.ended(False)

    def abort(self) -> None:
        """Break the connection off."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what has come; a whole call is answered unless another is still being answered."""
        self._unread += data
        if self._current is None:
            self._answer_calls()

    def _answer_calls(self) -> None:
        while self._current is None and self._unread and not self._last:
            try:
                call = self._next_call()
            except ValueError:
                self._last = True
                refused = answer(400, b'{"error": {"message": "This is not HTTP/1.1, or it is too large."}}')
                self._transport.write(refused.head + refused.body)
                self._transport.close()
                return
            if call is None:
                return
            self._begin(self._handler(call))

    def _next_call(self) -> Call | None:
        """The next call, once all of it has come. Raises ValueError if it is no HTTP or too large."""
        if self._coming is None:
            end = self._unread.find(_NO_BODY)
            if end < 0:
                if len(self._unread) > _MOST_HEAD:
                    raise ValueError("head too large")
                return None
            head = bytes(self._unread[: end + 2])
            del self._unread[: end + 4]
            self._coming = _Coming(head)
            if self._coming.expects and not self._unread:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._coming.body(self._unread)
        if body is None:
            return None
        coming, self._coming = self._coming, None
        self._last = coming.last
        return Call(coming.method, coming.path, coming.head, body)

    def _begin(self, reply: Answer) -> None:
        self._current = reply
        if reply.delay > 0:
            self._later(reply.delay, self._send)
        else:
            self._send()

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        self._timer = self._loop.call_later(seconds, self._on_time, step)

    def _on_time(self, step: Callable[[], None]) -> None:
        self._timer = None
        step()
        self._answer_calls()

    def _send(self) -> None:
        reply = cast(Answer, self._current)
        if reply.manner is Manner.WHOLE:
            self._transport.write(reply.head + reply.body)
            self._finish()
        elif reply.manner is Manner.RESET:
            self._transport.write(reply.head + reply.body[: len(reply.body) // 2])
            self._later(_BEFORE_RESET, self._reset)
        elif reply.manner is Manner.HANG_AFTER:
            self._transport.write(reply.head)
        elif reply.manner is Manner.DRIP:
            self._transport.write(reply.head)
            self._drip(0)

    def _drip(self, position: int) -> None:
        reply = cast(Answer, self._current)
        self._transport.write(reply.body[position : position + 1])
        if position + 1 >= len(reply.body):
            self._finish()
            return
        self._later(reply.between_bytes, partial(self._drip, position + 1))

    def _reset(self) -> None:
        with suppress(OSError):
            # A close that lingers for no time sends RST, where an ordinary one says a polite goodbye.
            connection: socket.socket = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _finish(self) -> None:
        reply, self._current = cast(Answer, self._current), None
        if reply.ended is not None:
            reply.ended(not self._transport.is_closing())
        if self._last:
            self._transport.close()


class _Coming:
    """A call whose head has come, and its body in part. Raises ValueError if the head cannot be read."""

    def __init__(self, head: bytes) -> None:
        folded = head.lower()
        method, target, version = head[: head.index(b"\r\n")].split(b" ")
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise ValueError("not HTTP/1")
        self.method = method.decode("ascii")
        self.path = target.partition(b"?")[0].decode("ascii")
        self.head = head
        self.expects = b"\r\nexpect: 100-continue" in folded
        self.last = version != b"HTTP/1.1" or b"\r\nconnection: close" in folded
        self._length = int(_header(head, folded, b"content-length") or 0)
        self._chunks = bytearray() if b"chunked" in _header(head, folded, b"transfer-encoding") else None
        if not 0 <= self._length <= _MOST_BODY:
            raise ValueError("body too large")

    def body(self, unread: bytearray) -> bytes | None:
        """The body, taken from what is unread; None while some of it is still to come."""
        if self._chunks is None:
            if len(unread) < self._length:
                return None
            body = bytes(unread[: self._length])
            del unread[: self._length]
            return body
        while (line_end := unread.find(b"\r\n")) >= 0:
            size = int(unread[:line_end].partition(b";")[0], 16)
            if size < 0 or len(self._chunks) + size > _MOST_BODY:
                raise ValueError("body too large")
            if len(unread) < line_end + size + 4:
                return None
            self._chunks += unread[line_end + 2 : line_end + 2 + size]
            del unread[: line_end + size + 4]
            if size == 0:
                return bytes(self._chunks)
        return None


def _header(head: bytes, folded: bytes, name: bytes) -> bytes:
    at = folded.find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    begin = at + len(name) + 3
    return head[begin : head.index(b"\r\n", begin)].strip()
