"""HTTP on the wire, against servers that do as they please."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.teacher import wire as wires
from pipeline.teacher.faults import TryFailed
from pipeline.teacher.wire import DirectWire, ProxiedWire, open_wire


@contextlib.asynccontextmanager
async def serving(handle):
    """A raw server; `handle(request, writer, number)` answers the `number`th request of a connection."""
    tasks = set()

    async def talk(reader, writer):
        tasks.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for number in range(1000):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await handle(head + await reader.readexactly(length), writer, number)
                await writer.drain()
                if writer.is_closing():
                    return

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions"
    finally:
        server.close()
        for task in tasks:
            task.cancel()


def said(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", b""]) + body


def posted(handle, bodies=(b"{}",)):
    """The answers to some bodies, one after the other; or the fault that ended it."""

    async def talk():
        async with serving(handle) as url:
            wire = DirectWire(url, {"Authorization": "Bearer k"})
            try:
                return [await wire.post(body) for body in bodies]
            finally:
                await wire.close()

    return asyncio.run(talk())


def answering(*pieces: bytes, close: bool = False):
    async def handle(request, writer, number):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if close:
            writer.close()

    return handle


def test_the_request_is_whole_and_says_who_asks():
    seen = []

    async def handle(request, writer, number):
        seen.append(request)
        writer.write(said(b"ok"))

    assert posted(handle, [b'{"a": "\xc3\xbc"}'])[0].body == b"ok"
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Bearer k" in head
    assert body == b'{"a": "\xc3\xbc"}'


def test_a_connection_is_kept_for_the_next_request():
    numbers = []

    async def handle(request, writer, number):
        numbers.append(number)
        writer.write(said(b"ok"))

    assert len(posted(handle, [b"1", b"2", b"3"])) == 3
    assert numbers == [0, 1, 2]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 6\r\n\r\nab", b"cdef"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", said(b"abcdef")),
        (said(b"abcdef", b"200 OK", b"Connection: close"),),
    ],
)
def test_an_answer_may_come_in_pieces_in_chunks_and_after_a_continue(pieces):
    assert posted(answering(*pieces), [b"1", b"2"])[1].body == b"abcdef"


def test_an_answer_without_a_length_ends_with_the_connection():
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    assert posted(answering(head, b"abc", b"def", close=True))[0].body == b"abcdef"


def test_status_and_retry_after_are_passed_on():
    (answer,) = posted(answering(said(b"{}", b"429 Too Many Requests", b"RETRY-after: 7")))
    assert (answer.status, answer.retry_after) == (429, "7")


@pytest.mark.parametrize(
    "handle",
    [
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", close=True),
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", close=True),
        answering(b"SSH-2.0-OpenSSH_9.2\r\n"),
        answering(close=True),
    ],
)
def test_an_answer_that_is_not_whole_is_a_failed_try(handle):
    with pytest.raises(TryFailed) as caught:
        posted(handle)
    assert caught.value.cause == "no_connection"


def test_a_kept_connection_that_the_server_has_closed_is_replaced_unseen():
    connections = []

    async def handle(request, writer, number):
        if number == 0:
            connections.append(1)
            writer.write(said(b"ok"))
        else:
            writer.transport.abort()

    assert [answer.body for answer in posted(handle, [b"1", b"2", b"3"])] == [b"ok"] * 3
    assert len(connections) == 3


def test_an_answer_that_was_begun_on_a_kept_connection_is_not_asked_for_twice_unseen():
    async def handle(request, writer, number):
        if number == 0:
            writer.write(said(b"ok"))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()

    with pytest.raises(TryFailed):
        posted(handle, [b"1", b"2"])


def test_an_endless_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(wires, "LARGEST_REPLY", 1000)
    with pytest.raises(TryFailed, match="more than 1000 bytes"):
        posted(answering(said(b"x" * 5000)))


def test_a_cancelled_request_takes_its_connection_with_it():
    async def handle(request, writer, number):
        await asyncio.sleep(60)

    async def talk():
        async with serving(handle) as url:
            wire = DirectWire(url, {})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wire.post(b"{}"), 0.1)
            assert wire._idle == []
            await wire.close()

    asyncio.run(talk())


def test_nobody_listening_is_a_failed_try():
    async def talk():
        with pytest.raises(TryFailed) as caught:
            await DirectWire("http://127.0.0.1:9/v1", {}).post(b"{}")
        assert caught.value.cause == "no_connection"

    asyncio.run(talk())


def test_a_proxy_in_the_environment_is_used_unless_the_host_is_exempt(monkeypatch):
    async def talk(url):
        wire = open_wire(url, {})
        await wire.close()
        return type(wire)

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,exempt.example")
    assert asyncio.run(talk("https://teacher.example/v1")) is ProxiedWire
    assert asyncio.run(talk("https://exempt.example/v1")) is DirectWire
    assert asyncio.run(talk("http://127.0.0.1:9/v1")) is DirectWire


def test_through_a_proxy_the_answer_is_the_same(monkeypatch):
    async def talk():
        async with serving(answering(said(b"ok", b"200 OK", b"Retry-After: 3"))) as url:
            monkeypatch.setenv("http_proxy", url.removesuffix("/v1/chat/completions"))
            wire = ProxiedWire("http://teacher.example/v1", {})
            try:
                return await wire.post(b"{}")
            finally:
                await wire.close()

    answer = asyncio.run(talk())
    assert (answer.status, answer.retry_after, answer.body) == (200, "3", b"ok")


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=8))
def test_any_body_arrives_however_it_is_cut(body, cuts):
    whole, pieces, start = said(body), [], 0
    for cut in cuts:
        pieces.append(whole[start : start + cut])
        start += cut
    pieces.append(whole[start:])

    async def handle(request, writer, number):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    assert posted(handle)[0].body == body
