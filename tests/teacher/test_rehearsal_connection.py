"""The bytes of HTTP between a client and the rehearsal: keep-alive, pieces, chunks, and what is no HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.connection import Answer, Call, Connection, answer
from pipeline.teacher.rehearsal.running import Rehearsing
from tests.teacher.calling import numbered

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"


def plain(body: bytes) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, sizes: list[int]) -> bytes:
    pieces = b""
    for size in sizes:
        if piece := body[:size]:
            pieces += b"%x;note=1\r\n" % len(piece) + piece + b"\r\n"
        body = body[size:]
    if body:
        pieces += b"%X\r\n" % len(body) + body + b"\r\n"
    return POST + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"


class Wire(asyncio.Transport):
    """The client's end: keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def heard(pieces: list[bytes]) -> tuple[list[Call], Wire]:
    """The calls that a connection takes out of pieces of bytes, and what it wrote."""
    calls: list[Call] = []
    wire = Wire()

    def handler(call: Call) -> Answer:
        calls.append(call)
        return answer(200, call.body)

    async def feed() -> None:
        connection = Connection(handler, set())
        connection.connection_made(wire)
        for piece in pieces:
            connection.data_received(piece)

    asyncio.run(feed())
    return calls, wire


@given(
    bodies=some.lists(
        some.tuples(some.binary(max_size=40), some.lists(some.integers(1, 9), max_size=4) | some.none()), max_size=4
    ),
    cuts=some.lists(some.integers(0, 400), max_size=12),
)
def test_calls_are_the_same_however_their_bytes_are_cut_or_chunked(bodies, cuts):
    sent = b"".join(plain(body) if sizes is None else chunked(body, sizes) for body, sizes in bodies)
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    calls, wire = heard([sent[begin:end] for begin, end in pairwise(bounds)])
    assert [call.body for call in calls] == [body for body, _ in bodies]
    assert {call.path for call in calls} <= {"/v1/chat/completions"}
    assert wire.written.count(b"HTTP/1.1 200 OK\r\n") == len(bodies)


@given(some.binary(min_size=1, max_size=200))
def test_what_is_no_http_is_refused_or_awaited_and_never_breaks_the_server(noise):
    calls, wire = heard([noise + b"\r\n\r\n", b"more"])
    assert calls == []
    assert not wire.written or wire.written.startswith(b"HTTP/1.1 400 ")
    assert wire.closed is bool(wire.written)


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nX: " + b"y" * 70_000,
    ],
)
def test_lengths_that_cannot_be_are_refused(head):
    calls, wire = heard([head])
    assert calls == []
    assert wire.written.startswith(b"HTTP/1.1 400 ")
    assert wire.closed


def test_the_query_is_no_part_of_the_path_and_headers_are_found_whatever_their_case():
    ((call,), _) = heard([b"GET /v1/models?limit=2 HTTP/1.1\r\nX-One: 1\r\nCONTENT-TYPE:  Text/Plain \r\n\r\n"])
    assert (call.method, call.path) == ("GET", "/v1/models")
    assert (call.header(b"content-type"), call.header(b"one"), call.header(b"x-one")) == (b"Text/Plain", b"", b"1")


def test_a_client_that_asks_whether_to_go_on_is_told_to():
    _, wire = heard([POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"])
    assert wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [b"GET /v1/models HTTP/1.0\r\n\r\n", b"GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n"],
)
def test_a_connection_that_is_to_close_closes_after_its_answer(head):
    calls, wire = heard([head + head])
    assert len(calls) == 1
    assert wire.closed


def test_answers_to_requests_sent_ahead_come_in_order_and_each_after_the_latency():
    with Rehearsing(Rehearsal(fixed=True, latency=0.1)) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as wire:
            begun = time.monotonic()
            wire.sendall(b"".join(plain(json.dumps(numbered(number)).encode()) for number in range(3)))
            received = b""
            while received.count(b"HTTP/1.1 200 OK") < 3:
                received += wire.recv(65536)
        assert time.monotonic() - begun >= 0.3
        assert server.counts()["peak_in_flight"] == 1
