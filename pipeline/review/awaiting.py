"""How many lines of each sheet still await a verdict, counted without reading more of a line than that."""

from __future__ import annotations

from pathlib import Path

import orjson


def awaiting(folder: Path) -> dict[str, int]:
    """Sheet to the number of its lines without a verdict; sheets without any are left out.

    A line that cannot be read awaits one too: whatever stood there, nobody can follow it.
    """
    found: dict[str, int] = {}
    for sheet in sorted(folder.glob("*.jsonl")):
        with sheet.open("rb") as lines:
            waiting = sum(_waits(line) for line in lines)
        if waiting:
            found[sheet.name] = waiting
    return found


def _waits(line: bytes) -> bool:
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return False
    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError:
        return True
    return not (isinstance(read, dict) and str(read.get("review") or "").strip())
