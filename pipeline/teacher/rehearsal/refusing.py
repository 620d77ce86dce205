"""What the endpoint will not take, said in the words and codes of the servers it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil
from typing import Any

from pipeline.teacher.rehearsal.connection import Answer, answer, as_json
from pipeline.teacher.rehearsal.settings import Rehearsal

_INVALID = "invalid_request_error"


def error(status: int, message: str, kind: str = "server_error", code: str = "", **headers: str) -> Answer:
    """An error as the OpenAI protocol words it."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code or None}}
    return answer(status, as_json(body), **headers)


def retry_after(settings: Rehearsal) -> dict[str, str]:
    """The Retry-After header in the form that was chosen; no header for `none`."""
    now = datetime.now(UTC)
    forms = {
        "seconds": f"{settings.retry_after:g}",
        "date": format_datetime(now + timedelta(seconds=ceil(settings.retry_after)), usegmt=True),
        "past-date": format_datetime(now - timedelta(days=1), usegmt=True),
        "negative": "-5",
        "huge": "99999999999",
        "words": "soon",
    }
    return {"retry_after": forms[settings.retry_after_form]} if settings.retry_after_form in forms else {}


def too_many(settings: Rehearsal) -> Answer:
    """A 429 that passes."""
    return error(
        429, "Rate limit reached. Try again later.", "requests", "rate_limit_exceeded", **retry_after(settings)
    )


def beyond_pace(wait: float, per_minute: int) -> Answer:
    """A 429 with the headers by which OpenAI tells a client how to pace itself."""
    return error(
        429,
        f"Rate limit reached: {per_minute} requests per minute. Try again in {wait:.3f}s.",
        "requests",
        "rate_limit_exceeded",
        retry_after=str(ceil(wait)),
        retry_after_ms=str(ceil(wait * 1000)),
        x_ratelimit_limit_requests=str(per_minute),
        x_ratelimit_remaining_requests="0",
        x_ratelimit_reset_requests=f"{ceil(wait * 1000)}ms",
    )


def key_refused() -> Answer:
    """The key is wrong."""
    return error(401, "Incorrect API key provided.", _INVALID, "invalid_api_key")


def credit_gone() -> Answer:
    """A 429 that does not pass: the account is empty."""
    return error(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    )


def model_unknown() -> Answer:
    """The model does not exist, or no longer."""
    return error(404, "The model does not exist or you do not have access to it.", _INVALID, "model_not_found")


def refused_field(settings: Rehearsal, body: Mapping[str, Any]) -> tuple[str, Answer] | None:
    """The outcome and the answer for a body that holds what this endpoint does not take; None if it holds nothing."""
    if body.get("stream"):
        return "stream_refused", error(400, "The rehearsal does not stream.", _INVALID, "unsupported_value")
    limit = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}.get(settings.limit_name)
    if limit in body:
        message = (
            f"Unsupported parameter: '{limit}' is not supported with this model. Use '{settings.limit_name}' instead."
        )
        return "limit_refused", error(400, message, _INVALID, "unsupported_parameter")
    if settings.no_temperature and body.get("temperature", 1) != 1:
        message = "Unsupported value: 'temperature' does not support this value with this model; only 1 is supported."
        return "temperature_refused", error(400, message, _INVALID, "unsupported_value")
    wanted = format_of(body)
    if wanted and wanted not in settings.accepted:
        named = ", ".join(f'"{name}"' for name in ("text", *sorted(settings.accepted)))
        message = f'response_format type must be one of {named}, but got: "{wanted}"'
        return "format_refused", error(
            settings.format_status, message, _INVALID if settings.format_status < 500 else "server_error"
        )
    return None


def format_of(body: Mapping[str, Any]) -> str:
    """The reply format a body asks for, as the option `formats` names it; empty for plain text."""
    asked = body.get("response_format")
    kind = str(asked.get("type", "text")) if isinstance(asked, dict) else "text"
    if kind == "json_object" and isinstance(asked, dict) and "schema" in asked:
        return "json_object+schema"
    return "" if kind == "text" else kind
