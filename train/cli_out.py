"""The verbs that carry a student out to the world: merge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.progress import ProgressLine

StudentFolder = Annotated[Path, typer.Argument(metavar="STUDENT", help="A folder under students/.", show_default=False)]


def merge(
    student: StudentFolder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the merged model; without it, merged in the student's.")
    ] = None,
) -> None:
    """Merge an adapter into its base, and prove that the merged model answers as the student does."""
    from train.merge import merge_student

    with ProgressLine() as progress:
        home = merge_student(student, out, progress.say, progress)
    typer.echo(str(home))
