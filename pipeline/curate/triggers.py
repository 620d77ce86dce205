"""Substrings of which a text must hold one, or a pattern cannot match: to look for them costs far less than to try."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


class Patterns:
    """Regular expressions, tried in any case, and only those that a text holds a trigger of."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._tried = [(triggers(pattern), re.compile(pattern, re.IGNORECASE)) for pattern in patterns]
        self._all = frozenset[str]().union(*(needed for needed, _ in self._tried))

    def search(self, text: str) -> re.Match[str] | None:
        """The first match of any of them; of several that begin there, that of the first."""
        small = text.lower()
        there = {trigger for trigger in self._all if trigger in small}
        best = None
        for needed, pattern in self._tried:
            if needed.isdisjoint(there) and needed:
                continue
            found = pattern.search(text)
            if found and (best is None or found.start() < best.start()):
                best = found
        return best


def triggers(pattern: str) -> frozenset[str]:
    """Small-letter texts of which one stands in whatever the pattern matches, in any case; empty if none need stand."""
    return _needed(re._parser.parse(pattern, re.IGNORECASE)) or frozenset()  # type: ignore[attr-defined]


_LEAST = 3
"""Letters of a trigger: shorter ones stand in every text."""
_TELLING = re.compile(r"[^\w\s'’,.]|[\u2e80-\uffff]")
"""But for brackets and the like, and for characters that are words."""


def _needed(sequence: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """Of all that must stand there one after the other, what is longest: rare texts have it."""
    choices: list[frozenset[str] | None] = []
    run = ""
    for operation, detail in [*sequence, ("END", None)]:
        name = str(operation)
        if name == "LITERAL":
            run += chr(detail).lower()
            continue
        if name == "MAX_REPEAT" and detail[0] and [str(one) for one, _ in detail[2]] == ["LITERAL"]:
            run += chr(detail[2][0][1]).lower() * detail[0]
        choices += [frozenset({run}) if len(run) >= _LEAST or _TELLING.search(run) else None, _inside(name, detail)]
        run = ""
    return max(filter(None, choices), key=lambda one: sum(map(len, one)) / len(one), default=None)


def _inside(operation: str, detail: Any) -> frozenset[str] | None:
    if operation == "SUBPATTERN":
        return _needed(detail[-1])
    if operation == "MAX_REPEAT" and detail[0] > 0:
        return _needed(detail[2])
    if operation == "BRANCH":
        branches = [_needed(branch) for branch in detail[1]]
        return frozenset[str]().union(*(one or () for one in branches)) if all(branches) else None
    return None
