"""How an endpoint wants to be spoken to: the reply format it takes and the parameters it knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from pipeline.teacher.request import Request


class Format(StrEnum):
    """Ways of asking for JSON, the strictest first. Whatever is asked for, a reply is parsed as if it were plain."""

    SCHEMA = "json_schema"
    OBJECT_WITH_SCHEMA = "json_object+schema"
    """llama.cpp's Python server answers 500 to the first, and binds the reply to this one."""
    OBJECT = "json_object"
    PLAIN = "plain"


_WEAKER = dict(zip(Format, list(Format)[1:], strict=False))
_REFUSED = frozenset({400, 404, 415, 422, 500, 501})
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "schema", "grammar", "structured")


@dataclass(frozen=True)
class Speech:
    """What an endpoint is taken to understand. It starts with the most and gives up what is refused."""

    format: Format = Format.SCHEMA
    limit_name: str = "max_completion_tokens"
    temperature: bool = True
    """Some reasoning models take none but their own."""

    def body(self, request: Request) -> bytes:
        """The chat-completions body of a request, as JSON."""
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
            self.limit_name: request.max_output_tokens,
        }
        if self.temperature:
            body["temperature"] = request.temperature
        if self.format is Format.SCHEMA:
            wanted = {"name": request.kind, "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        elif self.format is Format.OBJECT_WITH_SCHEMA:
            body["response_format"] = {"type": "json_object", "schema": request.schema}
        elif self.format is Format.OBJECT:
            body["response_format"] = {"type": "json_object"}
        return orjson.dumps(body)

    def without(self, status: int, said: str) -> Speech | None:
        """What to say instead after an answer that refuses a part of it; None if the answer refuses nothing of ours.

        A server that says nothing understandable may still mean the format: `weaker` is for that.
        """
        if status not in _REFUSED:
            return None
        low = said.lower()
        if self.limit_name in low and self.limit_name == "max_completion_tokens":
            return replace(self, limit_name="max_tokens")
        if self.limit_name == "max_tokens" and "max_tokens" in low and "max_completion_tokens" in low:
            return replace(self, limit_name="max_completion_tokens")
        if self.temperature and "temperature" in low:
            return replace(self, temperature=False)
        if any(word in low for word in _FORMAT_WORDS):
            return self.weaker()
        return None

    def weaker(self) -> Speech | None:
        """The next weaker reply format, if one is left."""
        return replace(self, format=_WEAKER[self.format]) if self.format in _WEAKER else None

    def written(self) -> str:
        """As one line for the ledger."""
        return f"{self.format} {self.limit_name} {int(self.temperature)}"

    @classmethod
    def read(cls, line: str) -> Speech:
        """From a line of the ledger."""
        form, limit_name, temperature = line.split()
        return cls(Format(form), limit_name, temperature == "1")
