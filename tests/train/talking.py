"""A student that says what a test has written down, and a llama.cpp server that does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from train.chat.turns import Chat, Turn
from train.generation import Answer, Generation
from train.rendering import Rendering
from train.taught import Taught

Says = Callable[[Turn, Generation], Sequence[str]]


class Scripted:
    """A voice that says `says(turn, rules)` piece by piece, and remembers what it was asked."""

    def __init__(self, says: Says, pause: float = 0, stopped_by: Literal["end", "limit"] = "end") -> None:
        self._says = says
        self._pause = pause
        self._stopped_by = stopped_by
        self.turns: list[Turn] = []
        self.rules: list[Generation] = []
        self.closed = 0

    def fitting(self, turn: Turn, rules: Generation) -> Turn:
        return turn

    def stream(self, turn: Turn, rules: Generation) -> Generator[str, None, Answer]:
        self.turns.append(turn)
        self.rules.append(rules)
        pieces = self._says(turn, rules)
        try:
            for piece in pieces:
                time.sleep(self._pause)
                yield piece
        finally:
            self.closed += 1
        return Answer("".join(pieces), self._stopped_by)


def chat_of(student: Scripted, base: Scripted | None = None, taught: Taught | None = None, **rendering: Any) -> Chat:
    form = {
        "form": "plain",
        "prompt_format": "Question: {question}\nAnswer:",
        "context_format": "{context}\n\n{prompt}",
    }
    return Chat(
        name="parrot",
        origin="Trained on `phrases` from `nothing` (method full).",
        rendering=Rendering(**{**form, **rendering}),
        rules=Generation(max_new_tokens=40),
        context=2048,
        voices={"student": student, **({"base": base} if base else {})},
        taught=taught or Taught(),
    )


class LlamaStub:
    """Speaks as much of llama.cpp's OpenAI protocol as a chat asks for; `body` of each request is kept."""

    def __init__(self, lines: Sequence[str], status: int = 200, model: str = "student.gguf") -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.broken_off = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listed = {"object": "list", "data": [{"id": model, "object": "model", "created": 1, "owned_by": "me"}]}
                self._begin(200, "application/json")
                self.wfile.write(json.dumps(listed).encode())

            def do_POST(self) -> None:
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                outer.paths.append(self.path)
                outer.keys.append(self.headers["Authorization"])
                self._begin(status, "text/event-stream" if status == 200 else "application/json")
                try:
                    for line in lines:
                        if line == "...":
                            time.sleep(0.1)
                        else:
                            self.wfile.write(f"{line}\n\n".encode())
                            self.wfile.flush()
                except (BrokenPipeError, ConnectionResetError):
                    outer.broken_off.set()

            def _begin(self, code: int, kind: str) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[LlamaStub]:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


def spoken(*pieces: str, reason: str = "stop", chat: bool = False) -> list[str]:
    """Lines of a stream: text pieces, then why it ends."""

    def line(piece: str, end: str | None) -> str:
        said = {"delta": {"content": piece}} if chat else {"text": piece}
        choice = {"index": 0, "finish_reason": end, **said}
        kind = "chat.completion.chunk" if chat else "text_completion"
        return "data: " + json.dumps({"id": "1", "object": kind, "created": 1, "model": "m", "choices": [choice]})

    return [*(line(piece, None) for piece in pieces), line("", reason), "data: [DONE]"]
