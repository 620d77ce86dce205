"""The processes that train one student together, as `accelerate launch` or torchrun starts them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pipeline.errors import UsageError
from train.files import appearing_whole


def processes() -> int:
    """How many train this student."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this one is the one that writes and speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def rows_for_each(batch: int) -> int:
    """Rows of an optimiser step that one process takes. Raises UsageError if they do not part evenly: the steps would
    be larger or smaller than the settings say, and the student another one."""
    each, rest = divmod(batch, processes())
    if rest:
        raise UsageError(
            f"student.batch is {batch}, which {processes()} processes cannot share evenly.",
            remedy=f"Make it a multiple of {processes()}, or start another number of processes.",
        )
    return each


def folder_to_fill(home: Path) -> AbstractContextManager[Path]:
    """The folder that becomes `home` when all went well; for any process but the main one a folder of its own that is
    thrown away."""
    return appearing_whole(home) if is_main() else _thrown_away()


@contextmanager
def _thrown_away() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
