"""The verb `rehearse`: its options are the fields of `Rehearsal`, so that nothing is written twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import typer

from pipeline.teacher.rehearsal.settings import Rehearsal, differing


def _with_options(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the fields of `Rehearsal` as the parameters that typer reads options from."""
    hints = get_type_hints(Rehearsal, include_extras=True)
    fields = inspect.signature(Rehearsal).parameters.values()
    parameters = [one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY) for one in fields]
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in parameters}
    return verb


@_with_options
def rehearse(**options: Any) -> None:
    """Play the teacher on this machine, faults and all, so that a recipe can be tried before a real one is paid."""
    from pipeline.teacher.rehearsal.running import serve

    serve(Rehearsal(**options), lambda url: typer.echo(how_to_use(url)))


def how_to_use(url: str) -> str:
    """One line: the URL, and how a recipe is pointed to it."""
    return f"{url} answers until Ctrl-C: OPENAI_BASE_URL={url} coursework run RECIPE --model rehearsal"


def arguments(settings: Rehearsal) -> list[str]:
    """The command line that makes these settings."""
    words: list[str] = []
    for name, value in differing(settings).items():
        option = f"--{name.replace('_', '-')}"
        words.append(option if value is True else f"{option}={value}")
    return words
