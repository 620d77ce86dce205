"""What can go wrong with one call, and what it means for the call and for all others."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import orjson

from pipeline.errors import KeyRefused, TeacherError

_TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
_REFUSED_STATUS = frozenset({401, 402, 403})
_CREDIT_GONE = frozenset({"insufficient_quota", "billing_hard_limit_reached", "insufficient_credits"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "invalid_prompt"})
"""The endpoint's filter took offence at the question. OpenAI and Azure say so with 400."""
_UNKNOWN_MODEL = frozenset({"model_not_found", "model_not_available", "DeploymentNotFound"})


class TryFailed(Exception):
    """One try brought no reply; asking again may. `retry_after` is what the endpoint asked for, in seconds."""

    def __init__(self, cause: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.retry_after = retry_after


class RequestRejected(Exception):
    """The endpoint will not take this one request; others may pass."""

    CAUSES = ("request_rejected", "filtered_request")

    def __init__(self, detail: str, *, filtered: bool = False) -> None:
        super().__init__(detail)
        self.cause = self.CAUSES[filtered]


def judged(status: int, code: str, said: str, retry_after: str | None) -> Exception:
    """What an HTTP error means."""
    if code in _FILTERED:
        return RequestRejected(said, filtered=True)
    if code in _CREDIT_GONE or status == 402:
        return KeyRefused(f"{said}.", remedy="The account's credit is used up; top it up, then run again.")
    if status in _REFUSED_STATUS:
        return KeyRefused(f"{said}.", remedy="Check OPENAI_API_KEY and its access to the model.")
    if status == 404 or code in _UNKNOWN_MODEL:
        return TeacherError(f"{said}.", remedy="Check teacher.model and base_url; a base_url usually ends in /v1.")
    if status in _TRANSIENT_STATUS or status >= 500:
        return TryFailed(f"http_{status}", said, read_retry_after(retry_after))
    return RequestRejected(said)


def read_error(body: bytes) -> tuple[str, str]:
    """The error code and the message of an error body, whatever its shape."""
    try:
        error: Any = orjson.loads(body)
    except ValueError:
        return "", body[:300].decode("utf-8", "replace") or "nothing more"
    error = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(error, dict):
        return "", str(error)[:300]
    if "flagged_input" in (error.get("metadata") or ()):  # OpenRouter says so with 403, as of a key
        error = {**error, "code": "content_filter"}
    message = error.get("message") or error.get("detail") or error
    param = f" (parameter {error['param']})" if error.get("param") else ""
    return str(error.get("code") or ""), f"{str(message)[:300]}{param}"


def read_retry_after(value: str | None) -> float | None:
    """Seconds asked for by a Retry-After header, in seconds or as a date (RFC 9110, 10.2.3); None if invalid."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return seconds if 0 <= seconds < float("inf") else None
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, TypeError):
        return None
