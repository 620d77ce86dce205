"""`python -m pipeline` is the command `coursework`."""

from pipeline.cli import main

main()
