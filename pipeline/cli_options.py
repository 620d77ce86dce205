"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[Path, typer.Argument(help="The recipe: a YAML file.", metavar="RECIPE", show_default=False)]
OUTPUTS = Path("outputs")
outputs_noted = [OUTPUTS]
"""The folder in which the last command works: a bug's traceback goes there."""


def _noted(out: Path) -> Path:
    outputs_noted.append(out)
    return out


Out = Annotated[
    Path,
    typer.Option("--out", help="Folder for outputs; each recipe gets one of its name in it.", callback=_noted),
]
Model = Annotated[str, typer.Option("--model", help="Teacher's model, in place of the recipe's.", show_default=False)]
Accept = Annotated[
    bool, typer.Option("--accept-changes", help="Replace paid replies whose prompt, model or settings have changed.")
]
