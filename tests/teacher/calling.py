"""Calls to a rehearsal, as plain as HTTP allows, so that what a fault does to the bytes can be seen."""

from __future__ import annotations

import http.client
import json
import socket
from typing import NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def choice(self) -> dict:
        return self.json["choices"][0]

    @property
    def content(self) -> str:
        return self.choice["message"]["content"]

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


def call(url: str, method: str, path: str, body: bytes | None = None, timeout: float = 10, **headers: str) -> Reply:
    """One call on a connection of its own; `path` follows the base URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path + path, body, headers)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def ask(server, body: dict | bytes, timeout: float = 10) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(server.url, "POST", "/chat/completions", raw, timeout)


def wired(server, body: dict) -> socket.socket:
    """A socket on which a chat completion was just asked for."""
    parts = urlsplit(server.url)
    raw = json.dumps(body).encode()
    wire = socket.create_connection((parts.hostname, parts.port), timeout=5)
    wire.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw)
    return wire


def questions(field: str = "astronomy", **more) -> dict:
    """A request that the embedded teacher has a rule for."""
    schema = {
        "type": "object",
        "properties": {"questions": {"type": "array", "items": {"type": "string"}, "maxItems": 4}},
    }
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": f"<topic>\nletters\n</topic>\n<field>\n{field}\n</field>\nReply with JSON."}
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "off_topic_questions", "schema": schema}},
    } | more


def numbered(number: int, **more) -> dict:
    """One of many requests that only the canned reply answers."""
    return {"model": "m", "messages": [{"role": "user", "content": f"number {number}"}]} | more
