"""What is under way, told to whoever called: sentences, and how far a long piece of work has come."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]
"""Told what is under way, how much of it is done and how much there is; it may draw that or not."""


def no_words(line: str) -> None:
    """Says nothing."""


def no_progress(what: str, done: int, total: int) -> None:
    """Draws nothing."""


class ProgressLine:
    """One line on standard error that redraws itself, on a terminal only: a log gets the sentences alone."""

    def __init__(self) -> None:
        self._drawn = False
        self._shown: tuple[str, int] = ("", -1)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draws how far `what` has come, at most once a percent."""
        now = (what, 100 * done // max(1, total))
        if now == self._shown or not sys.stderr.isatty():
            return
        self._shown = now
        self._drawn = True
        typer.echo(f"\r\x1b[K{what}: {done} of {total} ({now[1]} %)", nl=False, err=True)

    def say(self, line: str) -> None:
        """A sentence on a line of its own."""
        self._clear()
        typer.echo(line, err=True)

    def _clear(self) -> None:
        if self._drawn:
            typer.echo("\r\x1b[K", nl=False, err=True)
            self._drawn = False
