"""Wishes: what an examination showed to be weak, kept in one file until the teacher has been asked for more of it.

`outputs/<name>/wishes.jsonl`, a line a fact. It is a decision of a person's, who called `coursework improve`, and is
kept as such: it is only added to, a line that is struck out is asked for no longer, and what was paid for stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.files import BadLine, json_line, read_json_lines, write_whole

FILE = "wishes.jsonl"


class Wish(BaseModel):
    """More wordings of one fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int = Field(ge=1, description="which improvement of the dataset this is")
    why: str = Field(description="what the student said in place of the answer, for a person to read")
    wordings: int = Field(ge=1, le=40)
    answer: str
    quote: str
    passage: str
    fact: str
    examination: str = Field(description="names the examination: one is turned into wishes once")


def read_wishes(folder: Path) -> list[Wish]:
    """The wishes of a dataset; none where there is no file. Raises InputError at a line that is none."""
    path = folder / FILE
    if not path.exists():
        return []
    wishes = []
    for line in read_json_lines(path, Wish):
        if isinstance(line, BadLine):
            raise InputError(f"{path}:{line.number}: {line.fault}", remedy="Mend the line, or delete it.")
        wishes.append(line[1])
    return wishes


def add_wishes(folder: Path, wishes: Sequence[Wish]) -> None:
    """Written whole, the earlier lines byte for byte as they were."""
    path = folder / FILE
    before = path.read_bytes() if path.exists() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    write_whole(path, before + b"".join(map(json_line, wishes)))
