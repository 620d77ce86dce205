"""The verbs sweep and curve: many students of one dataset, compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import UsageError
from train.progress import ProgressLine

Target = Annotated[Path, typer.Argument(help="A dataset folder, or a recipe (*.yaml).", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option(help="With a recipe: the folder of outputs, as for run. With a dataset: where students go."),
]


def sweep(
    target: Target,
    settings: Annotated[
        Path, typer.Argument(help="A YAML file with `grid:` or `students:`, and `common:`.", show_default=False)
    ],
    out: Out = None,
) -> None:
    """Train a student for each of a list of settings, examine all, and print one table."""
    from train.results import table
    from train.sweep import sweep as run

    dataset, section, students = _dataset_of(target, out)
    with ProgressLine() as progress:
        folder, found = run(dataset, settings, section, students, progress.say, progress)
    typer.echo(table(found.results), nl=False)
    typer.echo(str(folder / "sweep.md"))


def curve(
    target: Target,
    out: Out = None,
    shares: Annotated[str, typer.Option(help="Per cent of the rows, each share holding the smaller.")] = "10,25,50,100",
    seeds: Annotated[str, typer.Option(help="Each share is trained once with each.")] = "0,1,2",
) -> None:
    """Train on growing shares of the rows, plot the gain, and say whether more data is worth it."""
    from train.curve import curve as run
    from train.curve import page

    dataset, section, students = _dataset_of(target, out)
    plan = (_numbers("--shares", shares), _numbers("--seeds", seeds))
    with ProgressLine() as progress:
        folder, found = run(dataset, section, students, plan, progress.say, progress)
    typer.echo(page(dataset.resolve().parent.name, found), nl=False)
    typer.echo(str(folder / "curve.png"))


def _dataset_of(target: Path, out: Path | None) -> tuple[Path, dict[str, Any] | None, Path | None]:
    """The dataset folder, a recipe's own student section, and where students go if it was said."""
    from pipeline.yamlfile import read_mapping
    from train.settings import settings_in

    if target.is_dir():
        return target, None, out
    if target.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{target} is neither a dataset folder nor a recipe.", remedy="Name one of them.")
    name, settings = settings_in(target)
    # As it was written, so that what follows from another field, such as the rate from the method, still follows.
    section = dict(read_mapping(target).get("student") or {})
    return (out or Path("outputs")) / name / "dataset", {**section, "base": settings.base}, None


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text}: expected whole numbers with commas between them.") from None
