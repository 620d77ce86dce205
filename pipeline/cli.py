"""The verbs of the command line: parses, calls, prints; decides nothing."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipeline import cli_export, cli_page, cli_run
from pipeline.cli_options import OUTPUTS, Accept, Model, Out, Recipe, outputs_noted
from pipeline.errors import EXIT_CODES, CourseworkError, InputError, Interrupted, TryAgainLater, UsageError
from pipeline.mishap import meant

if TYPE_CHECKING:
    from pipeline.run import Plan

TRAIN_VERBS = ("fit", "train", "examine", "chat", "merge", "gguf", "push", "compare", "pretrain", "sweep", "curve")
REVIEW_VERBS = ("check", "rule")


class _Verbs(TyperGroup):
    """The verbs of `train/` and the rehearsal are looked up there only when one is called or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *REVIEW_VERBS, "rehearse", *TRAIN_VERBS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in TRAIN_VERBS:
            from train.cli import app as verbs

            group: Any = typer.main.get_command(verbs)
            return group.get_command(ctx, cmd_name)
        if cmd_name in REVIEW_VERBS:
            from pipeline.cli_review import app as reviewing

            group = typer.main.get_command(reviewing)
            return group.get_command(ctx, cmd_name)
        if cmd_name == "rehearse":
            from pipeline.teacher.rehearsal.options import rehearse

            alone = typer.Typer(add_completion=False)
            alone.command("rehearse")(rehearse)
            return typer.main.get_command(alone)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_Verbs,
    help="Turns documents and personas into fine-tuning data for small language models, trains and examines them.",
    # The \b keeps its lines as they are.
    epilog="\n".join(["\b", "Exit codes:", *(f"{code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())]),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(cli_run.run)
app.command()(cli_run.reparse)
app.command()(cli_page.review)


@app.command()
def plan(recipe: Recipe, out: Out = OUTPUTS, model: Model = "", accept_changes: Accept = False) -> None:
    """Say what a run would ask, and what that would cost. Calls nothing."""
    from pipeline.recipe import load_recipe
    from pipeline.run import Options
    from pipeline.run import plan as plan_run

    for line in _plan_lines(plan_run(load_recipe(recipe), Options(out, model, accept_changes), typer.echo)):
        typer.echo(line)


def _plan_lines(found: Plan) -> list[str]:
    lines = [f"teacher: {found.teacher}", f"passages: {len(found.sources.passages)}"]
    for kind, (planned, answered) in found.by_kind.items():
        lines.append(f"{planned:>6} {kind}, {answered} already answered")
    if found.follow:
        lines.append(f"{found.follow:>6} more will follow from the replies (not in the estimate below)")
    if found.waiting:
        lines.append(f"{found.waiting:>6} wait in a batch and are not asked again")
    if found.changes:
        lines.append(
            f"{found.changes} requests have changed since they were paid; --accept-changes replaces their replies:"
            f" {_dollars(found.changes_usd)}"
        )
    read, written = found.input_tokens, found.output_tokens
    lines.append(f"new: about {read:,} tokens to read, at most about {written:,} to write; {_dollars(found.usd)}")
    return lines


def _dollars(usd: float | None) -> str:
    if usd is None:
        return "price unknown (add the model to prices.yaml, or teacher.usd_per_million to the recipe)"
    return f"about {usd:.2f} USD" if usd else "free"


app.command()(cli_run.status)


@app.command()
def read(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Documents, folders or globs; without any, the recipe's."),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="Read as this recipe's documents: section says.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the cleaned passages with their pages.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each file.")] = False,
) -> None:
    """Show what the pipeline sees of documents: fate, reader, pages, passages, warnings. Asks nobody."""
    from pipeline.reading import see

    if not (files or recipe) or (text and as_json):
        raise UsageError("read: expected FILE... or --recipe, and not both --text and --json.")
    fates = []
    for seen in see(files or (), recipe):
        fates.append(seen.fate)
        for line in [seen.json] if as_json else [*seen.lines(), *(seen.text() if text else ())]:
            typer.echo(line)
    unread = sum(fate != "read" for fate in fates)
    if unread:
        raise InputError(f"{unread} of {len(fates)} files were not read; each is named with its cause.")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A folder such as outputs/communication.")],
) -> None:
    """Prove that an outputs folder is whole: ledger, review sheets, dataset. Changes nothing."""
    from pipeline.verify import verify as prove

    found = prove(folder, typer.echo)
    if found.problems:
        raise InputError(f"{folder}: {found}.", remedy="The next run rebuilds all but the ledger and the sheets.")
    typer.echo(f"{folder}: {found}")


@app.command()
def why(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A record's id, a request's key or its beginning, or a line such as rejected.jsonl:3.",
            show_default=False,
        ),
    ],
    recipe: Annotated[
        Path | None, typer.Argument(metavar="[RECIPE]", help="Else those in recipes/ are asked.", show_default=False)
    ] = None,
    out: Out = OUTPUTS,
    model: Model = "",
) -> None:
    """Tell a draft's whole story: source, prompt, teacher, cost, every check's figure, fate. Changes nothing."""
    from pipeline.why import why as tell

    recipes = [recipe] if recipe else sorted(Path("recipes").glob("*.yaml"))
    for line in tell(name, recipes, out, model, lambda warning: typer.echo(warning, err=True)):
        typer.echo(line)


@app.command()
def improve(
    recipe: Recipe,
    out: Out = OUTPUTS,
    student: Annotated[
        str, typer.Option("--student", help="Its name or folder; else the one examined last.", show_default=False)
    ] = "",
    wordings: Annotated[int, typer.Option("--wordings", min=1, max=40, help="More of them of each weak fact.")] = 4,
    facts: Annotated[
        int | None, typer.Option("--facts", min=1, help="At most so many, the weakest first.", show_default=False)
    ] = None,
) -> None:
    """Read an examination, and wish for more wordings of the facts that were answered wrongly. Asks nobody."""
    from pipeline.improve import Limits
    from pipeline.improve import improve as find
    from pipeline.recipe import load_recipe

    for line in find(load_recipe(recipe), out, student, Limits(wordings, facts)):
        typer.echo(line)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet, or is empty.")],
) -> None:
    """Make a workspace with a recipe, prompts, personas and a sample of one's own."""
    from pipeline.workspace import make_workspace

    for line in make_workspace(folder):
        typer.echo(line)


app.command()(cli_export.export)
app.command()(cli_export.check_openai)


def main() -> None:
    """The command `coursework`. Ends with the exit code of what went wrong, after one line that says it."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as end:  # Typer's, after Ctrl-C, and without a word
        if end.code != Interrupted.exit_code:
            raise
        _end(meant(KeyboardInterrupt(), outputs_noted[-1], os.environ))
    except Exception as error:  # noqa: BLE001 - there is nobody above: it is written down, and the exit code says so
        _end(meant(error, outputs_noted[-1], os.environ))


def _end(fault: CourseworkError) -> NoReturn:
    """One line, and out. What stdout could not take is let go, or Python would try it again on its way out."""
    with suppress(OSError):
        typer.echo(f"coursework: {fault}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(fault.exit_code)


def _terminated(*_: object) -> None:
    raise TryAgainLater(
        "stopped by SIGTERM; nothing that was kept is lost.", remedy="Run the same command again.", cause="stopped"
    )
