"""How lines become the bytes of a file: JSONL, CSV and Parquet, each streamed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import InputError, UsageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

Line = Mapping[str, object]
Column = Mapping[str, object]
"""A column's name and type as the head of a dataset card writes them."""
_GROUP = 1024
"""Rows of a Parquet row group."""


class Encoding(NamedTuple):
    """A kind of file."""

    suffix: str
    encode: Callable[[Iterable[Line], Sequence[Column]], Iterator[bytes]]
    """The file's bytes. The lines may be gone through more than once."""


def column(name: str, dtype: str = "string") -> Column:
    """A column of plain values."""
    return {"name": name, "dtype": dtype}


def items(name: str, **parts: str) -> Column:
    """A column of lists, each item with these parts."""
    return {"name": name, "list": [column(part, dtype) for part, dtype in parts.items()]}


def item(name: str, **parts: str) -> Column:
    """A column of single items with these parts."""
    return {"name": name, "struct": [column(part, dtype) for part, dtype in parts.items()]}


def _jsonl(lines: Iterable[Line], _: Sequence[Column]) -> Iterator[bytes]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for line in lines:
        yield f"{encode(line)}\n".encode()


def _csv(lines: Iterable[Line], columns: Sequence[Column]) -> Iterator[bytes]:
    """Every value quoted, for a text may hold whatever parts fields and lines.

    A column that no line fills is left out: pandas would take it for numbers. Raises InputError where it would take a
    column of texts for numbers or truth values and write them in another way than they stand there.
    """
    names = [str(each["name"]) for each in columns]
    filled, guesses = set(), {name: _Guess() for name in names}
    for line in lines:
        for name in names:
            if line[name]:
                filled.add(name)
                guesses[name].see(str(line[name]))
    names = [name for name in names if name in filled]
    for name in names:
        if guesses[name].would_change:
            raise InputError(
                f"Every value of {name} looks like a number or a truth value, as in {guesses[name].changed!r}, and "
                "whoever reads the CSV would turn them into such: 3.50 into 3.5, true into True.",
                remedy="Export as parquet, which keeps text as text; H2O LLM Studio reads it too.",
            )
    sink = io.StringIO()
    write = csv.DictWriter(sink, names, quoting=csv.QUOTE_ALL, lineterminator="\n", extrasaction="ignore")
    write.writeheader()
    for line in lines:
        write.writerow(line)
        yield _taken(sink)
    yield _taken(sink)


def _taken(sink: io.StringIO) -> bytes:
    content = sink.getvalue().encode()
    sink.seek(0)
    sink.truncate()
    return content


class _Guess:
    """Whether a reader that guesses types would take a column for numbers or truth values, and spoil it."""

    def __init__(self) -> None:
        self._numbers = self._truths = True
        self.changed = ""

    def see(self, text: str) -> None:
        """One more value of the column."""
        self._truths &= text.lower() in ("true", "false")
        if self._numbers:
            self._numbers = False
            with suppress(ValueError):
                float(text)
                self._numbers = True
        if not self.changed and (self._numbers or self._truths) and text not in ("True", "False", _as_integer(text)):
            self.changed = text

    @property
    def would_change(self) -> bool:
        """Some value would come back different."""
        return bool(self.changed) and (self._numbers or self._truths)


def _as_integer(text: str) -> str:
    return str(int(text)) if text.removeprefix("-").isdecimal() else ""


class _Sink(io.RawIOBase):
    """What a Parquet writer writes into, to be taken away piece by piece."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Buffer) -> int:
        taken = bytes(content)
        self._waiting += taken
        self._length += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._length

    def taken(self) -> bytes:
        """What was written since the last time."""
        content = bytes(self._waiting)
        self._waiting.clear()
        return content


def _parquet(lines: Iterable[Line], columns: Sequence[Column]) -> Iterator[bytes]:
    """Raises UsageError if pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy='Install it with: pip install "coursework[mix]"'
        )
    import pyarrow
    import pyarrow.parquet

    plain = {"string": pyarrow.string(), "int64": pyarrow.int64(), "bool": pyarrow.bool_()}
    types = {
        str(each["name"]): pyarrow.list_(plain[str(each["list"])]) if "list" in each else plain[str(each["dtype"])]
        for each in columns
    }
    schema, sink, rows = pyarrow.schema(list(types.items())), _Sink(), iter(lines)
    with pyarrow.parquet.ParquetWriter(sink, schema) as writer:
        while group := list(islice(rows, _GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema))
            yield sink.taken()
    yield sink.taken()


JSONL = Encoding(".jsonl", _jsonl)
CSV = Encoding(".csv", _csv)
PARQUET = Encoding(".parquet", _parquet)
