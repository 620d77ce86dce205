"""The verbs that carry a student out to the world: merge, gguf."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError
from train.progress import ProgressLine

StudentFolder = Annotated[Path, typer.Argument(metavar="STUDENT", help="A folder under students/.", show_default=False)]


def merge(
    student: StudentFolder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the merged model; without it, merged in the student's.")
    ] = None,
) -> None:
    """Merge an adapter into its base, and prove that the merged model answers as the student does."""
    from train.merge import merge_student

    with ProgressLine() as progress:
        home = merge_student(student, out, progress.say, progress)
    typer.echo(str(home))


def gguf(
    student: StudentFolder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files; without it, gguf in the student's.")
    ] = None,
    llama_cpp: Annotated[
        Path | None,
        typer.Option("--llama-cpp", help="A checkout of llama.cpp, for its converter and llama-quantize."),
    ] = None,
    set_up: Annotated[
        bool, typer.Option("--set-up", help="First install the converter's own packages beside it (downloads them).")
    ] = False,
    server: Annotated[
        str | None, typer.Option("--server", help="Ask the server at this URL, such as http://127.0.0.1:8080/v1.")
    ] = None,
) -> None:
    """Write a student as GGUF files for llama.cpp, and hold twenty of their answers beside the model's."""
    from train.gguf import Wanted, gguf_of_student
    from train.llama_cpp import set_up as make_environment

    if set_up and llama_cpp is None:
        raise UsageError("--set-up makes the environment of a converter: say where with --llama-cpp.")
    with ProgressLine() as progress:
        if set_up and llama_cpp:
            make_environment(llama_cpp, progress.say)
        page = gguf_of_student(student, Wanted(out, llama_cpp, server), progress.say, progress)
    typer.echo(page.read_text(encoding="utf-8"), nl=False)
    typer.echo(str(page.parent))
