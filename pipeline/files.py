"""Files appear whole: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.crash import passing
from pipeline.errors import CannotWrite, TryAgainLater

_ASIDE = ".{}.aside"
_MEBIBYTE = 1024 * 1024
_encoded = json.JSONEncoder(ensure_ascii=False).encode

Model = TypeVar("Model", bound=BaseModel)


def sha256(content: bytes) -> str:
    """Hex digest of a file's content."""
    return hashlib.sha256(content).hexdigest()


def json_line(item: BaseModel) -> bytes:
    """The model on one line, as UTF-8 without escapes, so that every language is readable in an editor."""
    return f"{_encoded(item.model_dump(mode='json'))}\n".encode()


class BadLine(NamedTuple):
    """A line that does not hold what it should."""

    number: int
    """From 1."""
    fault: str
    """The first thing that is wrong, with the field it is wrong in."""


def read_json_lines(path: Path, model: type[Model]) -> Iterator[tuple[int, Model] | BadLine]:
    """Line number and model of each line, streamed; a bad line is told in its place, and the others go on.

    What editors leave behind is no fault: a byte order mark, blank lines, CRLF. Lines end at line feeds only, for
    a text may hold U+2028.
    """
    validated = model.__pydantic_validator__.validate_json
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            try:
                yield number, validated(text)
            except ValidationError as fault:
                if text.strip():
                    yield BadLine(number, _first(fault))


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, error["loc"]))
    return f"{where + ': ' if where else ''}{error['msg']}."


class Writing:
    """A file that grows aside and takes its name at `finish`; a reader sees the old one or the new one, never a part.

    As long as what is written is what the file already holds, nothing is written at all. Use it as a context
    manager: left without `finish`, or with an error, it leaves the old file untouched. Raises CannotWrite.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._old: IO[bytes] | None = None
        self._new: IO[bytes] | None = None
        self._length = 0
        self._flushed = False
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        with blaming(self.path):
            if self.path.exists():
                self._old = self.path.open("rb")
            else:
                self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            if self._old is not None:
                self._old.close()
            if self._new is not None:
                self._new.close()
        with suppress(OSError):
            aside_of(self.path).unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Hex digest of what was written so far."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Append."""
        with blaming(self.path):
            if self._new is None and not self._stands_there(content):
                self._begin()
            if self._new is not None:
                self._new.write(content)
        self._length += len(content)
        self._digest.update(content)

    def flush(self) -> None:
        """Put what was written on the disk, still aside: after this nothing fails for want of room."""
        with blaming(self.path):
            if self._new is None and not self._ends_there():
                self._begin()
            if self._new is not None and not self._flushed:
                passing("file-half-written")
                self._new.flush()
                os.fsync(self._new.fileno())
                self._flushed = True
                passing("file-written-aside")

    def finish(self) -> bool:
        """The file takes its name, flushed to the disk. False if it was there already."""
        self.flush()
        if self._new is None:
            return False
        with blaming(self.path):
            self._new.close()
            aside_of(self.path).replace(self.path)
            passing("file-renamed")
            sync_folder(self.path.parent)
        return True

    def _stands_there(self, content: bytes) -> bool:
        return self._old is not None and self._old.read(len(content)) == content

    def _ends_there(self) -> bool:
        return self._old is not None and not self._old.read(1)

    def _begin(self) -> None:
        """Aside, with what the old file has in common with the new one so far."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._new = aside_of(self.path).open("wb")
        if self._old is None:
            return
        self._old.seek(0)
        for start in range(0, self._length, _MEBIBYTE):
            self._new.write(self._old.read(min(_MEBIBYTE, self._length - start)))


def write_whole(path: Path, content: bytes) -> bool:
    """Put `content` at `path`, whole. False if it was there already. Raises CannotWrite."""
    with Writing(path) as file:
        file.write(content)
        return file.finish()


def write_folder(
    folder: Path,
    chunks: Iterable[tuple[str, bytes]],
    closing: Callable[[Mapping[str, str]], Mapping[str, bytes]],
    last: str,
) -> bool:
    """Make a folder hold the files of which these are the chunks, each file name with the next bytes of its content.

    `closing` is told the files' hashes and gives the small files that speak of them; of these the one named `last` is
    written last, for it vouches for the rest. All that is streamed is on the disk before the first file takes its
    name; files of an earlier publication that are not among them are removed then. False if nothing changed.
    """
    with ExitStack() as stack:
        files: dict[str, Writing] = {}
        for name, chunk in chunks:
            if name not in files:
                files[name] = stack.enter_context(Writing(folder / name))
            files[name].write(chunk)
        small = closing({name: file.sha256 for name, file in files.items()})
        for name, content in small.items():
            files[name] = stack.enter_context(Writing(folder / name))
            files[name].write(content)
        for file in files.values():
            file.flush()
        changed = _remove_strays(folder, files)
        for name in sorted(files, key=lambda name: (name == last, name)):
            if name == last:
                passing("all-but-the-last-file-written")
            changed |= files[name].finish()
    return changed


@contextmanager
def replaced_whole(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` when the block ends without an error.

    A process killed on the way leaves the old folder, or (between two renames) none and the new one aside; never a
    mixture. Raises TryAgainLater while another process fills it, CannotWrite if the disk refuses.
    """
    aside, old = aside_of(folder), folder.with_name(f".{folder.name}.replaced")
    with _alone(folder.with_name(f".{folder.name}.lock")):
        try:
            with blaming(folder):
                for left in (aside, old):
                    shutil.rmtree(left, ignore_errors=True)
                aside.mkdir(parents=True)
            yield aside
            with blaming(folder):
                if folder.exists():
                    folder.rename(old)
                passing("export-between-two-renames")
                try:
                    aside.rename(folder)
                except OSError:
                    if old.exists():
                        old.rename(folder)
                    raise
                sync_folder(folder.parent)
        finally:
            for left in (aside, old):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock that dies with its holder."""
    with blaming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainLater(
                f"{path}: another process is at work here.", remedy="Wait for it to end.", cause="locked"
            ) from None
        yield


def _remove_strays(folder: Path, wanted: Mapping[str, Writing]) -> bool:
    removed = False
    with blaming(folder):
        asides = {aside_of(folder / name).name for name in wanted}
        for stray in sorted(folder.iterdir()):
            if stray.is_file() and stray.name not in wanted and stray.name not in asides:
                stray.unlink()
                passing("stray-file-removed")
                removed = True
    return removed


def aside_of(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    return path.with_name(_ASIDE.format(path.name))


def unfinished(folder: Path, name: str = "*") -> Iterator[Path]:
    """What a killed process left half-written in a folder, of the file called `name` or of any."""
    return folder.glob(_ASIDE.format(name) + "*")  # SQLite appends to the name for files of its own


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written. Only for whoever holds the folder's lock. Raises CannotWrite."""
    with blaming(folder):
        for left in unfinished(folder):
            left.unlink(missing_ok=True)


@contextmanager
def blaming(path: Path, remedy: str = "Free space or mend permissions there; nothing was lost.") -> Iterator[None]:
    """Says of whatever the system refuses within that `path` cannot be written. Raises CannotWrite."""
    try:
        yield
    except FileExistsError as fault:
        raise CannotWrite(
            f"{fault.filename or path}: a file stands where a folder should be.", remedy=remedy
        ) from fault
    except OSError as fault:
        raise CannotWrite(f"{path}: {fault.strerror}.", remedy=remedy) from fault


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk: a rename is there only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
