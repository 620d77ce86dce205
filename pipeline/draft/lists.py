"""The list that a reply holds: whole, or its complete items and a second request for the rest if it was cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.draft import Told
from pipeline.draft.replies import Unreadable, answer_object, raw_text
from pipeline.teacher.request import Reply, Request

_REST = """

Your last reply to this was cut off. These items of it arrived whole and are kept:

<received>
{received}
</received>

Give only the items that are missing, in the same form."""


class Listed(NamedTuple):
    """What the replies to a request and to its continuation hold."""

    items: list[tuple[Any, Request]]
    """Each item with the request that brought it."""
    fault: Unreadable | None
    """Why there are no more; None if the list is whole."""


def told_list(told: Told, request: Request, name: str) -> Listed:
    """The list called `name` in the reply to a request; empty and without fault if no reply has come.

    Of a reply cut at the output limit the complete items count, joined by those of the continuation.
    """
    reply = told(request.key)
    if reply is None:
        return Listed([], None)
    try:
        return Listed([(item, request) for item in _list(reply, name)], None)
    except Unreadable as fault:
        rest = continuation(request, reply, name)
        if rest is None:
            return Listed([], fault)
        items = [(item, request) for item in _complete_items(reply, name)]
        second = told(rest.key)
        if second is None:
            return Listed(items, fault)
        return _joined(items, rest, second, name)


def _joined(items: list[tuple[Any, Request]], rest: Request, second: Reply, name: str) -> Listed:
    try:
        return Listed([*items, *((item, rest) for item in _list(second, name))], None)
    except Unreadable as fault:
        return Listed([*items, *((item, rest) for item in _complete_items(second, name))], fault)


def continuation(request: Request, reply: Reply | None, name: str) -> Request | None:
    """The request for what a cut reply lacks, with twice the room; None if the reply was not cut."""
    if reply is None or not _was_cut(reply):
        return None
    received = "\n".join(json.dumps(_label(item), ensure_ascii=False) for item in _complete_items(reply, name))
    return replace(
        request,
        user=request.user + _REST.format(received=received.replace("</", "< /")),
        max_output_tokens=2 * request.max_output_tokens,
        sample=request.sample + 1,
        subject=f"{request.subject}:rest",
    )


def continuations(told: Told, requests: Iterator[Request], name: str) -> Iterator[Request]:
    """The continuations of all those requests whose reply was cut."""
    for request in requests:
        rest = continuation(request, told(request.key), name)
        if rest is not None:
            yield rest


def _label(item: Any) -> Any:
    """What names an item, so that it is not given again: a fact's quote, an answer's number, a question itself."""
    if isinstance(item, dict):
        return item.get("quote") or item.get("number") or item
    return item


def _was_cut(reply: Reply) -> bool:
    try:
        raw_text(reply)
    except Unreadable as fault:
        return fault.cause == "cut_reply"
    return False


def _list(reply: Reply, name: str) -> list[Any]:
    value = answer_object(reply).get(name)
    if not isinstance(value, list) or not value:
        raise Unreadable("wrong_shape", f"The reply's `{name}` is no list, or holds nothing.")
    return value


def _complete_items(reply: Reply, name: str) -> list[Any]:
    """The items before the cut, or before the first that cannot be read."""
    try:
        text = raw_text(reply, cut=True)
    except Unreadable:  # the whole room went into reasoning, say
        return []
    opened = re.search(rf'"{name}"\s*:\s*\[', text)
    if opened is None:
        return []
    items: list[Any] = []
    decoder = json.JSONDecoder(strict=False)
    place = opened.end()
    while True:
        place += len(text[place:]) - len(text[place:].lstrip(" \t\r\n,"))
        try:
            item, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return items
        items.append(item)
