"""Any server of the OpenAI chat-completions protocol, over aiohttp.

The SDK's client costs ten times the CPU of a bare HTTP loop and counts retries of its own; the protocol
of one POST needs neither.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from pipeline.teacher.completion import read_completion
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import TryFailed, judged
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.speech import Speech

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes. Whatever sends more is no chat completion."""
CONNECT_SECONDS = 30.0


class HttpEndpoint:
    """One endpoint behind one pool of connections."""

    def __init__(self, address: Address, speech: Speech | None = None) -> None:
        self.name = address.name
        self.speech = speech or Speech()
        self._settled = speech is not None
        self._address = address
        self._url = address.completions_url
        self._session: aiohttp.ClientSession | None = None

    def _connected(self) -> aiohttp.ClientSession:
        """One session for all requests: how many are under way is the pool's to bound, and for how long, too."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                headers={"Content-Type": "application/json", **self._address.headers},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=_proxy_is_set(),
            )
        return self._session

    async def send(self, request: Request) -> Reply:
        """Put the request to the server, giving up what it refuses of our speech until it takes the rest."""
        begun_with, first_refusal = self.speech, None
        while True:
            speech = self.speech
            status, headers, body = await self._post(speech.body(request))
            if status == 200:
                reply = read_completion(request.key, body)
                self._settled = True
                return reply
            code, said = _said(body)
            fault = judged(status, code, self._redacted(f"{self.name} answered {status}: {said}"), headers)
            instead = self._instead(speech, status, said, fault)
            if instead is None:
                if not self._settled:  # it was not the way of speaking, so nothing was learnt about it
                    self.speech = begun_with
                raise first_refusal or fault
            if not isinstance(fault, TryFailed):
                first_refusal = first_refusal or fault
            if self.speech == speech:  # another request may have learnt it meanwhile
                self.speech = instead

    def _instead(self, speech: Speech, status: int, said: str, fault: Exception) -> Speech | None:
        """What to say instead. Only before the first good reply is an answer without a reason taken for a refusal."""
        instead = speech.without(status, said)
        if instead is None and not self._settled and status in (400, 415, 422, 501):
            return speech.weaker()
        if isinstance(fault, TryFailed) and self._settled:
            return None
        return instead

    async def _post(self, body: bytes) -> tuple[int, str | None, bytes]:
        """Status, Retry-After header and body of the answer. Raises TryFailed if none arrives whole."""
        try:
            async with self._connected().post(self._url, data=body) as answer:
                if (answer.content_length or 0) > LARGEST_REPLY:
                    raise TryFailed("too_large", f"{self.name} announced {answer.content_length} bytes.")
                content = await answer.read()
                return answer.status, answer.headers.get("Retry-After"), content
        except (aiohttp.ClientError, OSError) as fault:
            reason = self._redacted(f"{type(fault).__name__}: {fault}")
            raise TryFailed("no_connection", f"{self.name}: {reason}") from None

    def _redacted(self, text: str) -> str:
        """Some servers quote the key they refuse."""
        return text.replace(self._address.key, "[key]") if len(self._address.key) > 4 else text

    async def close(self) -> None:
        """Close the connections that were opened."""
        if self._session is not None:
            await self._session.close()


def _said(body: bytes) -> tuple[str, str]:
    """The error code and the message of an error body, whatever its shape."""
    try:
        error: Any = orjson.loads(body)
    except ValueError:
        return "", body[:300].decode("utf-8", "replace") or "nothing more"
    error = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(error, dict):
        return "", str(error)[:300]
    message = error.get("message") or error.get("detail") or error
    param = f" (parameter {error['param']})" if error.get("param") else ""
    return str(error.get("code") or ""), f"{str(message)[:300]}{param}"


def _proxy_is_set() -> bool:
    """Looking for proxies anew at every request costs more than the request."""
    from urllib.request import getproxies

    return bool({"http", "https", "all"} & set(getproxies()))
