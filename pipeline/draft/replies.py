"""The text of a raw reply, and the JSON object in it, however it is wrapped."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from pipeline.records import Rejection
from pipeline.teacher.request import Reply, Request

_REASONING = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_HALF = re.compile(
    r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\)(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""An escape that names half a character, as a teacher's cut emoji does: no file can hold it."""
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)(?:\n```|\Z)", re.DOTALL)


class Unreadable(Exception):
    """A reply holds no answer; `cause` is the rejection's code and `str()` its sentence."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause

    def rejection(self, request: Request, **known: str) -> Rejection:
        """The whole reply as one rejection, so that a spent token leads to a cause somebody can read."""
        return Rejection(cause=self.cause, detail=str(self), kind=request.kind, request=request.key, **known)


NO_TEXT = Unreadable("wrong_shape", "The reply's list holds something that is no text.")

NOTHING_FOUND = Unreadable("nothing_found", "The teacher finds nothing (more) there of what was asked for.")
"""Of a reply that says so, where an empty list is an answer."""


def raw_text(reply: Reply, cut: bool = False) -> str:
    """The message's text. Raises Unreadable if the teacher refused, said nothing or, unless `cut`, was cut."""
    try:
        choice = orjson.loads(reply.body)["choices"][0]
        message = choice["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        raise Unreadable("unreadable_reply", "The reply is no chat completion.") from None
    finish = choice.get("finish_reason")
    if finish == "length" and not cut:
        raise Unreadable("cut_reply", "The reply stopped at the output limit; raise teacher.max_output_tokens.")
    if finish == "content_filter":
        raise Unreadable("filtered_reply", "The endpoint's content filter withheld the reply.")
    if message.get("refusal"):
        raise Unreadable("teacher_refused", f"The teacher refused: {str(message['refusal'])[:200]}")
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise Unreadable("empty_reply", "The reply holds no text.")
    return _HALF.sub(r"\\ufffd", text) if "\\u" in text else text


def answer_object(reply: Reply) -> dict[str, Any]:
    """The JSON object of the reply, read as if the endpoint had ignored the format it was asked for.

    Reasoning tags, Markdown fences and prefaces are stripped; raw control characters inside strings,
    which grammar-bound servers let through, are accepted. Raises Unreadable.
    """
    said = raw_text(reply)
    try:  # what most endpoints send most of the time
        value = orjson.loads(said)
    except ValueError:
        return _lenient_object(said)
    return value if isinstance(value, dict) else _lenient_object(said)


def _lenient_object(said: str) -> dict[str, Any]:
    text = _REASONING.sub("", said).strip()
    fence = _FENCE.search(text)
    for candidate in (text, fence.group(1) if fence else "", text[text.find("{") :] if "{" in text else ""):
        value = _first_object(candidate.strip())
        if value is not None:
            return value
    raise Unreadable("no_json", f"The reply holds no JSON object; it begins: {text[:80]!r}.")


def _first_object(text: str) -> dict[str, Any] | None:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_LIST_MARK = re.compile(r"^(?:\(?\d{1,3}[.):]|[-*•–])\s+")
_LIST_MARKS = frozenset("(0123456789-*•–")


def tidied(text: str) -> str:
    """One line without the list number, bullet or quotation marks a teacher put around it."""
    # Most texts are one tidy line already, and looking costs a fifth of mending.
    tidy = text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " "
    line = text if tidy else " ".join(text.split())
    if line[:1] in _LIST_MARKS:
        line = _LIST_MARK.sub("", line)
    if len(line) > 1 and (line[0], line[-1]) in {('"', '"'), ("“", "”"), ("'", "'"), ("«", "»")}:
        inner = line[1:-1]
        if line[0] not in inner and line[-1] not in inner:
            line = inner.strip()
    return line
