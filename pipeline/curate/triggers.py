"""Substrings of which a text must hold some, or a pattern cannot match: to look for them costs far less than to try."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any


class Patterns:
    """Regular expressions, tried in any case, and only those that a text holds the triggers of."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._tried = [(triggers(pattern), re.compile(pattern, re.IGNORECASE)) for pattern in patterns]
        self._all = sorted({trigger for needed, _ in self._tried for some in needed for trigger in some})
        self._plain = [trigger for trigger in self._all if trigger.isascii()]

    def search(self, *texts: str) -> re.Match[str] | None:
        """The first match of any of them in the first of the texts that has one."""
        small = "\n".join(texts).lower()
        there = {trigger for trigger in (self._plain if small.isascii() else self._all) if trigger in small}
        tried = [pattern for needed, pattern in self._tried if not any(map(there.isdisjoint, needed))]
        for text in texts if tried else ():
            found = [match for pattern in tried if (match := pattern.search(text))]
            if found:
                return min(found, key=re.Match.start)
        return None


def triggers(pattern: str) -> tuple[frozenset[str], ...]:
    """Texts in small letters: of each set one stands in whatever the pattern matches, in any case."""
    return tuple(_needed(re._parser.parse(pattern, re.IGNORECASE)))  # type: ignore[attr-defined]


_LEAST = 3
"""Letters of a trigger: shorter ones stand in every text."""
_TELLING = re.compile(r"[^\w\s'’,.]|[\u2e80-\uffff]")
"""But for brackets and the like, and for characters that are words."""


def _needed(sequence: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """A set of each thing that must stand there, one after the other."""
    run = ""
    for operation, detail in [*sequence, ("END", None)]:
        name = str(operation)
        if name == "LITERAL":
            run += chr(detail).lower()
            continue
        if name == "MAX_REPEAT" and detail[0] and [str(one) for one, _ in detail[2]] == ["LITERAL"]:
            run += chr(detail[2][0][1]).lower() * detail[0]
        if len(run) >= _LEAST or _TELLING.search(run):
            yield frozenset({run})
        run = ""
        yield from _inside(name, detail)


def _inside(operation: str, detail: Any) -> Iterator[frozenset[str]]:
    if operation == "SUBPATTERN":
        yield from _needed(detail[-1])
    elif operation == "MAX_REPEAT" and detail[0] > 0:
        yield from _needed(detail[2])
    elif operation == "BRANCH":
        # Of each branch what is longest: rare texts have it.
        branches = [max(_needed(branch), key=_length, default=None) for branch in detail[1]]
        if all(branches):
            some = frozenset[str]().union(*filter(None, branches))
            yield frozenset(one for one in some if not any(other in one for other in some if other != one))


def _length(some: frozenset[str]) -> float:
    return sum(map(len, some)) / len(some)
