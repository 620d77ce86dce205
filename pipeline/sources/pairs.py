"""Question-answer pairs, from whichever file they come: each is a page of its own, named by where it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.sources.blocks import Block, Reading, ReadLimits, Unit, Unreadable
from pipeline.sources.plain import paragraphs
from pipeline.sources.quality import is_gibberish

_QUESTIONS = "question questions prompt instruction query input frage pregunta 问题 سؤال السؤال".split()
_ANSWERS = "answer answers completion output response antwort respuesta 答案 回答 جواب الجواب إجابة الإجابة".split()
_INSTRUCTION, _ITS_INPUT = "instruction", "input"
_LOOKED_FOR = (
    "question and answer, q and a, prompt and completion, instruction (with or without input) and output, or the"
    " messages of a user and an assistant were looked for"
)
_MOST_NAMED = 20
_JUDGED = 100_000


class Fields(NamedTuple):
    """Which of several columns hold a question, in reading order, and which its answer."""

    question: tuple[int, ...]
    answer: int

    def unused(self, names: Sequence[str]) -> list[str]:
        """The other columns."""
        return [name for place, name in enumerate(names) if place not in {*self.question, self.answer}]


@lru_cache(maxsize=1024)
def fields_of(names: tuple[str, ...]) -> Fields | None:
    """Where a pair stands among columns of these names, however they are spelt; None if it does not."""
    plain = [re.sub(r"[\W_]+", "", name.casefold()) for name in names]
    if "q" in plain and "a" in plain:
        return Fields((plain.index("q"),), plain.index("a"))
    question = next((name for name in _QUESTIONS if name in plain), None)
    answer = next((name for name in _ANSWERS if name in plain), None)
    if question is None or answer is None:
        return None
    more = [_ITS_INPUT] if question == _INSTRUCTION and _ITS_INPUT in plain else []
    return Fields(tuple(map(plain.index, [question, *more])), plain.index(answer))


def holds_no_pairs(what: str, size: int = 0) -> Unreadable:
    """The fate of a file of other data; `what` says what is there."""
    return Unreadable("unsupported", f"it holds no question-answer pairs: {what}; {_LOOKED_FOR}", size)


class NoPair(Exception):
    """A place in a file holds none; the message says why."""


class OtherData(NoPair):
    """A place that is sound and was never meant to hold one."""


class Pairs:
    """Takes pair after pair, and remembers where there was none."""

    def __init__(self, limits: ReadLimits) -> None:
        self._pages: list[tuple[int, list[Block]]] = []
        self._left_out: list[tuple[int, str]] = []
        self._other = ""
        self._room = limits.characters

    def add(self, place: int, question: Sequence[str], answer: str) -> None:
        """One pair; a question may come in several parts. Raises NoPair if there is nothing to ask or to say."""
        asked = [block for part in question for block in paragraphs(part)]
        told = paragraphs(answer)
        for name, blocks in (("question", asked), ("answer", told)):
            if not any(mark.isalnum() for block in blocks for mark in block.text):
                raise NoPair(f"its {name} is empty")
        self._room -= sum(len(block.text) for block in [*asked, *told])
        if self._pages and self._pages[-1][0] == place:
            self._pages[-1][1].extend([*asked, *told])
        else:
            self._pages.append((place, [*asked, *told]))

    def leave_out(self, place: int, fault: NoPair) -> None:
        """A place that holds no pair."""
        self._left_out.append((place, str(fault)))
        if isinstance(fault, OtherData):
            self._other = self._other or f"{place}: {fault}"

    @property
    def is_full(self) -> bool:
        """Whether more text has come than is read of any file."""
        return self._room < 0

    def reading(self, unit: Unit, size: int, warnings: Iterable[str], reader: str) -> Reading:
        """All of them, of a file of `size`. Raises Unreadable if there is none, or none that a person could read."""
        told = [f"{unit} {place} was left out: {why}" for place, why in self._left_out]
        if not self._pages and self._other:
            raise holds_no_pairs(f"{unit} {self._other}", size)
        if not self._pages and told:
            raise Unreadable("damaged", f"no {unit} of it holds a pair that can be read: {told[0]}", size)
        if not self._pages:
            raise Unreadable("empty", f"it names a question and an answer, and there is no {unit} with one", size)
        if is_gibberish("\n".join(block.text for _, blocks in self._pages[:500] for block in blocks)[:_JUDGED]):
            raise Unreadable("gibberish", "its characters make no words in any language", size)
        if len(told) > _MOST_NAMED:
            told[_MOST_NAMED:] = [f"{len(told) - _MOST_NAMED} more {unit}s were left out for the like"]
        return Reading(self._pages, [*warnings, *told], reader, size, unit)
