"""Rows of files, streamed: JSON Lines, JSON arrays, CSV and Parquet, plain or packed by gzip or Zstandard.

A row that cannot be read is told in its place, and the others go on. No more of a file is held than a few rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import orjson
import zstandard

from pipeline.errors import InputError
from pipeline.mix.layouts import NAMELESS, Row, layout_of

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_PACKED = (".gz", ".zst")
_LONGEST = 16 * 1024 * 1024
"""Bytes of a row: what is longer is no question with its answer."""
_CHUNK = 1024 * 1024
_SAMPLE = 64 * 1024
"""Bytes at the beginning of a file that tell how it is written."""
_SAMPLED = 50
"""Rows of a CSV file that its delimiter is told by."""
_AT_ONCE = 256
"""Rows of a Parquet file that are unpacked together."""


class Bad(NamedTuple):
    """A row that cannot be read, and why."""

    fault: str


Numbered = tuple[int, Row | Bad]
"""A row with its number in the file, from 1; of JSON Lines and CSV the line on which it begins."""


def find_files(patterns: Sequence[str], folder: Path) -> list[Path]:
    """The files that the patterns name, those of a folder or glob by name. Raises InputError where one names none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = folder / pattern
        if path.is_file():
            here = [path]
        elif path.is_dir():
            here = sorted(one for one in path.rglob("*") if one.is_file() and _ending(one) in ENDINGS)
        else:
            here = sorted(one for one in folder.glob(pattern) if one.is_file())
        if not here:
            raise InputError(f"{path}: no such file.", remedy="Name files relative to the recipe.")
        found.update(dict.fromkeys(here))
    return list(found)


def rows_of(path: Path, columns: Sequence[str] = ()) -> Iterator[Numbered]:
    """The rows of a file. The `columns` that are wanted, where they are known, save reading the others of Parquet, and
    tell a CSV file with names from one without.

    Raises InputError if it is no such file, or cannot be opened or read on.
    """
    ending = _ending(path)
    read = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv}.get(ending, _json if ending in ENDINGS else None)
    if read is None:
        raise InputError(
            f"{path}: is neither JSON Lines, JSON, CSV nor Parquet by its name.",
            remedy=f"Give it one of these endings: {', '.join(ENDINGS)}.",
        )
    try:
        yield from read(path, columns)
    except (OSError, EOFError, UnicodeError, zstandard.ZstdError) as fault:
        raise InputError(f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}.") from fault


def _ending(path: Path) -> str:
    return Path(path.stem if path.suffix.lower() in _PACKED else path).suffix.lower()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked."""
    with path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.open(raw) as file:
                yield cast(IO[bytes], file)
        elif path.suffix.lower() == ".zst":
            unpacked = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
            with io.BufferedReader(cast(Any, unpacked), _CHUNK) as file:
                yield cast(IO[bytes], file)
        else:
            yield raw


def _json(path: Path, columns: Sequence[str]) -> Iterator[Numbered]:
    """Of an array its elements, else a row a line."""
    with _opened(path) as file:
        array = file.read(_SAMPLE).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")
    with _opened(path) as file:
        yield from _elements(file) if array else _lines(file)


def _lines(file: IO[bytes]) -> Iterator[Numbered]:
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not text.strip():
            continue
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            while (rest := file.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield number, Bad(f"longer than {_LONGEST:,} bytes")
            continue
        try:
            yield number, _row(orjson.loads(text))
        except orjson.JSONDecodeError as fault:
            yield number, Bad(f"not JSON: {fault}")


def _row(value: Any) -> Row | Bad:
    return value if isinstance(value, dict) else Bad(f"expected columns with their names, found {type(value).__name__}")


def _elements(file: IO[bytes]) -> Iterator[Numbered]:
    """Elements of one array, each decoded as soon as the whole of it has come."""
    decoder, text = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    held, at, number = text.decode(file.read(_CHUNK)).lstrip()[1:], 0, 0
    while True:
        while at < len(held) and held[at] in " \t\r\n,":
            at += 1
        if held.startswith("]", at):
            return
        try:
            value, end = decoder.raw_decode(held, at)
        except (ValueError, RecursionError) as fault:
            more = file.read(_CHUNK)
            if not more or len(held) - at > _LONGEST:
                yield number + 1, Bad(f"not JSON from here to the end of the file: {fault}")
                return
            held, at = held[at:] + text.decode(more), 0
            continue
        number += 1
        at = end
        yield number, _row(value)


def _csv(path: Path, columns: Sequence[str]) -> Iterator[Numbered]:
    with _opened(path) as file:
        sample = file.read(_SAMPLE)
    encoding = "utf-16" if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = codecs.getincrementaldecoder(encoding)("surrogateescape").decode(sample)
    delimiter = "\t" if _ending(path) == ".tsv" else _delimiter(text)
    csv.field_size_limit(_LONGEST)
    with _opened(path) as file, io.TextIOWrapper(file, encoding, "surrogateescape", newline="") as lines:
        records = _records(lines, delimiter)
        first = next(records, None)
        if first is None or isinstance(first[1], Bad):
            yield from () if first is None else [cast(Numbered, first)]
            return
        names = _names(first[1], columns)
        if names != first[1]:
            yield first[0], _named(names, first[1])
        for number, cells in records:
            yield number, cells if isinstance(cells, Bad) else _named(names, cells)


def _records(lines: IO[str], delimiter: str) -> Iterator[tuple[int, list[str] | Bad]]:
    """Cells of each row, with the line on which it begins."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield number, Bad(f"not CSV: {fault}")
            continue
        if cells:
            yield number, cells


def _names(first: list[str], columns: Sequence[str]) -> list[str]:
    """What the columns are called: as the first row says, or by their numbers if it is a row like the others."""
    if columns:
        nameless = all(name.isdecimal() for name in columns)
    else:
        nameless = len(first) == len(NAMELESS) and layout_of(first) is None
    return [str(number) for number in range(1, len(first) + 1)] if nameless else first


def _named(names: list[str], cells: list[str]) -> Row | Bad:
    if len(cells) != len(names):
        return Bad(f"{len(cells)} cells in {len(names)} columns")
    return dict(zip(names, cells, strict=True))


def _delimiter(sample: str) -> str:
    """The sign under which the first rows have as many cells each; best is one that makes names of the first row."""

    def fit(delimiter: str) -> tuple[bool, float, int]:
        rows = [cells for _, cells in islice(_records(io.StringIO(sample, newline=""), delimiter), _SAMPLED)]
        counts = [len(cells) for cells in rows if not isinstance(cells, Bad)]
        if not counts or counts[0] < 2:
            return False, 0.0, 0
        named = not isinstance(rows[0], Bad) and layout_of(rows[0]) is not None
        return named, counts.count(counts[0]) / len(counts), -counts[0]

    return max((",", ";", "\t"), key=fit)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Numbered]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            f"{path}: Parquet is read with pyarrow, which is not installed.",
            remedy="Install the extra: pip install 'coursework[mix]'.",
        ) from None
    number = 0
    try:
        with ParquetFile(path, pre_buffer=False) as file:
            wanted = [name for name in columns if name in file.schema_arrow.names] or None
            for batch in file.iter_batches(_AT_ONCE, columns=wanted, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pyarrow.ArrowException as fault:
        if not number:
            raise InputError(f"{path}: is not Parquet: {str(fault).splitlines()[0]}") from fault
        yield number + 1, Bad(f"not Parquet from here on: {str(fault).splitlines()[0]}")
