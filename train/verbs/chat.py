"""The verb chat: a student in the browser of this machine, in the terminal, or packed for a Space."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError


def chat(  # noqa: PLR0913, PLR0917 - an option each
    student: Annotated[Path, typer.Argument(help="A folder under students/.", show_default=False)],
    base: Annotated[
        bool, typer.Option("--base", help="Ask the model it was trained from; on the page, beside.")
    ] = False,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Ask here, not on a page; also where questions come from a pipe.")
    ] = False,
    server: Annotated[
        str, typer.Option(help="A llama.cpp server that holds the student, such as http://127.0.0.1:8080.")
    ] = "",
    base_server: Annotated[str, typer.Option(help="Another that holds its base.")] = "",
    speech: Annotated[
        str, typer.Option(help="A Whisper model that hears questions: a folder, or a name to fetch from the hub.")
    ] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Of the page; else 7860 or any that is free.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    space: Annotated[
        Path | None, typer.Option(help="Write a folder for a Hugging Face Space instead; nothing is sent.")
    ] = None,
    hub: Annotated[str, typer.Option(help="With --space: the student's name on the hub, instead of its files.")] = "",
    documents: Annotated[
        bool, typer.Option("--documents", help="With --space: the passages of the dataset too; they become public.")
    ] = False,
) -> None:
    """Talk to a student on a page in the browser of this machine; questions may come from a pipe."""
    if space is not None:
        _no_such("--space", {"--base": base, "--terminal": terminal, "--server": server, "--base-server": base_server})
        from train.chat.space import write_space

        write_space(student, space, hub, documents)
        typer.echo(f"{space}: push it to a Space of yours when you have looked at it (docs/chat.md).")
        return
    _no_such("a chat on this machine", {"--hub": hub, "--documents": documents})
    if base_server and not server:
        raise UsageError("--base-server goes with --server.", remedy="Name both, or neither.")
    if terminal or _questions_are_piped():
        _no_such("a chat in the terminal", {"--speech": speech, "--port": port is not None})
        _in_terminal(student, base, server, base_server)
    else:
        _on_page(student, base, (server, base_server), speech, (port, browser))


def _in_terminal(student: Path, base: bool, server: str, base_server: str) -> None:
    from train.chat.turns import chat_in_terminal, open_chat

    found = open_chat(student, server, base_server)
    if base and "base" not in found.voices:
        raise UsageError("--base: the server holds the student alone.", remedy="Name the other with --base-server.")
    chat_in_terminal(found, "base" if base else "student", _questions(), typer.echo)


def _on_page(student: Path, base: bool, servers: tuple[str, str], speech: str, shown: tuple[int | None, bool]) -> None:
    from train.chat.hearing import hears, whisper
    from train.chat.serving import address_of, need_gradio, open_door, serve, uploads_for_a_while
    from train.chat.turns import open_chat

    need_gradio()
    found = open_chat(student, *servers)
    port, browser = shown
    with open_door(port) as door, uploads_for_a_while():
        from train.chat.page import build_page

        page = build_page(found, whisper(speech) if hears() else None, base)
        typer.echo(f"chat page: {address_of(door)}")
        typer.echo("It ends with Ctrl-C. Only this machine reaches it.", err=True)
        sys.stdout.flush()
        if browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(address_of(door))
        serve(page, door)


def _no_such(what: str, options: dict[str, object]) -> None:
    """Raises UsageError for an option that would be read by nobody."""
    for name, given in options.items():
        if given:
            raise UsageError(f"{name} has no meaning for {what}.", remedy="Leave it out.")


def _questions_are_piped() -> bool:
    """Whether stdin brings questions: a pipe, a socket or a file does, a terminal and /dev/null do not."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return True
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _questions() -> Iterator[str]:
    """Lines typed or piped; a prompt sign only for whoever types."""
    typing = sys.stdin.isatty()
    while True:
        if typing:
            typer.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line:
            return
        yield line
