"""The verbs that hand a dataset to a trainer: export, and the check of what a service would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import InputError


def export(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A dataset folder, such as outputs/communication/dataset.")
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="trl, messages, alpaca, sharegpt, llama-factory, axolotl, unsloth, oumi, litgpt, openai, dpo, h2o-csv,"
            " parquet; lm-eval or inspect for the slices as tasks.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the export; without it, exports/FORMAT beside the dataset.")
    ] = None,
) -> None:
    """Write a dataset in a trainer's format, with what that trainer needs beside it."""
    from pipeline.exporting import export as write

    folder = write(dataset, form, out, typer.echo)
    typer.echo(f"export: {folder}")


def check_openai(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSONL files to fine-tune on.")],
) -> None:
    """Hold files against the published rules of OpenAI's fine-tuning service, offline. Changes nothing."""
    from pipeline.exporting import openai_faults

    broken = 0
    for file in files:
        kept = True
        for fault in openai_faults(file):
            kept = False
            typer.echo(fault)
        if kept:
            typer.echo(f"{file}: keeps the rules")
        broken += not kept
    if broken:
        raise InputError(f"{broken} of {len(files)} files would not be taken; each line says what and where.")
