"""The verbs of the training stage: fit, train, examine, chat and what carries a student out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.devices import is_main
from train.progress import ProgressLine, Say, no_progress
from train.settings import settings_in
from train.verbs import chat, fit, outward, pretrain, sweep
from train.verbs.examine import examine

app = typer.Typer(help="Train a student on a dataset, examine it, talk to it.", no_args_is_help=True)
Again = Annotated[bool, typer.Option("--again", help="Do it even if it was done before on the same data.")]


@app.command("train")
def train(
    target: fit.Target,
    out: Annotated[
        Path | None,
        typer.Option(help="With a recipe: the folder of outputs, as for run. With a dataset: where students go."),
    ] = None,
    student: fit.Named = None,
    again: Again = False,
) -> None:
    """Train the student that the recipe or the dataset asks for."""
    from train.sft import train_student

    dataset, settings = fit.wanted(target, out or Path("outputs"), student)
    students = out if target.is_dir() else None
    with ProgressLine() as progress:
        home = train_student(dataset, settings, students, again, progress.say, progress)
    if is_main():
        typer.echo(str(home))


def train_and_examine(recipe: Path, dataset: Path, say: Say = typer.echo, quiet: bool = False) -> None:
    """The end of `coursework run --train`: the recipe's student on the dataset it has just published."""
    from train.examination.examine import examine_student
    from train.examination.page import summary
    from train.sft import train_student

    _, settings = settings_in(recipe)
    with ProgressLine() as drawn:
        # In a quiet night there is neither a sentence nor a line to draw.
        tell, progress = (say, no_progress) if quiet else (drawn.say, drawn)
        home = train_student(dataset, settings, None, False, tell, progress)
        examination = examine_student(home, False, tell, progress)
    say(summary(examination))
    say(f"student: {home}\nexamination: {home / 'examination.html'}")


app.command("examine")(examine)


app.command("chat")(chat.chat)
app.command("fit")(fit.fit)
app.command("merge")(outward.merge)
app.command("gguf")(outward.gguf)
app.command("pretrain")(pretrain.pretrain)
app.command("sweep")(sweep.sweep)
app.command("curve")(sweep.curve)
app.command("push")(outward.push)
app.command("compare")(outward.compare)
