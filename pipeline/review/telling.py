"""Problems of sheets, told to people, to editors, to a forge's annotations and to programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pipeline.review.reading import Fault

Format = Literal["text", "github", "json"]


def as_text(path: Path, fault: Fault) -> list[str]:
    """`file:line:column: what`, and of a line that is not JSON what stands there, with a caret below the place."""
    told = [fault.at(path)]
    if fault.excerpt:
        told += [f"    {fault.excerpt}", f"    {' ' * fault.caret}^"]
    return told


def as_annotation(path: Path, fault: Fault) -> list[str]:
    """A workflow command that shows the problem beside the line in a pull request."""
    place = f"file={_escaped(str(path), ',:')},line={fault.number},col={fault.column}"
    return [f"::error {place}::{_escaped(fault.problem)}"]


def as_json(path: Path, fault: Fault) -> list[str]:
    """One object on one line."""
    told = {"file": str(path), "line": fault.number, "column": fault.column, "problem": fault.problem}
    return [json.dumps(told, ensure_ascii=False)]


TELLING: dict[Format, Callable[[Path, Fault], Sequence[str]]] = {
    "text": as_text,
    "github": as_annotation,
    "json": as_json,
}


def _escaped(text: str, more: str = "") -> str:
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
