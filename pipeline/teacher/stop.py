"""Why an asking ends before everything is asked."""

from __future__ import annotations

from typing import Self


class Stop(str):
    """The reason in words for a person, and in one word for a machine; empty as long as there is none."""

    __slots__ = ("cause",)
    cause: str

    def __new__(cls, words: str = "", cause: str = "") -> Self:
        """Words that go on in a sentence."""
        stop = super().__new__(cls, words)
        stop.cause = cause
        return stop
