"""The verbs of a night and of the morning after: run, reparse, status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_options import OUTPUTS, Accept, Model, Out, Recipe
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.recipe import Loaded
    from pipeline.recorded import Called
    from pipeline.run import Options
    from pipeline.runlog import Log

Quiet = Annotated[
    bool, typer.Option("--quiet", help="Print nothing when all is well, else one line: cron mails only trouble.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the run's facts as one line of JSON, and nothing else.")]
Metrics = Annotated[
    Path | None, typer.Option("--metrics", help="Write them to FILE for Prometheus too.", metavar="FILE")
]
Notify = Annotated[
    str, typer.Option("--notify", help="Run COMMAND at the end, with that line on its input.", metavar="COMMAND")
]


def run(  # noqa: PLR0913, PLR0917 - an option each
    recipe: Recipe,
    out: Out = OUTPUTS,
    model: Model = "",
    accept_changes: Accept = False,
    deadline: Annotated[
        str, typer.Option("--deadline", help="Stop asking after 90s, 45m or 2h, or at 05:30.", show_default=False)
    ] = "",
    train: Annotated[bool, typer.Option("--train", help="Then train the student and examine it.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    metrics: Metrics = None,
    notify: Notify = "",
) -> None:
    """Make the dataset: ask the teacher what was never asked, check, split, publish."""
    from pipeline.durations import seconds_until
    from pipeline.recorded import Called, Wishes
    from pipeline.run import Options

    options = Options(out, model, accept_changes, seconds_until(deadline) if deadline else None)
    _run(Called("run", recipe, out, Wishes(quiet, as_json, metrics, notify)), options, train)


def reparse(
    recipe: Recipe,
    out: Out = OUTPUTS,
    model: Model = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read the paid replies again with today's parser and checks, and publish. Buys nothing."""
    from pipeline.recorded import Called, Wishes
    from pipeline.run import Options

    _run(Called("reparse", recipe, out, Wishes(quiet, as_json)), Options(out, model, ask=False))


def _run(called: Called, options: Options, train: bool = False) -> None:
    """The stages, and the student after them, on record."""
    from pipeline.recorded import record
    from pipeline.run import run as run_stages
    from pipeline.terminal import drawn

    # Not where the line of JSON goes.
    aside = sys.stderr if called.wishes.as_json else sys.stdout
    say: Callable[[str], None] = partial(typer.echo, file=aside)
    if called.wishes.quiet:
        say = _nothing

    def work(loaded: Loaded, log: Log) -> None:
        with nullcontext(say) if called.wishes.quiet else drawn(log, say, aside) as tell:
            outcome = run_stages(loaded, options, log.noting(tell), log)
        if train and outcome.waiting:
            say("not trained yet: replies are still to come")
        elif train:
            from train.cli import train_and_examine

            log.stage("student")
            train_and_examine(called.recipe, outcome.folder, log.noting(say), called.wishes.quiet)

    record(called, work, typer.echo, partial(typer.echo, err=True))


def _nothing(line: str) -> None:
    """Says nothing, in a quiet night."""


def status(
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RECIPE]...", help="Without any, all in recipes/ and outputs/.", show_default=False),
    ] = None,
    out: Out = OUTPUTS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each dataset.")] = False,
) -> None:
    """Say how datasets stand: last run, what is left, money, lines to review, what is published. Locks nobody out."""
    from pipeline.status import statuses, total

    found = []
    for one in statuses(recipes or [], out):
        found.append(one)
        for line in [one.model_dump_json()] if as_json else one.lines():
            typer.echo(line)
    if not as_json and len(found) > 1:
        typer.echo(total(found))
    if not found:
        raise InputError(
            f"no recipe stands in recipes/ and nothing in {out}/.", remedy="Name recipes, or go to their workspace."
        )
