"""The verbs of the review: check, rule."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli_options import OUTPUTS, Model, Out, Recipe
from pipeline.errors import InputError

app = typer.Typer(add_completion=False)
rules = typer.Typer(help="Corrections that a person makes often, made on every record by name.", no_args_is_help=True)
app.add_typer(rules, name="rule")

Format = Literal["text", "github", "json"]
Name = Annotated[str, typer.Argument(help="The rule's.", metavar="NAME", show_default=False)]


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sheets, or folders such as outputs/mine.")],
    form: Annotated[
        Format, typer.Option("--format", help="text: file:line:column: what; github: annotations; json: a line each.")
    ] = "text",
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever a sheet is saved.")] = False,
) -> None:
    """Find what is wrong with review sheets: each problem with its file, line and column. Changes nothing."""
    from pipeline.desk.checking import find_sheets
    from pipeline.desk.watching import changes

    sheets = find_sheets(files)
    if not watch:
        if told := _check(sheets, form):
            raise InputError(f"{told}.")
        return
    for now in changes(lambda: [*sheets, *find_sheets([one for one in files if one.is_dir()], none=True)]):
        # In these words vscode/tasks.json knows where a round begins and ends.
        typer.echo("checking the sheets", err=True)
        typer.echo(f"checked: {_check(now, form) or 'nothing is wrong'}", err=True)


def _check(sheets: Sequence[Path], form: Format) -> str:
    """Print what is wrong. Returns what was counted, or nothing if nothing is wrong."""
    from pipeline.desk.checking import Checked
    from pipeline.desk.checking import check as find
    from pipeline.review.telling import TELLING

    counts, tell = Checked(), TELLING[form]
    for problem in find(sheets, counts):
        for line in tell(problem.path, problem.fault):
            typer.echo(line)
    sys.stdout.flush()
    for told in counts.blind:
        typer.echo(told, err=True)
    return str(counts) if counts.problems else ""


@rules.command("add")
def add(  # noqa: PLR0913, PLR0917 - an option each
    name: Name,
    recipe: Recipe,
    replace: Annotated[str, typer.Option("--replace", help="The words to replace, to the letter.", show_default=False)],
    by: Annotated[str, typer.Option("--with", help="What stands there then; may be empty.", show_default=False)],
    regex: Annotated[
        bool, typer.Option("--regex", help="--replace is a regular expression; \\1 in --with is its first group.")
    ] = False,
    on: Annotated[Literal["question", "answer", "both"], typer.Option(help="Where it is made.")] = "both",
    yes: Annotated[bool, typer.Option("--yes", help="Store it without a question.")] = False,
    out: Out = OUTPUTS,
    model: Model = "",
) -> None:
    """Show as a diff what a rule would change in the dataset, then store it: every later run makes it."""
    from pipeline.recipe import load_recipe
    from pipeline.review.rules import FILE, add_rule, make_rule
    from pipeline.ruling import Preview, preview

    rule = make_rule(name=name, replace=replace, by=by, regex=regex, where=on)
    loaded, counts = load_recipe(recipe), Preview()
    for touched in preview(rule, loaded, out, model, counts, _warn):
        for line in touched.lines():
            typer.echo(line)
    typer.echo(f"{name}: {counts}")
    folder = out / loaded.recipe.name / "review"
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    if yes or (asked and typer.confirm("Store it?")):
        add_rule(folder, rule)
        typer.echo(f"stored in {folder / FILE}; the next run makes it")
    else:
        typer.echo("not stored" if asked else "not stored; say --yes to store it")


@rules.command("list")
def list_rules(recipe: Recipe, out: Out = OUTPUTS) -> None:
    """List the rules of a dataset, in the order in which they are made."""
    from pipeline.recipe import load_recipe
    from pipeline.review.rules import read_rules

    for rule in read_rules(out / load_recipe(recipe).recipe.name / "review"):
        how = " (regular expression)" if rule.regex else ""
        typer.echo(f"{rule.name}: {rule.replace!r} becomes {rule.by!r} in {_places(rule.where)}{how}")


@rules.command("undo")
def undo(name: Name, recipe: Recipe, out: Out = OUTPUTS) -> None:
    """Take a rule back: the next run makes every text as it was without it."""
    from pipeline.recipe import load_recipe
    from pipeline.review.rules import FILE, undo_rule

    folder = out / load_recipe(recipe).recipe.name / "review"
    rule = undo_rule(folder, name)
    typer.echo(f"{name} is out of {folder / FILE}: {rule.replace!r} stays {rule.replace!r} from the next run on")


@rules.command("suggest")
def suggest(
    recipe: Recipe,
    least: Annotated[int, typer.Option("--least", min=2, help="Edits that make the same correction.")] = 3,
    out: Out = OUTPUTS,
) -> None:
    """Suggest rules from corrections that recur among the edits on the sheets."""
    from pipeline.recipe import load_recipe
    from pipeline.ruling import suggest as find

    told = False
    for found, reach in find(load_recipe(recipe), out, least):
        told = True
        slug = re.sub(r"\W+", "-", f"{found.replace} {found.by}".casefold()).strip("-_")[:40].strip("-_") or "rule"
        command = ["coursework", "rule", "add", slug, str(recipe), "--replace", found.replace, "--with", found.by]
        command += [] if found.where == "both" else ["--on", found.where]
        command += [] if out == OUTPUTS else ["--out", str(out)]
        typer.echo(f"{len(found.ids)} edits put {found.by!r} in place of {found.replace!r} in {_places(found.where)};")
        typer.echo(f"  {reach} other lines would be changed too: {shlex.join(command)}")
    if not told:
        typer.echo(f"no correction recurs in {least} edits")


def _places(on: str) -> str:
    return "questions and answers" if on == "both" else f"{on}s"


def _warn(line: str) -> None:
    typer.echo(line, err=True)
