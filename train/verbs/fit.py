"""The verb fit: does a dataset fit a student."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError
from train.settings import StudentSettings, settings_in

Target = Annotated[Path, typer.Argument(help="A dataset folder, or a recipe (*.yaml).", show_default=False)]
Named = Annotated[
    str | None,
    typer.Option(
        "--student",
        help="A preset of train/presets.yaml, a folder, or a name on the hub; else the one the recipe asks for.",
        show_default=False,
    ),
]


def fit(
    target: Target,
    student: Named = None,
    outputs: Annotated[Path, typer.Option(help="With a recipe: the folder of outputs, as for run.")] = Path("outputs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check that a dataset fits a student: lengths, what is taught, where it ends. Nothing is trained."""
    from train.fit_report import page, report_on

    dataset, settings = wanted(target, outputs, student)
    report = report_on(dataset, settings)
    typer.echo(report.model_dump_json(indent=2) + "\n" if as_json else page(report), nl=False)
    fault = report.failed()
    if fault:
        raise fault


def wanted(target: Path, outputs: Path, student: str | None) -> tuple[Path, StudentSettings | None]:
    """The dataset folder, and the student that was named or stands in the recipe; None is the manifest's."""
    from train.presets import student_named

    named = student_named(student) if student else None
    if target.is_dir():
        return target, named
    if target.suffix in (".yaml", ".yml"):
        name, settings = settings_in(target)
        return outputs / name / "dataset", named or settings
    raise UsageError(f"{target} is neither a dataset folder nor a recipe.", remedy="Name one of them.")
