"""The verbs that carry a student out to the world, or hold it against others: merge, gguf, push, compare."""

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
    from train.out.merge import merge_student

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
    from train.out.gguf import Wanted, gguf_of_student
    from train.out.llama_cpp import set_up as make_environment

    if set_up and llama_cpp is None:
        raise UsageError("--set-up makes the environment of a converter: say where with --llama-cpp.")
    with ProgressLine() as progress:
        if set_up and llama_cpp:
            make_environment(llama_cpp, progress.say)
        page = gguf_of_student(student, Wanted(out, llama_cpp, server), progress.say, progress)
    typer.echo(page.read_text(encoding="utf-8"), nl=False)
    typer.echo(str(page.parent))


def push(
    what: Annotated[Path, typer.Argument(metavar="DATASET|STUDENT", help="Either's folder.", show_default=False)],
    repo: Annotated[str, typer.Argument(metavar="REPO", help="OWNER/NAME on the hub.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Upload it; without this word nothing is sent.")] = False,
    public: Annotated[
        bool, typer.Option("--public", help="For everybody; without it the repository is private.")
    ] = False,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="The repository earns nobody anything.")
    ] = False,
    licence: Annotated[str, typer.Option("--licence", help="Of a student, as an SPDX id such as Apache-2.0.")] = "",
) -> None:
    """Show what of a dataset or a student would go to the Hugging Face hub; with --yes, send it."""
    from train.out.push import Terms, check_name, parcel_of, send

    check_name(repo)
    terms = Terms(public, non_commercial, licence)
    with ProgressLine() as progress:
        parcel = parcel_of(what, terms, progress.say, progress)
    typer.echo(f"{parcel.kind} {repo}, {'for everybody' if public else 'private'}:")
    for line in parcel.lines():
        typer.echo(line)
    if not yes:
        typer.echo("Nothing was sent; --yes uploads it.")
        return
    typer.echo(send(parcel, repo, terms))


def compare(  # noqa: PLR0913, PLR0917 - one option each
    students: Annotated[
        list[Path], typer.Argument(metavar="STUDENT...", help="Folders under students/.", show_default=False)
    ],
    base: Annotated[bool, typer.Option("--base", help="The first student's base takes part.")] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="The dataset's own answers take part, as a teacher would.")
    ] = False,
    questions: Annotated[int, typer.Option("--questions", min=1, help="Held-out questions, drawn by lot.")] = 50,
    judge: Annotated[str, typer.Option("--judge", help="Model that decides, in both orders (costs money).")] = "",
    url: Annotated[
        str | None, typer.Option("--url", help="Where the judge is; without it OPENAI_BASE_URL, else OpenAI.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write the pairs for people: FILE.csv or FILE.jsonl, blind.")
    ] = None,
    verdicts: Annotated[
        list[Path] | None, typer.Option("--verdicts", help="A sheet that somebody has judged; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the comparison; without it, compare in the first student's."),
    ] = None,
) -> None:
    """Hold students against each other, pair by pair: by a judge, by people, or by both, in one table."""
    from train.comparison.compare import Wanted, compare_students

    wanted = Wanted(base, reference, questions, judge, url, sheet, tuple(verdicts or ()), out)
    with ProgressLine() as progress:
        page = compare_students(students, wanted, progress.say, progress)
    typer.echo(page.read_text(encoding="utf-8"), nl=False)
    typer.echo(str(page.parent))
