"""The verb examine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.progress import ProgressLine


def examine(
    student: Annotated[Path, typer.Argument(help="A folder under students/.", show_default=False)],
    samples: Annotated[
        int, typer.Option(min=0, help="Draw so many answers to each question, 20 or more: is one of five right?")
    ] = 0,
    forgetting: Annotated[
        bool, typer.Option("--forgetting", help="Read general English before and after training.")
    ] = False,
    with_context: Annotated[
        bool, typer.Option("--with-context", help="Ask once more with the words of the document shown.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, help="Questions of a slice; of more, so many by lot.")] = 1000,
    again: Annotated[bool, typer.Option("--again", help="Do it even if it was done before on the same data.")] = False,
) -> None:
    """Let a student and its base answer the dataset's questions, and compare them."""
    from train.examination.examine import examine_student
    from train.examination.page import page
    from train.examination.record import Wanted

    wanted = Wanted(samples=samples, forgetting=forgetting, with_context=with_context, most=most)
    with ProgressLine() as progress:
        examination = examine_student(student, again, progress.say, progress, wanted)
    typer.echo(page(examination), nl=False)
