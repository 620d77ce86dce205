"""What an error means to whoever called; the traceback of one of ours goes to a file, and one line says where."""

from __future__ import annotations

import errno
import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline import __version__
from pipeline.errors import CannotWrite, CourseworkError, Interrupted

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EPIPE})
"""What the system says where the fault is of a disk, or of whoever was to read the output."""
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""A variable whose name ends so holds what nobody else may read."""
_SHORTEST = 5
"""A shorter value would be blotted out of every other word."""


def meant(error: BaseException, folder: Path, environment: Mapping[str, str]) -> CourseworkError:
    """An error as one of ours. What nobody foresaw is written down in `folder`, as `report` does it. Never raises."""
    if isinstance(error, CourseworkError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("interrupted; nothing that was kept is lost.", remedy="Run the same command again.")
    if isinstance(error, OSError) and error.errno in _DISK:
        return CannotWrite(
            f"{error.filename or 'the output'}: {error.strerror}.", remedy="Mend that, then run the same command again."
        )
    return CourseworkError(report(error, folder, environment))


def report(error: BaseException, folder: Path, environment: Mapping[str, str]) -> str:
    """Write down what happened, in `folder` if it is there, else where temporary files go; the line to say.

    Never raises: whoever calls has nothing left to fall back on.
    """
    page = redacted("\n".join(_page(error)), environment)
    last = traceback.format_exception_only(error)[-1].strip().split("\n")[0]
    what = redacted(last, environment)[:200]
    for place in (folder, Path(tempfile.gettempdir())):
        with suppress(OSError):
            return f"a bug of ours: {what}. The traceback is in {_written(place, page)}; please report it."
    return f"a bug of ours: {what}. Its traceback could be written nowhere."


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """The text without the values of variables that hold secrets."""
    for value in _secrets(environment):
        text = text.replace(value, "[secret]")
    return text


def _secrets(environment: Mapping[str, str]) -> list[str]:
    """Longest first, for one may be a part of another."""
    found = {value.strip() for name, value in environment.items() if name.upper().endswith(_SECRET)}
    return sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True)


def _page(error: BaseException) -> Iterable[str]:
    yield f"coursework {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield f"command: coursework {shlex.join(sys.argv[1:])}"
    yield ""
    yield "".join(traceback.format_exception(error))


def _written(folder: Path, page: str) -> Path:
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    # The process number, for two commands may fall in one second.
    path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
        file.write(page)
    return path
