"""A loopback Batch API that can be told to be odd, and keeps account of what it was asked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.teacher.scripted import completion


def good(lines: list[dict]) -> list[bytes]:
    """A result with a sound reply for each line."""
    return [result(line["custom_id"], json.loads(completion("{}").body)) for line in lines]


def result(name: str, body: object, status: int = 200) -> bytes:
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"id": "x", "custom_id": name, "response": response, "error": None}).encode()


class BatchEndpoint:
    """Batches end at once, with the results that `results` gives; a `None` of a property is what the protocol says.

    `drop_creation` loses the answer to that many creations, `unlisted` hides batches from the list while it is set,
    `nameless` forgets the metadata, `unready` is how often an uploaded file is said to be pending.
    """

    def __init__(self, results: Callable[[list[dict]], list[bytes]] = good, **oddities: object) -> None:
        self.results = results
        self.odd = oddities
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict] = {}
        self.calls: list[tuple[str, str]] = []
        """Method and target of each, in order."""
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._serve(self, b"")

            def do_DELETE(self):
                outer._serve(self, b"")

            def do_POST(self):
                outer._serve(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *said):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.root}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, path: str) -> int:
        """How many calls of a method went to a path that ends so, a query left aside."""
        return sum(1 for how, target in self.calls if how == method and urlsplit(target).path.endswith(path))

    def _serve(self, handler: BaseHTTPRequestHandler, sent: bytes) -> None:
        self.calls.append((handler.command, handler.path))
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        path = urlsplit(handler.path).path
        kind, *rest = re.sub(r"^/(v1|openai(/v1)?)/", "", path).split("/")
        status, body = getattr(self, f"_{handler.command.lower()}_{kind}", self._unknown)(rest, sent)
        if status == 0:
            handler.close_connection = True
            return
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(raw)))
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(raw)

    def _unknown(self, rest, sent):
        return 404, {"error": {"message": "Resource not found", "code": "404"}}

    def _post_files(self, rest, sent):
        name = f"file-{len(self.files) + 1}"
        self.files[name] = next(part for part in sent.split(b"\r\n\r\n")[1:] if part.startswith(b"{")).split(b"\r\n")[0]
        return 200, self._file(name)

    def _file(self, name: str) -> dict:
        self.odd["unready"] = left = self.odd.get("unready", 0) - 1
        state = "pending" if left >= 0 else self.odd.get("file_state", "processed")
        return {"id": name, "object": "file", "purpose": "batch", "filename": "x", "bytes": 1, "created_at": 1,
                "status": state, "status_details": self.odd.get("details")}  # fmt: skip

    def _get_files(self, rest, sent):
        if rest[0] not in self.files:
            return self._unknown(rest, sent)
        return 200, self.files[rest[0]] if len(rest) == 2 else self._file(rest[0])

    def _delete_files(self, rest, sent):
        if self.odd.get("keeps_files"):
            return 405, {"error": {"message": "Method not allowed"}}
        del self.files[rest[0]]
        return 200, {"id": rest[0], "object": "file", "deleted": True}

    def _post_batches(self, rest, sent):
        asked = json.loads(sent)
        if self.odd.get("refuse_creation"):
            return 400, {"error": {"message": "no batches for you"}}
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        name = f"batch_{len(self.batches) + 1}"
        results = self.results(lines)
        self.files[f"{name}-output"] = b"\n".join(results)
        self.batches[name] = {
            "id": name, "object": "batch", "endpoint": asked["endpoint"], "input_file_id": asked["input_file_id"],
            "completion_window": "24h", "status": "completed", "created_at": self.odd.get("created_at", 1),
            "output_file_id": f"{name}-output", "error_file_id": self.odd.get("no_file"),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "metadata": None if self.odd.get("nameless") else asked.get("metadata"),
        } | self.odd.get("batch", {})  # fmt: skip
        if self.odd.get("drop_creation", 0) > 0:
            self.odd["drop_creation"] -= 1
            return 0, b""
        return 200, self.batches[name]

    def _get_batches(self, rest, sent):
        if rest:
            return (200, self.batches[rest[0]]) if rest[0] in self.batches else self._unknown(rest, sent)
        if self.odd.get("listless"):
            return self._unknown(rest, sent)
        listed = [] if self.odd.get("unlisted") else list(reversed(self.batches.values()))
        return 200, {"object": "list", "data": listed, "has_more": False}
