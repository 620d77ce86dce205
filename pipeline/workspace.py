"""A workspace of one's own: recipes, prompts, personas and an editor's settings copied from those shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.errors import CannotWrite, UsageError
from pipeline.recipe import shipped

PRICES = Path(__file__).parent / "teacher" / "prices.yaml"
_PARTS = ("recipes", "prompts", "personas", "samples")


def make_workspace(folder: Path) -> list[str]:
    """Copy the shipped recipes, prompts, personas and sample into a new folder; returns what to do next.

    Raises UsageError if the folder holds anything already, CannotWrite if it cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty.", remedy="Name a new folder: nothing is ever overwritten.")
    try:
        for part in _PARTS:
            shutil.copytree(shipped() / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
        shutil.copytree(shipped() / "vscode", folder / ".vscode")
        shutil.copy(PRICES, folder / "prices.yaml")
    except OSError as fault:
        raise CannotWrite(
            f"{folder}: {fault.strerror}.", remedy="Mend permissions there, or name another folder."
        ) from fault
    return [
        f"{folder} holds {', '.join(f'{part}/' for part in _PARTS)} and .vscode/ for reviewing.",
        f"Put your documents beside the sample, name them in {folder / 'recipes' / 'communication.yaml'}, then:",
        f"  coursework plan {folder / 'recipes' / 'communication.yaml'}",
    ]
