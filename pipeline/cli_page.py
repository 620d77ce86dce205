"""The verb review: the sheets as a page in a browser on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.cli_options import OUTPUTS, Out, Recipe


def review(
    recipe: Recipe,
    out: Out = OUTPUTS,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Judge records in a browser, by keyboard. Served to this machine alone; writes the same sheets as an editor."""
    from pipeline.recipe import load_recipe
    from pipeline.reviewing.serving import open_review

    judged: set[str] = set()
    server = open_review(load_recipe(recipe), out, port, judged.add, lambda line: typer.echo(line, err=True))
    typer.echo(f"review page: {server.address}")
    typer.echo("It ends with Ctrl-C. Whoever knows the address can change the sheets.", err=True)
    sys.stdout.flush()
    if browser and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(server.address)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        typer.echo("")
    finally:
        server.server_close()
    typer.echo(f"{len(judged)} lines were changed; the next run goes by them.")
