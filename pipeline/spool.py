"""A spool: what streams by, waiting on disk in packed blocks until all of it has been seen."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import zstandard
from pydantic import TypeAdapter

from pipeline.files import blaming

Item = TypeVar("Item")


class Spool(Generic[Item]):
    """Models of one kind, written once and read as often as wanted. Use it as a context manager.

    The file has no name in its folder, so it is gone when the process is, however that ends. Memory holds one block,
    and eight bytes for each. Raises CannotWrite.
    """

    def __init__(self, folder: Path, kind: Any) -> None:
        self._folder = folder
        self._blocks = TypeAdapter(list[kind])
        self._packer, self._unpacker = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
        self._ends = array("Q", [0])
        with blaming(folder):
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".spool-", suffix=".aside")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be flushed is not wanted any more
            self._file.close()

    @property
    def blocks(self) -> int:
        """How many there are."""
        return len(self._ends) - 1

    def add(self, block: Sequence[Item]) -> None:
        """Append a block, to be read as one."""
        packed = self._packer.compress(self._blocks.dump_json(list(block)))
        with blaming(self._folder):
            self._file.seek(self._ends[-1])
            self._file.write(packed)
        self._ends.append(self._ends[-1] + len(packed))

    def read(self, numbers: Iterable[int]) -> Iterator[Item]:
        """The items of some blocks, in the order asked for."""
        with blaming(self._folder):
            self._file.flush()
        for number in numbers:
            self._file.seek(self._ends[number])
            packed = self._file.read(self._ends[number + 1] - self._ends[number])
            yield from self._blocks.validate_json(self._unpacker.decompress(packed))

    def __iter__(self) -> Iterator[Item]:
        return self.read(range(self.blocks))
