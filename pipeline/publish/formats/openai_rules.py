"""Holds a file against the published rules of OpenAI's fine-tuning service, offline.

The rules are those of its API reference (the schemas FineTuneChatRequestInput and FineTunePreferenceRequestInput, the
size of a file) and of its guides to supervised fine-tuning and direct preference optimisation (ten examples, the last
message, the length of one), as they stood in November 2026. What only the service can tell is not looked at: its
moderation, the account's limits, and the exact count of tokens, for which an estimate stands in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, ValidationError, model_validator

from pipeline.publish.formats.form import Fault

LEAST_EXAMPLES = 10
MOST_BYTES = 512 * 1024 * 1024
MOST_TOKENS = 65_536
"""Of one example, for the models of the 4.1 and 4o families. The service cuts a longer one at its end."""
BYTES_PER_TOKEN = 4
"""The estimate of a token: English has about 4.5 bytes a token with these models' tokenizer, other languages 3 to 6."""
TOKENS_PER_MESSAGE = 4
"""What stands around each message."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _text_or_parts(value: object) -> object:
    if (isinstance(value, str) and value) or (isinstance(value, list) and value):
        return value
    raise ValueError(f"expected text, found {'nothing' if value in ('', [], None) else type(value).__name__}")


def _text_parts_or_none(value: object) -> object:
    return value if value in ("", None) else _text_or_parts(value)


def _zero_or_one(value: object) -> object:
    if type(value) is int and value in (0, 1):
        return value
    raise ValueError(f"expected 0 or 1, found {value!r}")


_Content = Annotated[str | list[dict[str, Any]], BeforeValidator(_text_or_parts)]
_Name = Annotated[str, Field(min_length=1)]


class _Said(_Strict):
    role: Literal["system", "user", "function"]
    content: _Content
    name: _Name | None = None


class _Answered(_Strict):
    role: Literal["assistant"]
    content: Annotated[str | list[dict[str, Any]] | None, BeforeValidator(_text_parts_or_none)] = None
    name: _Name | None = None
    weight: Annotated[int, BeforeValidator(_zero_or_one)] = 1
    refusal: str | None = None
    audio: dict[str, Any] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _says_or_calls(self) -> _Answered:
        if not (self.content or self.tool_calls or self.function_call):
            raise ValueError("expected text or a tool call, found neither")
        return self


class _Returned(_Strict):
    role: Literal["tool"]
    content: _Content
    tool_call_id: _Name


_Message = Annotated[_Said | _Answered | _Returned, Discriminator("role")]
_Messages = Annotated[list[_Message], Field(min_length=1)]


class _Chat(_Strict):
    messages: _Messages
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool = True
    functions: list[dict[str, Any]] | None = Field(default=None, min_length=1, max_length=128)


class _Input(_Strict):
    messages: _Messages
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool = True


_Output = Annotated[list[_Answered], Field(min_length=1, max_length=1)]


class _Pair(_Strict):
    input: _Input
    preferred_output: _Output
    non_preferred_output: _Output


def faults(path: Path) -> Iterator[Fault]:
    """What the rules have against a training file, by line. Reads it as a stream. Raises OSError if it cannot."""
    if path.suffix != ".jsonl":
        yield Fault(0, f"the name ends in {path.suffix or 'nothing'}; the service takes .jsonl alone")
    if (size := path.stat().st_size) > MOST_BYTES:
        yield Fault(0, f"{size / 1024 / 1024:.0f} MB; the service takes 512 MB a file")
    count, first = 0, ""
    with path.open("rb") as lines:
        for count, line in enumerate(lines, 1):
            found = _read(line.removeprefix(b"\xef\xbb\xbf") if count == 1 else line)
            if isinstance(found, str):
                yield Fault(count, found)
                continue
            kind = "preference" if found.keys() & _Pair.model_fields.keys() else "chat"
            first = first or kind
            if kind != first:
                yield Fault(count, f"a {kind} example in a file of {first} examples")
            yield from (Fault(count, what) for what in _example(found, kind))
    if count < LEAST_EXAMPLES:
        yield Fault(0, f"{count} examples; the service asks for {LEAST_EXAMPLES} at least")


def _read(line: bytes) -> dict[str, object] | str:
    """The example, or why it is none."""
    if not line.strip():
        return "an empty line, where an example was expected"
    try:
        found = json.loads(line)
    except UnicodeDecodeError as fault:
        return f"not UTF-8: byte {fault.start + 1} of the line"
    except ValueError as fault:
        return f"not JSON: {fault}"
    return found if isinstance(found, dict) else f"expected an object, found {type(found).__name__}"


def _example(found: dict[str, object], kind: str) -> Iterator[str]:
    try:
        if kind == "chat":
            yield from _of_chat(_Chat.model_validate(found))
        else:
            yield from _of_pair(_Pair.model_validate(found))
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in error["loc"] if part not in _ROLES)
            yield f"{where}: {_said(error['type'], error.get('ctx', {})) or error['msg'].removeprefix('Value error, ')}"


def _said(kind: str, numbers: dict[str, Any]) -> str:
    return _WORDS[kind].format(**numbers) if kind in _WORDS else ""


_ROLES = ("system", "user", "assistant", "tool", "function")
"""In the place of a fault they say which kind of message the parser took it for; the file has nothing of that name."""
_WORDS = {
    "union_tag_invalid": f"expected one of {', '.join(_ROLES)} as role, found {{tag!r}}",
    "union_tag_not_found": "a message without a role",
    "model_attributes_type": "expected an object",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "missing": "missing",
    "extra_forbidden": "no field of this format",
    "too_short": "expected {min_length} at least, found {actual_length}",
    "too_long": "expected {max_length} at most, found {actual_length}",
    "literal_error": "expected {expected}",
}
"""What the parser finds, in words."""


def _of_chat(example: _Chat) -> Iterator[str]:
    last = example.messages[-1].role
    if last != "assistant":
        yield f"messages: the last message is from {last}; it has to be from the assistant"
    answers = [each for each in example.messages if isinstance(each, _Answered)]
    if answers and not any(each.weight for each in answers):
        yield "messages: every message of the assistant has weight 0, so nothing of it would be trained"
    yield from _calls(example.messages, "messages")
    yield from _length(example.messages, "messages")


def _of_pair(example: _Pair) -> Iterator[str]:
    before = example.input.messages
    if before[-1].role == "assistant":
        yield "input.messages: the last message is from the assistant, so there is nothing to answer"
    yield from _calls(before, "input.messages")
    yield from _length([*before, *example.preferred_output], "preferred_output")
    yield from _length([*before, *example.non_preferred_output], "non_preferred_output")


def _calls(messages: Sequence[_Said | _Answered | _Returned], where: str) -> Iterator[str]:
    """A tool's message answers a call that the assistant made before it."""
    called: set[object] = set()
    for place, each in enumerate(messages):
        if isinstance(each, _Answered):
            called |= {call.get("id") for call in each.tool_calls or ()}
        elif isinstance(each, _Returned) and each.tool_call_id not in called:
            yield f"{where}.{place}.tool_call_id: no call before it has the id {each.tool_call_id!r}"


def _length(messages: Sequence[_Said | _Answered | _Returned], where: str) -> Iterator[str]:
    tokens = sum(TOKENS_PER_MESSAGE + -(-_bytes(each) // BYTES_PER_TOKEN) for each in messages)
    if tokens > MOST_TOKENS:
        yield (
            f"{where}: about {tokens:,} tokens, reckoned at {BYTES_PER_TOKEN} bytes a token; the service cuts an"
            f" example at {MOST_TOKENS:,}, and its end is the answer"
        )


def _bytes(message: _Said | _Answered | _Returned) -> int:
    content = message.content
    text = content if isinstance(content, str) else json.dumps(content or "", ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass"))
