"""The server of the review page: on the loopback interface alone, behind a secret in the address."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import CannotWrite
from pipeline.reviewing.lines import TEXTS, Seen, Sheets
from pipeline.reviewing.passages import Passages

_PAGE = Path(__file__).with_name("page.html")
_LARGEST_BODY = 1 << 20
_VERDICTS = ("", "keep", "drop")
Judged = Callable[[str], None]
"""Told the sheet and record of every line that was changed."""


class ReviewServer(ThreadingHTTPServer):
    """Serves one dataset's sheets until it is shut down. `address` is what a person opens."""

    daemon_threads = True

    def __init__(self, name: str, sheets: Sheets, passages: Passages, port: int, judged: Judged) -> None:
        self.name, self.sheets, self.passages, self.judged = name, sheets, passages, judged
        self.token = secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def address(self) -> str:
        """With the secret, without which nothing is served."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> set[str]:
        """What a browser may call this server: a page elsewhere that resolves to it calls it otherwise."""
        return {f"{host}:{self.server_port}" for host in ("127.0.0.1", "localhost")}

    def told(self) -> dict[str, Any]:
        """All that the page shows."""
        lines, problems = [], []
        for seen in self.sheets.lines():
            if isinstance(seen, str):
                problems.append(seen)
            else:
                lines.append(self.line(seen))
        used = {line["passage"] for line in lines if line["passage"]}
        return {"name": self.name, "lines": lines, "problems": problems, "passages": self.passages.shown(used)}

    def line(self, seen: Seen) -> dict[str, Any]:
        """One line with the place of its quote."""
        passage, start, end = self.passages.place(seen.line)
        return {
            "sheet": seen.sheet, "number": seen.number, "mark": seen.mark, "line": seen.line,
            "passage": passage, "start": start, "end": end,
        }  # fmt: skip


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version = "coursework"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, work: Callable[[str], tuple[int, str, bytes]]) -> None:
        try:
            status, kind, body = work(self._asked)
        except _Refused as refused:
            status, kind, body = refused.status, "text/plain; charset=utf-8", f"{refused}\n".encode()
        self.send_response(status)
        for name, value in self._headers(kind, len(body)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @cached_property
    def _nonce(self) -> str:
        return secrets.token_urlsafe(16)

    def _headers(self, kind: str, length: int) -> Mapping[str, str]:
        policy = (
            f"default-src 'none'; connect-src 'self'; script-src 'nonce-{self._nonce}'; style-src 'nonce-{self._nonce}'"
        )
        return {
            "Content-Type": kind,
            "Content-Length": str(length),
            "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    @property
    def _asked(self) -> str:
        """What follows the secret. Raises _Refused to whoever does not know it, or comes by another name."""
        if self.headers.get("Host", "") not in self.server.hosts:
            raise _Refused(421, "This page is served to this machine alone.")
        secret, slash, rest = self.path.lstrip("/").partition("/")
        if not slash or not hmac.compare_digest(secret.encode(), self.server.token.encode()):
            raise _Refused(404, "Open the address that the command printed.")
        return rest

    def _get(self, asked: str) -> tuple[int, str, bytes]:
        if asked == "":
            page = _PAGE.read_text(encoding="utf-8").replace("{{nonce}}", self._nonce)
            return 200, "text/html; charset=utf-8", page.encode()
        if asked == "lines":
            return 200, "application/json", orjson.dumps(self.server.told())
        raise _Refused(404, "There is nothing here.")

    def _post(self, asked: str) -> tuple[int, str, bytes]:
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.hosts:
            raise _Refused(403, "Another page asked for this.")
        if asked != "line" or self.headers.get_content_type() != "application/json":
            raise _Refused(404, "There is nothing here.")
        sheet, name, mark, changes = self._change()
        try:
            changed = self.server.sheets.change(sheet, name, mark, changes)
        except CannotWrite as fault:
            raise _Refused(507, str(fault)) from None
        if changed.seen is None:
            raise _Refused(410, "The line is gone: somebody deleted it, or its sheet.")
        if changed.done:
            self.server.judged(f"{sheet}:{name}")
        return 200 if changed.done else 409, "application/json", orjson.dumps(self.server.line(changed.seen))

    def _change(self) -> tuple[str, str, str, dict[str, str]]:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            raise _Refused(411, "How long is it?") from None
        if not 0 < length <= _LARGEST_BODY:
            raise _Refused(413, "That is too long for a line.")
        try:
            body = orjson.loads(self.rfile.read(length))
            sheet, name, mark, changes = (body[key] for key in ("sheet", "id", "mark", "changes"))
        except (ValueError, KeyError, TypeError):
            raise _Refused(400, "expected sheet, id, mark and changes") from None
        if not all(isinstance(one, str) for one in (sheet, name, mark)) or Path(sheet).name != sheet:
            raise _Refused(400, "expected the name of a sheet and an id")
        return sheet, name, mark, _allowed(changes)

    def log_message(self, *args: Any) -> None:
        """Nothing: the terminal is the person's."""


def _allowed(changes: object) -> dict[str, str]:
    """Changes that an editor might have made as well. Raises _Refused naming what is wrong."""
    if not isinstance(changes, dict) or not changes or not all(isinstance(value, str) for value in changes.values()):
        raise _Refused(400, "changes: expected texts")
    for name, value in changes.items():
        if name not in ("review", *TEXTS):
            raise _Refused(400, f"{name}: is not yours to change")
        if name in ("question", "answer") and not value.strip():
            raise _Refused(400, f"{name}: is empty; drop the line instead")
        is_fix = value.startswith("fix:") and value[4:].strip()
        if name == "review" and value not in _VERDICTS and not is_fix:
            raise _Refused(400, "review: expected keep, drop, or fix: and what is wrong")
    return dict(changes)
