"""A chat completion as it came: is it one, who wrote it, and how many tokens it took."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.teacher.faults import TryFailed, judged, read_error
from pipeline.teacher.request import Reply


def read_completion(key: str, body: bytes) -> Reply:
    """The reply with the teacher's own name and token counts.

    Raises TryFailed if the body is no completion, and what `judged` says of an error that came as if all were well:
    OpenRouter has sent its headers before it hears from the provider.
    """
    try:
        completion = orjson.loads(body)
        if "choices" not in completion and "error" in completion:
            raise _disguised(completion["error"], body)
        choice = completion["choices"][0]
        choice["message"]
        if choice.get("finish_reason") == "error":
            raise TryFailed("broken_off", f"The teacher broke off: {str(choice.get('error'))[:200]}")
        usage = completion.get("usage")
        model = completion.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise TryFailed("not_a_completion", f"The endpoint answered with something else: {body[:120]!r}") from None
    text = body.decode("utf-8")
    return Reply(key, text, str(model or ""), _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _disguised(error: Any, body: bytes) -> Exception:
    status = error.get("code") if isinstance(error, dict) else None
    code, said = read_error(body)
    said = f"The endpoint answered 200 with an error in it: {said}"
    if not isinstance(status, int) or not 400 <= status <= 599:
        return TryFailed("not_a_completion", said)
    return judged(status, code, said, None)


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else None
