"""The files of a batch: one JSON line for each request, and one for each result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

import orjson

from pipeline.teacher.request import Request
from pipeline.teacher.speech import Speech

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
"""Of one file; the Batch API takes no larger one."""

_DECODER = json.JSONDecoder()
_BLANK = " \t\n\r"


class Result(NamedTuple):
    """One line of a result file. `body` is the text of the answer's body as it stands in the line."""

    key: str
    status: int
    """Of the answer; 0 where the request was never put."""
    body: str
    code: str = ""
    said: str = ""
    """What the service itself says where there is no answer."""


def request_line(request: Request, speech: Speech, path: str) -> bytes:
    """A request as a line of the file that is uploaded; its key is how its result is known again."""
    line = {
        "custom_id": request.key,
        "method": "POST",
        "url": path,
        "body": orjson.Fragment(speech.body(request)),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def read_results(file: Iterable[bytes]) -> Iterator[tuple[bytes, Result | None]]:
    """Each line of a file with the result in it, in its order; None where it holds none. Blank lines are nothing."""
    return ((line, _read_result(line)) for line in file if line.strip())


def is_whole(file: IO[bytes], least: int) -> bool:
    """Whether a result file came whole: at least so many lines, and the last of them can be read."""
    lines, last = 0, b""
    for line in file:
        if line.strip():
            lines, last = lines + 1, line
    return lines >= least and (not lines or _read_result(last) is not None)


def _read_result(line: bytes) -> Result | None:
    try:
        found: Any = orjson.loads(line)
        key, response, error = found["custom_id"], found.get("response"), found.get("error")
        if not isinstance(key, str):
            return None
        if response is None:
            error = error if isinstance(error, dict) else {}
            return Result(key, 0, "", str(error.get("code") or "no_response"), str(error.get("message") or "no reason"))
        return Result(key, int(response["status_code"]), _body(line.decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _body(line: str) -> str:
    """The body as it stands there: parsed and written again it would no longer be what was received."""
    start, _ = member(line, 0, "response")
    start, end = member(line, start, "body")
    return line[start:end]


def member(text: str, place: int, name: str) -> tuple[int, int]:
    """Where the value of a member begins and ends in the JSON object at `place`; of several, the last.

    Raises KeyError if there is none. The text must be sound JSON.
    """
    found = None
    place = _skip(text, _skip(text, place) + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        start = _skip(text, _skip(text, place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        if key == name:
            found = start, end
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    if found is None:
        raise KeyError(name)
    return found


def _skip(text: str, place: int) -> int:
    while text[place] in _BLANK:
        place += 1
    return place
