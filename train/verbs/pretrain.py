"""The verb pretrain: a base of one's own for students that are adapters, made without a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.progress import ProgressLine
from train.settings import StudentSettings


def pretrain(
    folder: Annotated[Path, typer.Argument(help="Where the base goes; `student.base` names it.", show_default=False)],
    text: Annotated[
        list[Path] | None,
        typer.Option("--text", help="A file of plain text, again for more; without any, Python's own manual."),
    ] = None,
    hidden: Annotated[int, typer.Option(help="Width of the base.", min=16)] = 192,
    steps: Annotated[int, typer.Option(help="Optimiser steps, 16 blocks of 128 tokens each.", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="Of weights and order.", min=0)] = 0,
) -> None:
    """Teach a small base plain text, so that an adapter has something to stand beside. Needs no hub."""
    from train.pretrain import Reading, texts_of
    from train.pretrain import pretrain as teach

    reading = Reading(StudentSettings(hidden=hidden, seed=seed), steps)
    with ProgressLine() as progress:
        before, after = teach(texts_of(text or ()), folder, reading, progress.say, progress)
    typer.echo(f"{folder}: loss {before:.2f} at first, {after:.2f} at last")
