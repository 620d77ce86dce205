"""A hub on this machine that knows one dataset of one file, at two commits, and counts what it is asked."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import unquote, urlsplit

NAME = "acme/chats"
FILE = "train.jsonl"


class FakeHub:
    """Serves what `huggingface_hub` and `datasets` ask of a hub. Use it as a context manager."""

    def __init__(self, commits: dict[str, bytes], tags: dict[str, str]) -> None:
        self.commits, self.tags = commits, tags
        """Commit to content of its file, the newest last; tag to commit."""
        self.asked: Counter[str] = Counter()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            do_HEAD = do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        to.rfile.read(int(to.headers.get("Content-Length") or 0))
        parts = unquote(urlsplit(to.path).path).strip("/").split("/")
        if parts[:4] == ["api", "datasets", *NAME.split("/")]:
            return self._api(to, parts[4:])
        if parts[:4] == ["datasets", *NAME.split("/"), "resolve"] and parts[5:] == [FILE]:
            self.asked["file"] += to.command == "GET"
            return self._file(to, self._commit(parts[4]))
        return _send(to, 404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _api(self, to: BaseHTTPRequestHandler, rest: list[str]) -> None:
        commit = self._commit(rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return _send(to, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        content = self.commits[commit]
        entry = {"type": "file", "path": FILE, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
        if rest and rest[0] in ("tree", "paths-info"):
            whole = rest[0] == "paths-info" or not rest[2:]
            return _json(to, [entry] if whole else [])
        self.asked["info"] += 1
        return _json(to, {"id": NAME, "sha": commit, "private": False, "tags": [], "siblings": [{"rfilename": FILE}]})

    def _commit(self, revision: str) -> str | None:
        known = {"main": list(self.commits)[-1], **self.tags, **{commit: commit for commit in self.commits}}
        return known.get(revision)

    def _file(self, to: BaseHTTPRequestHandler, commit: str | None) -> None:
        if commit is None:
            return _send(to, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        content = self.commits[commit]
        head = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        asked = to.headers.get("Range", "")
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(content)), len(content) - 1)
            head["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            return _send(to, 206, content[start : end + 1], head)
        return _send(to, 200, content, head)


def _json(to: BaseHTTPRequestHandler, value: object) -> None:
    _send(to, 200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _send(to: BaseHTTPRequestHandler, code: int, body: bytes, head: dict[str, str] | None = None) -> None:
    to.send_response(code)
    for name, value in {"Content-Length": str(len(body)), **(head or {})}.items():
        to.send_header(name, value)
    to.end_headers()
    if to.command != "HEAD":
        to.wfile.write(body)
