"""Opens the review page of one dataset and serves it until a person has done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.desk.laid import Laid
from pipeline.errors import CannotWrite, InputError
from pipeline.material import Say, gather
from pipeline.recipe import Loaded
from pipeline.reviewing.lines import Seen, Sheets
from pipeline.reviewing.passages import Passages
from pipeline.reviewing.server import ReviewServer
from pipeline.teacher.ledger import Ledger


def open_review(loaded: Loaded, out: Path, port: int, judged: Callable[[str], None], say: Say) -> ReviewServer:
    """The server, bound to its port and not serving yet. Raises InputError without a sheet, CannotWrite without a port.

    The ledger is only read at the start, so that a run may go on meanwhile.
    """
    folder = out / loaded.recipe.name
    sheets = Sheets(folder / "review")
    ids = [seen.line["id"] for seen in sheets.lines() if isinstance(seen, Seen)]
    if not ids:
        raise InputError(f"no sheet lies in {sheets.folder}.", remedy="`coursework run` lays one down.")
    with Ledger.look(folder) as ledger:
        records = Laid(ledger).records(ids)
    passages = gather(loaded, say).passages if loaded.recipe.documents else {}
    try:
        return ReviewServer(loaded.recipe.name, sheets, Passages(records, passages), port, judged)
    except OSError as fault:
        raise CannotWrite(f"port {port}: {fault.strerror}.", remedy="Name another with --port, or 0 for any.") from None
