"""Results of a batch that are no reply of ours, kept word for word in a file: somebody may have paid for them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pipeline.files import aside_of, blaming, sync_folder


class Unclaimed:
    """The file appears whole, when `finish` is called, and only if there is a line for it. Use it as a context manager.

    Every method raises CannotWrite.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            with suppress(OSError):
                aside_of(self.path).unlink(missing_ok=True)

    def keep(self, line: bytes) -> None:
        """Add a line as it came."""
        with blaming(self.path):
            if self._file is None:
                self._file = aside_of(self.path).open("wb")
            self._file.write(line.rstrip(b"\n") + b"\n")

    def finish(self) -> bool:
        """Give the file its name; False if nothing was kept."""
        if self._file is None:
            return False
        with blaming(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            aside_of(self.path).replace(self.path)
            sync_folder(self.path.parent)
        self._file = None
        return True
