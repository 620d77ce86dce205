"""A chat completion as it came: is it one, who wrote it, and how many tokens it took."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.teacher.faults import TryFailed
from pipeline.teacher.request import Reply


def read_completion(key: str, body: bytes) -> Reply:
    """The reply with the teacher's own name and token counts. Raises TryFailed if the body is no completion."""
    try:
        completion = orjson.loads(body)
        completion["choices"][0]["message"]
        usage = completion.get("usage")
        model = completion.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise TryFailed("not_a_completion", f"The endpoint answered with something else: {body[:120]!r}") from None
    text = body.decode("utf-8")
    return Reply(key, text, str(model or ""), _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else None
