"""A loopback server that answers chat completions from a script, and counts what it served."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def completion(content: str, **more) -> Answer:
    body = {
        "id": "x", "object": "chat.completion", "created": 1, "model": "scripted-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    } | more  # fmt: skip
    return Answer(200, json.dumps(body).encode())


def error(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    return Answer(status, json.dumps({"error": {"message": message, "code": code}}).encode(), headers)


class ScriptedServer:
    """`script(body, number)` gives the answer to the request body that came as the `number`th, from 0."""

    def __init__(self, script: Callable[[dict, int], Answer]) -> None:
        self.bodies: list[dict] = []
        self.headers: list[dict] = []
        self.targets: list[str] = []
        """What each request was addressed to: a path, or through a proxy a URL."""
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    number = len(outer.bodies)
                    outer.bodies.append(body)
                    outer.targets.append(self.path)
                    outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                answer = script(body, number)
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
