"""The list that a reply holds: whole, or what can be read of it and a second request for the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.draft import Told
from pipeline.draft.replies import Unreadable, answer_object, raw_text
from pipeline.teacher.request import Reply, Request

_REST = """

Your last reply to this could not be read to its end. These items of it arrived whole and are kept:

<received>
{received}
</received>

Give only the items that are missing, in the same form."""


CONTINUATIONS = 2
"""How often the rest of one list is asked for."""
_FINAL = frozenset({"filtered_reply", "teacher_refused"})
"""Asking again would bring the same."""


class Listed(NamedTuple):
    """What the replies to a request and to its continuation hold."""

    items: list[tuple[Any, Request]]
    """Each item with the request that brought it."""
    fault: Unreadable | None
    """Why there are no more; None if the list is whole."""


def told_list(told: Told, request: Request, name: str, least: int = 1) -> Listed:
    """The list called `name` in the reply to a request; empty and without fault if no reply has come.

    Of a reply that was cut, or breaks off, the complete items count, joined by those of its continuations.
    `least` is 0 where a list of nothing is an answer, and not a fault.
    """
    *_, last = _chain(told, request, name, least)
    return Listed(last.items, last.fault)


def continuations(told: Told, requests: Iterable[Request], name: str, stage: int, least: int = 1) -> Iterator[Request]:
    """What is asked in a continuation stage (from 1): the rest of every list that still lacks something.

    A reply cut at the output limit gets twice the room, once; one that cannot be read is asked for again,
    up to CONTINUATIONS times. What fails even then is a rejection.
    """
    for request in requests:
        links = list(_chain(told, request, name, least))
        if len(links) >= stage and (rest := links[stage - 1].rest) is not None:
            yield rest


class _Link(NamedTuple):
    """How far a list has come after one more reply."""

    items: list[tuple[Any, Request]]
    fault: Unreadable | None
    rest: Request | None
    """The request for what is missing; None if nothing is, or asking again would not help."""


def _chain(told: Told, request: Request, name: str, least: int) -> Iterator[_Link]:
    """The state of a list after the request and after each of its continuations that was answered."""
    items: list[tuple[Any, Request]] = []
    asked: Request | None = request
    for number in range(CONTINUATIONS + 1):
        reply = told(asked.key) if asked is not None else None
        if reply is None or asked is None:
            if number == 0:
                yield _Link([], None, None)
            return
        try:
            yield _Link([*items, *((item, asked) for item in _list(reply, name, least))], None, None)
            return
        except Unreadable as fault:
            items = [*items, *((item, asked) for item in _complete_items(reply, name))]
            rest = _rest(request, number + 1, items, fault.cause)
            yield _Link(items, fault, rest)
            asked = rest


def _rest(request: Request, number: int, items: list[tuple[Any, Request]], cause: str) -> Request | None:
    """The `number`th continuation of a request of which these items have come."""
    if cause in _FINAL or number > (1 if cause == "cut_reply" else CONTINUATIONS):
        return None
    received = "\n".join(json.dumps(_label(item), ensure_ascii=False) for item, _ in items)
    return replace(
        request,
        user=request.user + (_REST.format(received=received.replace("</", "< /")) if received else ""),
        max_output_tokens=request.max_output_tokens * (2 if cause == "cut_reply" else 1),
        sample=request.sample + number,
        subject=f"{request.subject}:rest{number}",
    )


def _label(item: Any) -> Any:
    """What names an item, so that it is not given again: a fact's quote, an answer's number, a question itself."""
    if isinstance(item, dict):
        return item.get("quote") or item.get("number") or item
    return item


def _list(reply: Reply, name: str, least: int) -> list[Any]:
    value = answer_object(reply).get(name)
    if not isinstance(value, list) or len(value) < least:
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
