"""One call to the teacher, known by the hash of everything that shapes its answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import orjson


class _Shape(NamedTuple):
    """What many requests share."""

    schema: dict[str, Any]
    text: str
    hashed: hashlib.blake2b
    """The text and what sets it apart from the user message, to be hashed on."""


_SHAPES: dict[tuple[object, ...], _Shape] = {}
"""Made once for the requests of one prompt: making it costs a third of all that is done before a request is sent."""
_MOST_SHAPES = 256


def _shape_of(request: Request) -> _Shape:
    parts = {
        "kind": request.kind,
        "model": request.model,
        "system": request.system,
        "temperature": float(request.temperature),
        "max_output_tokens": request.max_output_tokens,
        "sample": request.sample,
    }
    known_by = (id(request.schema), *parts.values())
    shape = _SHAPES.get(known_by)
    if shape is None or shape.schema is not request.schema:
        text = orjson.dumps(parts | {"schema": request.schema}, option=orjson.OPT_SORT_KEYS).decode()
        hashed = hashlib.blake2b(f"{text}\x1f".encode("utf-8", "surrogatepass"), digest_size=16)
        shape = _Shape(request.schema, text, hashed)
        if len(_SHAPES) >= _MOST_SHAPES:
            _SHAPES.clear()
        _SHAPES[known_by] = shape
    return shape


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
    sample: int = 0
    """Number of this draw where the same question is put several times."""
    subject: str = ""
    """What it asks about (a passage's id, a field): not hashed; two requests of a kind about one subject
    differ only in how they ask."""
    prompt: str = ""
    """Fingerprint of the template it was rendered from; the rendered text, not this, is what is hashed."""
    standing: bool = False
    """Not hashed. It is worded after what has passed the checks so far, which changes with every verdict of a person:
    once it was answered, that reply stands for it, and no change is spoken of."""

    @property
    def shape(self) -> str:
        """All that shapes the answer but the user message, as JSON; many requests share it."""
        return self._shape.text

    @cached_property
    def _shape(self) -> _Shape:
        return _shape_of(self)

    @cached_property
    def key(self) -> str:
        """32 hex digits over the model, rendered messages, sampling, reply schema and sample number."""
        hashed = self._shape.hashed.copy()
        hashed.update(self.user.encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    @property
    def input_estimate(self) -> int:
        """Tokens it takes to read, at four characters a token."""
        return (len(self.shape) + len(self.user)) // 4

    @property
    def input_bound(self) -> int:
        """Tokens it takes to read at most: no tokenizer makes more of a text than its bytes, and few half as many."""
        return (len(self.shape) + len(self.user.encode("utf-8", "surrogatepass"))) // 2

    @property
    def output_estimate(self) -> int:
        """Tokens of a reply that uses up the schema's limits, at twenty a string."""
        return min(_largest(self.schema), self.max_output_tokens)


@dataclass(frozen=True, slots=True)
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
