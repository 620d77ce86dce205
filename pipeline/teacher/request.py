"""One call to the teacher, known by the hash of everything that shapes its answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Request:
    """What is put to the teacher. Two requests with one key would get the same answer, so one is paid."""

    kind: str
    """Name of the reply schema, for example `document_questions`."""
    model: str
    system: str
    user: str
    schema: dict[str, Any]
    temperature: float
    max_output_tokens: int
    prompt: str = ""
    """Fingerprint of the template it was rendered from; the rendered text, not this, is what is hashed."""
    sample: int = 0
    """Number of this draw where the same question is put several times."""

    @cached_property
    def key(self) -> str:
        """32 hex digits over the model, rendered messages, sampling, reply schema and sample number."""
        identity = [
            self.kind, self.model, self.system, self.user, self.schema,
            self.temperature, self.max_output_tokens, self.sample,
        ]  # fmt: skip
        text = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    @property
    def input_estimate(self) -> int:
        """Tokens it takes to read, at four characters a token."""
        return (len(self.system) + len(self.user) + len(json.dumps(self.schema))) // 4

    @property
    def output_estimate(self) -> int:
        """Tokens of a reply that uses up the schema's limits, at twenty a string."""
        return min(_largest(self.schema), self.max_output_tokens)

    def body(self) -> dict[str, Any]:
        """The chat-completions request body."""
        return {
            "model": self.model,
            "messages": [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": self.kind, "strict": True, "schema": self.schema},
            },
            "temperature": self.temperature,
            "max_completion_tokens": self.max_output_tokens,
        }


@dataclass(frozen=True)
class Reply:
    """What came back, kept raw: `body` is the JSON text of the chat completion as it was received."""

    key: str
    body: str
    model: str
    input_tokens: int | None
    output_tokens: int | None


def _largest(schema: dict[str, Any]) -> int:
    if schema.get("type") == "object":
        return sum(2 + _largest(child) for child in schema["properties"].values())
    if schema.get("type") == "array":
        return int(schema.get("maxItems", 10)) * _largest(schema["items"])
    return 20 if schema.get("type") == "string" else 2
