"""The door to the teacher: one request in, one raw reply out, or a fault that says whether to ask again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import KeyRefused, RecipeError, TeacherError
from pipeline.teacher.request import Reply, Request

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
_TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
_REFUSED_STATUS = frozenset({401, 402, 403})
_CREDIT_GONE = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_credits")


class TryFailed(Exception):
    """One try brought no reply; asking again may. `retry_after` is what the endpoint asked for, in seconds."""

    def __init__(self, cause: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.retry_after = retry_after


class RequestRejected(Exception):
    """The endpoint will not take this one request; others may pass."""


class Endpoint(Protocol):
    """Whatever answers chat-completion requests."""

    name: str
    """What a person is told the teacher is."""

    async def send(self, request: Request) -> Reply:
        """Raises TryFailed, RequestRejected, or TeacherError where no request can succeed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True)
class Address:
    """Where the teacher is and how to speak to it. An empty `base_url` means the embedded teacher."""

    model: str
    base_url: str
    key: str

    @property
    def embedded(self) -> bool:
        """No server is meant."""
        return not self.base_url


def find_teacher(model: str, base_url: str, environment: Mapping[str, str]) -> Address:
    """Which teacher the recipe and the environment mean: a real endpoint, or the embedded stand-in.

    With neither key nor base URL it is the embedded one, unless a model is named: then the person
    expects a real teacher, and rule-made text in its place would be a silent failure. Raises RecipeError.
    """
    key = environment.get("OPENAI_API_KEY", "").strip()
    url = base_url or environment.get("OPENAI_BASE_URL", "").strip()
    if not key and not url:
        if model:
            raise RecipeError(
                f"teacher.model is {model!r}, but there is neither OPENAI_API_KEY nor a base_url.",
                remedy="Set the key (or OPENAI_BASE_URL for a server of your own), or leave the model empty for the"
                " embedded teacher.",
            )
        from pipeline.teacher.embedded import MODEL

        return Address(MODEL, "", "")
    if not model:
        raise RecipeError(
            f"a teacher is set ({url or 'OPENAI_API_KEY'}), but no model is named.",
            remedy="Name it as teacher.model in the recipe or with --model.",
        )
    return Address(model, url or OPENAI_URL, key or "none")


def open_endpoint(address: Address) -> Endpoint:
    """The endpoint at an address; nothing is sent yet."""
    if address.embedded:
        from pipeline.teacher.embedded import EmbeddedTeacher

        return EmbeddedTeacher()
    return OpenAIEndpoint(address)


class OpenAIEndpoint:
    """Any server that speaks the OpenAI chat-completions protocol, through `openai.AsyncOpenAI`."""

    def __init__(self, address: Address) -> None:
        self.name = f"{address.model} at {address.base_url}"
        self._address = address
        self._client: AsyncOpenAI | None = None

    def _connected(self) -> AsyncOpenAI:
        """One client for all requests; a client per call costs twenty milliseconds each."""
        if self._client is None:
            from openai import AsyncOpenAI

            # The pool counts tries and keeps the deadline; a second counter inside would multiply both.
            self._client = AsyncOpenAI(
                api_key=self._address.key, base_url=self._address.base_url, max_retries=0, timeout=None
            )
        return self._client

    async def send(self, request: Request) -> Reply:
        """Put the request to the server and keep what it answers byte for byte."""
        import openai

        body = request.body()
        if self._address.base_url != OPENAI_URL:
            # Servers of one's own know the older name of the limit only.
            body["max_tokens"] = body.pop("max_completion_tokens")
        try:
            raw = await self._connected().chat.completions.with_raw_response.create(**body)
            return read_completion(request.key, raw.text)
        except openai.APIStatusError as fault:
            raise _judged(fault, self.name) from None
        except openai.APIConnectionError as fault:
            raise TryFailed("no_connection", f"{self.name}: {fault.__cause__ or fault}") from None

    async def close(self) -> None:
        """Close the connections that were opened."""
        if self._client is not None:
            await self._client.close()


def read_completion(key: str, body: str) -> Reply:
    """The reply with the teacher's own name and token counts. Raises TryFailed if it is no completion."""
    try:
        completion = json.loads(body)
        completion["choices"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        raise TryFailed("not_a_completion", f"The endpoint answered with something else: {body[:120]!r}") from None
    usage = completion.get("usage") or {}
    return Reply(key, body, str(completion.get("model") or ""), _count(usage, "prompt"), _count(usage, "completion"))


def _count(usage: Any, part: str) -> int | None:
    value = usage.get(f"{part}_tokens") if isinstance(usage, dict) else None
    return value if isinstance(value, int) else None


def _judged(fault: APIStatusError, name: str) -> Exception:
    """What an HTTP error means for this request and for all others."""
    status, said = fault.status_code, f"{name} answered {fault.status_code}: {_said(fault)}"
    if fault.code in _CREDIT_GONE or status in _REFUSED_STATUS:
        return KeyRefused(f"{said}.", remedy="Check OPENAI_API_KEY, the account's credit and its access to the model.")
    if status == 404:
        return TeacherError(f"{said}.", remedy="Check teacher.model and base_url; a base_url usually ends in /v1.")
    if status in _TRANSIENT_STATUS or status >= 500:
        return TryFailed(f"http_{status}", said, _retry_after(fault.response.headers.get("retry-after")))
    return RequestRejected(said)


def _said(fault: APIStatusError) -> str:
    body = fault.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or fault.response.text or "nothing more")[:300]


def _retry_after(value: str | None) -> float | None:
    """Seconds asked for by a Retry-After header, in seconds or as a date (RFC 9110, 10.2.3); None if invalid."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, TypeError):
        return None


def environment() -> Mapping[str, str]:
    """The environment variables of this process: the one place where secrets are read."""
    return os.environ
