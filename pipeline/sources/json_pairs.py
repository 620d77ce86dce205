"""JSON files of question-answer pairs: one object a line, or one list of objects."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import jsonlines
import orjson

from pipeline.sources.blocks import Fate, Reading, ReadLimits, Unreadable
from pipeline.sources.pairs import NoPair, OtherData, Pairs, fields_of

_MESSAGES, _USER, _ASSISTANT, _SYSTEM = "messages", "user", "assistant", "system"


def read_json(path: Path, limits: ReadLimits) -> Reading:
    """The pairs of a file of either shape: what is in it tells which it is, not its name.

    Raises Unreadable if it holds other data, or no pair that can be read.
    """
    with path.open("rb") as file:
        data = file.read(4 * limits.characters).removeprefix(codecs.BOM_UTF8)
        more = bool(file.read(1))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    if not data.strip():
        raise Unreadable("empty", "the file has no characters in it")
    items = _items(data, more, limits)
    if items is not None:
        return _taken(enumerate(items, 1), limits).reading("item", len(items), [], "orjson")
    lines = data.removesuffix(b"\n").split(b"\n")
    if more:
        lines.pop()
    cut = [f"only the first {len(lines)} lines were read: the rest is over the limit"] if more else []
    return _taken(_values(lines), limits).reading("line", len(lines), cut, "jsonlines")


def _items(data: bytes, more: bool, limits: ReadLimits) -> list[Any] | None:
    """The file as one list, or one object set over many lines; None if each of its lines stands for itself."""
    is_list = data.lstrip()[:1] == b"["
    if is_list and more:
        raise Unreadable(
            "unsupported", f"its list holds more than {limits.characters} characters: put one pair on a line"
        )
    try:
        whole = orjson.loads(data) if is_list or not more else None
    except ValueError as fault:
        if is_list:
            fate: Fate = "damaged" if data.rstrip().endswith(b"]") else "truncated"
            raise Unreadable(fate, f"it begins as a list of JSON and is none: {fault}") from None
        return None
    if isinstance(whole, list):
        return whole
    return [whole] if b"\n" in data.strip() else None


def _values(lines: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """Line number and value of each line that is not blank; for a broken one the NoPair that says so."""
    with jsonlines.Reader(line if line.strip() else b"null" for line in lines) as reader:
        for number in count(1):
            try:
                value = reader.read(allow_none=True)
            except EOFError:
                return
            except jsonlines.InvalidLineError as fault:
                value = NoPair(f"it is no JSON: {fault.__cause__ or fault}")
            if value is not None:
                yield number, value


def _taken(values: Iterable[tuple[int, Any]], limits: ReadLimits) -> Pairs:
    pairs = Pairs(limits)
    for place, value in values:
        try:
            for question, answer in _pairs_in(value):
                pairs.add(place, question, answer)
        except NoPair as fault:
            pairs.leave_out(place, fault)
        if pairs.is_full:
            break
    return pairs


def _pairs_in(value: Any) -> Iterator[tuple[list[str], str]]:
    """The parts of each question and its answer. Raises NoPair."""
    if isinstance(value, NoPair):
        raise value
    if not isinstance(value, dict):
        raise OtherData("it holds no object with fields")
    fields = fields_of(tuple(value))
    values = list(value.values())
    if fields:
        asked = [_text(values[place], "question") for place in fields.question if values[place] is not None]
        yield asked, _text(values[fields.answer], "answer")
    elif isinstance(value.get(_MESSAGES), list):
        yield from _turns(value[_MESSAGES])
    else:
        raise OtherData(f"it has the fields {', '.join(value)[:100] or 'of an empty object'}")


def _turns(messages: list[Any]) -> Iterator[tuple[list[str], str]]:
    """What a user said, with what the assistant answered to it."""
    spoken = [message for message in messages if isinstance(message, dict) and message.get("role") != _SYSTEM]
    turns = [
        (asking, answering)
        for asking, answering in pairwise(spoken)
        if (asking.get("role"), answering.get("role")) == (_USER, _ASSISTANT)
    ]
    if not turns:
        raise NoPair("no message of an assistant follows one of a user")
    for asking, answering in turns:
        yield [_text(asking.get("content"), "question")], _text(answering.get("content"), "answer")


def _text(value: Any, name: str) -> str:
    """A string or a number as text; of a list of messages what is said in them."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return "\n\n".join(_text(part.get("content"), name) for part in value if part.get("role") != _SYSTEM)
    raise NoPair(f"its {name} is no text")
