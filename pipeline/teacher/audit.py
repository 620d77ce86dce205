"""The promises of a ledger, checked on the file as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import orjson

from pipeline.teacher.ledger import Ledger
from pipeline.teacher.packing import unpacked
from pipeline.teacher.request import Request

_MOST = 20
"""Faults of one kind that are told one by one; a file that is wrecked is wrecked all over."""


def audit(ledger: Ledger) -> Iterator[str]:
    """What is wrong with it, a sentence each; nothing if it is sound. Reads every reply; raises InputError where
    SQLite itself gives up."""
    yield from (
        f"SQLite finds: {found}" for (found,) in ledger.rows(f"PRAGMA integrity_check({_MOST})") if found != "ok"
    )
    yield from (
        f"row {row} of {table} points to a row of {parent} that is not there"
        for table, row, parent, _ in ledger.rows("PRAGMA foreign_key_check")
    )
    yield from _requests(ledger)
    yield from _replies(ledger)
    for what, question in _NEVER.items():
        yield from (f"request {place}: {what}" for (place,) in ledger.rows(question))


_NEVER = {
    "a reply without a request": "SELECT place FROM replies WHERE place NOT IN (SELECT place FROM requests)",
    "a reply that costs less than nothing": "SELECT place FROM replies WHERE tokens < 0 OR usd < 0",
    "less than nothing is reserved": "SELECT place FROM reservations WHERE tokens < 0 OR usd < 0",
    "still reserved online, though its reply is kept": (
        "SELECT place FROM reservations WHERE lost = 0 AND batch IS NULL AND place IN (SELECT place FROM replies)"
    ),
    "a reservation without a request": "SELECT place FROM reservations WHERE place NOT IN (SELECT place FROM requests)",
}


def _requests(ledger: Ledger) -> Iterator[str]:
    """A request is known by the hash of what was asked; another hash would be another request, and bought again."""
    question = (
        "SELECT place, key, kind, user, body, sample FROM requests JOIN shapes ON shapes.id = shape ORDER BY place"
    )
    for place, key, kind, user, shape, sample in ledger.rows(question):
        try:
            asked = replace(_shaped(shape), user=unpacked(user, sample))
        except (TypeError, ValueError) as fault:
            yield f"request {place}: what was asked cannot be read: {fault}"
            continue
        if asked.key != bytes(key).hex():
            yield f"request {place}: its key {bytes(key).hex()} is not the hash of what was asked, {asked.key}"
        if asked.kind != kind:
            yield f"request {place}: it is filed as {kind!r} and was asked as {asked.kind!r}"


@lru_cache(maxsize=64)
def _shaped(shape: str) -> Request:
    return Request(user="", **orjson.loads(shape))


def _replies(ledger: Ledger) -> Iterator[str]:
    for place, body in ledger.rows("SELECT place, body FROM replies ORDER BY place"):
        try:
            unpacked(body)
        except ValueError as fault:
            yield f"request {place}: its reply cannot be read: {fault}"
