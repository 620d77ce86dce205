"""Files and batches as the OpenAI Batch API has them, with the surprises that such a batch may end in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from time import time
from typing import Any

from pipeline.teacher.rehearsal.chat import Chat, name_of
from pipeline.teacher.rehearsal.connection import as_json
from pipeline.teacher.rehearsal.counts import Counts
from pipeline.teacher.rehearsal.drawing import draw
from pipeline.teacher.rehearsal.settings import Rehearsal

MOST_LINES = 50_000
ENDPOINT = "/v1/chat/completions"
_SERVER_ERROR = {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}
_VALIDATED, _WORKED = 0.1, 0.9
"""Shares of a batch's time at which its validation ends, and its work."""


@dataclass(frozen=True)
class File:
    """An uploaded or a result file."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created_at: int

    def shown(self) -> dict[str, Any]:
        """The file object of the protocol."""
        known = {key: value for key, value in asdict(self).items() if key != "content"}
        return known | {"object": "file", "bytes": len(self.content), "status": "processed"}


@dataclass
class Batch:
    """The batch object of the protocol, field by field."""

    id: str
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None
    status: str = "validating"
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: dict[str, Any] | None = None
    request_counts: dict[str, int] = field(default_factory=lambda: {"total": 0, "completed": 0, "failed": 0})
    times: dict[str, int] = field(default_factory=dict)

    def move(self, status: str) -> None:
        """Enter a status and note when."""
        self.status = status
        self.times[f"{status}_at"] = int(time())

    def shown(self) -> dict[str, Any]:
        """The object as it is sent."""
        known = {key: value for key, value in asdict(self).items() if key != "times"}
        times = {f"{status}_at": self.times.get(f"{status}_at") for status in _STATUSES}
        created = self.times["created_at"]
        return known | {"object": "batch"} | times | {"created_at": created, "expires_at": created + 86_400}


_STATUSES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


@dataclass(frozen=True)
class _Result:
    """What became of one line of the input file."""

    custom_id: str
    outcome: str
    name: str
    order: float
    status: int = 0
    said: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    times: int = 1
    """How often it stands in the result file; 0 where it is to be missing."""
    stranger: bool = False
    """A result that nobody asked for stands beside it."""

    def lines(self) -> Iterator[bytes]:
        """What it adds to its result file."""
        response = {"status_code": self.status, "request_id": f"req_{self.name}", "body": self.said}
        for custom_id in [self.custom_id] * self.times + [f"unknown-{self.name}"] * self.stranger:
            line = {
                "id": f"batch_req_{self.name}",
                "custom_id": custom_id,
                "response": response if self.said is not None else None,
                "error": self.error,
            }
            yield as_json(line) + b"\n"


class Batches:
    """The files and batches of one rehearsal. Needs a running event loop."""

    def __init__(self, settings: Rehearsal, counts: Counts, chat: Chat) -> None:
        self._settings = settings
        self._counts = counts
        self._chat = chat
        self.files: dict[str, File] = {}
        self.batches: dict[str, Batch] = {}
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def upload(self, filename: str, purpose: str, content: bytes) -> File:
        """Keep a file until it is deleted or the rehearsal ends or is reset."""
        kept = File(f"file-{next(self._numbers):06}", filename, purpose, content, int(time()))
        self.files[kept.id] = kept
        return kept

    def create(self, asked: dict[str, Any]) -> Batch:
        """Begin a batch. Raises ValueError for a request that names no uploaded file."""
        source = self.files.get(str(asked.get("input_file_id")))
        if source is None or source.purpose != "batch":
            raise ValueError("input_file_id names no file that was uploaded for batches.")
        if asked.get("endpoint") != ENDPOINT or asked.get("completion_window") != "24h":
            raise ValueError(f"The endpoint must be {ENDPOINT} and the completion_window 24h.")
        batch = Batch(f"batch_{len(self.batches) + 1:06}", source.id, ENDPOINT, "24h", asked.get("metadata"))
        batch.times["created_at"] = int(time())
        self.batches[batch.id] = batch
        task = asyncio.get_running_loop().create_task(self._play(batch, source.content))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return batch

    def cancel(self, batch: Batch) -> None:
        """Ask a batch to end; what is done by then will be in its output file. Raises ValueError if it has ended."""
        if batch.status not in ("validating", "in_progress", "finalizing", "cancelling"):
            raise ValueError(f"Cannot cancel a batch with status '{batch.status}'.")
        if batch.status != "cancelling":
            batch.move("cancelling")

    def close(self) -> None:
        """Drop every batch under way."""
        for task in self._tasks:
            task.cancel()

    async def _play(self, batch: Batch, content: bytes) -> None:
        clock = asyncio.get_running_loop().time
        begun, seconds = clock(), self._settings.batch_seconds

        async def until(share: float) -> bool:
            """Wait for a share of the batch's time; False once somebody has cancelled it."""
            while batch.status != "cancelling" and (rest := begun + share * seconds - clock()) > 0:
                await asyncio.sleep(min(rest, 0.05))
            await asyncio.sleep(0)
            return batch.status != "cancelling"

        results: list[_Result] = []
        if await until(_VALIDATED):
            lines = self._validated(batch, content)
            if lines is None:
                return
            for number, line in enumerate(lines, 1):
                if not await until(_VALIDATED + (_WORKED - _VALIDATED) * number / len(lines)):
                    break
                results.append(result := self._result(line))
                if result.status:
                    batch.request_counts["completed" if result.status == 200 else "failed"] += 1
        if await until(_WORKED):
            batch.move("finalizing")
        await until(1)
        self._end(batch, results)

    def _validated(self, batch: Batch, content: bytes) -> list[dict[str, Any]] | None:
        """The lines to work on; None where the batch has failed its validation."""
        lines, faults = _read_lines(content)
        if self._settings.batch_too_large:
            faults = [_fault("token_limit_exceeded", "Enqueued token limit reached for this model.", None)]
        if faults:
            batch.errors = {"object": "list", "data": faults}
            batch.move("failed")
            return None
        batch.request_counts["total"] = len(lines)
        batch.move("in_progress")
        return lines

    def _result(self, line: dict[str, Any]) -> _Result:
        name, seed, shares = name_of(line["body"]), self._settings.seed, self._settings
        meeting = self._counts.meeting(name)

        def drawn(share: float, purpose: str) -> bool:
            return share > 0 and draw(seed, name, meeting, purpose) < share

        result = _Result(line["custom_id"], "missing", name.hex(), draw(seed, name, meeting, "order"), times=0)
        if drawn(shares.batch_expired, "expired"):
            message = "This request could not be executed before the completion window expired."
            return replace(result, outcome="expired", times=1, error={"code": "batch_expired", "message": message})
        if drawn(shares.batch_missing, "missing"):
            return result
        if drawn(shares.batch_errors, "errors"):
            outcome, status, said = "error", 500, _SERVER_ERROR
        else:
            outcome, status, said = self._chat.line(name, meeting, line["body"])
        times = 1 + drawn(shares.batch_duplicated, "duplicated")
        stranger = drawn(shares.batch_unknown, "unknown")
        return replace(result, outcome=outcome, status=status, said=said, times=times, stranger=stranger)

    def _end(self, batch: Batch, results: list[_Result]) -> None:
        if not self._settings.batch_in_order:
            results.sort(key=lambda result: result.order)
        for result in results:
            self._counts.batch_line(result.outcome, bytes.fromhex(result.name))
        batch.output_file_id = self._written(f"{batch.id}_output.jsonl", [one for one in results if one.status == 200])
        batch.error_file_id = self._written(f"{batch.id}_error.jsonl", [one for one in results if one.status != 200])
        expired = any(result.outcome == "expired" for result in results)
        batch.move("cancelled" if batch.status == "cancelling" else "expired" if expired else "completed")

    def _written(self, filename: str, results: list[_Result]) -> str | None:
        """The id of a result file; none is written for no result."""
        content = b"".join(line for result in results for line in result.lines())
        return self.upload(filename, "batch_output", content).id if content else None


def _fault(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line}


def _read_lines(content: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of an input file, and what is wrong with them; one fault fails the whole batch, as it does there."""
    lines: list[dict[str, Any]] = []
    faults = []
    seen: set[str] = set()
    for number, raw in enumerate(content.rstrip(b"\n").split(b"\n"), 1):
        try:
            line = json.loads(raw)
            name, body = line["custom_id"], line["body"]
            sound = line["method"] == "POST" and line["url"] == ENDPOINT and isinstance(name, str)
            sound = sound and isinstance(body["messages"], list)
        except (ValueError, KeyError, TypeError):
            faults.append(_fault("invalid_json_line", "This line is not a request in JSON.", number))
            continue
        if not sound:
            faults.append(_fault("invalid_request", f"This line is no POST to {ENDPOINT}.", number))
            continue
        if name in seen:
            faults.append(_fault("duplicate_custom_id", f"The custom_id {name!r} stands twice.", number))
        seen.add(name)
        lines.append(line)
    if len(lines) > MOST_LINES:
        faults.append(_fault("too_many_tasks", f"A batch holds at most {MOST_LINES} requests.", None))
    return lines, faults
