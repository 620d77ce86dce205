"""`python -m pipeline.teacher.rehearsal`: the verb `rehearse` alone, for benchmarks and tests."""

import sys

import typer

from pipeline.errors import CourseworkError
from pipeline.teacher.rehearsal.options import rehearse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(rehearse)

try:
    app()
except CourseworkError as error:
    typer.echo(f"rehearsal: {error}", err=True)
    sys.exit(error.exit_code)
