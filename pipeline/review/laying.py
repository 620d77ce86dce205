"""In which order a sheet lists its lines: the doubtful first, and what belongs together side by side."""

from __future__ import annotations

import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import xxhash

from pipeline.files import blaming
from pipeline.records import Record

_CERTAIN = 1.0


class Pile:
    """Lines to be laid, waiting on disk for their order. Use it as a context manager.

    Wordings of one fact stand together. Facts that a check flagged come first, the one with the lowest score before
    all others, each followed by those that its flags name; the rest follows as it was planned. Memory holds 50 bytes
    a line. Raises CannotWrite.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = array("Q", [0])
        self._ids, self._facts, self._doubts = array("Q"), array("Q"), array("d")
        self._partners: list[tuple[int, int]] = []
        """Line and the key of the record that one of its flags names."""
        with blaming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".pile-", suffix=".aside")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be flushed is not wanted any more
            self._file.close()

    def add(self, record: Record, line: bytes) -> None:
        """Put the line of a record on the pile."""
        with blaming(self._folder):
            self._file.write(line)
        named = (partner for _, _, partner in (flag.partition(":") for flag in record.flags) if partner)
        self._partners += [(len(self._ids), _key(partner)) for partner in named]
        self._ends.append(self._ends[-1] + len(line))
        self._ids.append(_key(record.id))
        self._facts.append(_key(record.fact))
        score = _CERTAIN if record.score is None else record.score
        self._doubts.append(score if record.flags else _CERTAIN + 1)

    def in_order(self) -> Iterator[bytes]:
        """The lines as a person reads them."""
        with blaming(self._folder):
            self._file.flush()
        for number in self._order():
            self._file.seek(self._ends[number])
            yield self._file.read(self._ends[number + 1] - self._ends[number])

    def _order(self) -> list[int]:
        import numpy as np  # which `plan` does without

        facts, doubts = np.frombuffer(self._facts, np.uint64), np.frombuffer(self._doubts, np.float64)
        _, firsts, group_of = np.unique(facts, return_index=True, return_inverse=True)
        doubt = np.full(len(firsts), _CERTAIN + 1)
        np.minimum.at(doubt, group_of, doubts)
        drawn = _drawing(np.lexsort((firsts, doubt)).tolist(), self._named(group_of.tolist()))
        rank = np.empty(len(firsts), np.int64)
        rank[drawn] = np.arange(len(firsts))
        order: list[int] = np.lexsort((np.arange(len(facts)), rank[group_of])).tolist()
        return order

    def _named(self, group_of: list[int]) -> dict[int, list[int]]:
        """Group to the groups that the flags of its lines name."""
        wanted = {key for _, key in self._partners}
        places = {key: place for place, key in enumerate(self._ids) if key in wanted}
        named: defaultdict[int, list[int]] = defaultdict(list)
        for line, key in self._partners:
            if key in places:
                named[group_of[line]].append(group_of[places[key]])
        return named


def _drawing(order: list[int], named: dict[int, list[int]]) -> list[int]:
    """The groups in their order, each drawing after it those that it names."""
    drawn: dict[int, None] = {}
    for group in order:
        if group not in drawn:
            drawn[group] = None
            drawn.update(dict.fromkeys(other for other in named.get(group, ()) if other not in drawn))
    return list(drawn)


def _key(name: str) -> int:
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))
