"""A blind sheet for people: two answers side by side, whose they are sealed away, verdicts read back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputError, UsageError
from train.comparison.judge import Pair
from train.comparison.preferences import Verdict
from train.files import write_whole

SEAL = "seal.json"
COLUMNS = ("id", "question", "reference", "answer_1", "answer_2", "verdict")
CHOICES = ("1", "2", "tie")
FORMS = (".csv", ".jsonl")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run; the answers are a student's, and nobody knows what it says."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)

    first: str
    second: str
    group: str
    key: str = Field(description="of question and answers, so that a judge's verdict on the same is found")


class Seal(BaseModel):
    """seal.json: which answer of a sheet's line is whose. Whoever judges leaves it shut."""

    model_config = ConfigDict(frozen=True)

    salt: str
    lines: dict[str, _Line]


def write_sheet(path: Path, pairs: Sequence[Pair], home: Path) -> None:
    """Writes a sheet, lines and order of answers drawn by lot, and adds to the seal in `home` who is who."""
    if path.suffix not in FORMS:
        raise UsageError(f"--sheet: expected a name that ends in {' or '.join(FORMS)}, found {path.name}.")
    if path.exists():
        raise UsageError(
            f"{path} is there and may hold verdicts.", remedy="Name another file, or read it with --verdicts."
        )
    seal = _seal(home) or Seal(salt=secrets.token_hex(16), lines={})
    lines, known = [], dict(seal.lines)
    for pair in pairs:
        number = hashlib.sha256(f"{seal.salt} {pair.key} {pair.one} {pair.other}".encode()).hexdigest()
        turned = int(number[-1], 16) % 2 == 1
        first, second = (pair.other, pair.one) if turned else (pair.one, pair.other)
        texts = (pair.answer_of_one, pair.answer_of_other)
        known[number[:12]] = _Line(first=first, second=second, group=pair.group, key=pair.key)
        lines.append(
            dict(
                zip(
                    COLUMNS,
                    (number[:12], pair.question, pair.reference, *texts[:: -1 if turned else 1], ""),
                    strict=True,
                )
            )
        )
    lines.sort(key=lambda line: line["id"])
    write_whole(home / SEAL, Seal(salt=seal.salt, lines=known).model_dump_json(indent=2) + "\n")
    write_whole(path, _csv(lines) if path.suffix == ".csv" else _jsonl(lines))


def read_verdicts(path: Path, home: Path) -> dict[str, Verdict]:
    """The verdicts of a sheet by the key of their pair; a line without one was not judged.

    Raises InputError for a line that no sheet of this comparison has, and for a verdict that is none.
    """
    seal = _seal(home)
    if seal is None:
        raise InputError(f"{home} has no {SEAL}: nobody knows whose answers {path} shows.")
    found = {}
    for number, line in _lines(path):
        place, said = f"{path}:{number}", (line.get("verdict") or "").strip().lower()
        known = seal.lines.get(line.get("id") or "")
        if known is None:
            raise InputError(f"{place}: id {line.get('id')!r} stands on no sheet of this comparison.")
        if said and said not in CHOICES:
            raise InputError(f"{place}: verdict {said!r}.", remedy=f"Write {', '.join(CHOICES)}, or nothing.")
        if said:
            better = {"1": known.first, "2": known.second}.get(said)
            one, other = sorted((known.first, known.second))
            found[f"{known.key} {one} {other}"] = Verdict(known.first, known.second, better, known.group)
    return found


def _seal(home: Path) -> Seal | None:
    try:
        return Seal.model_validate_json((home / SEAL).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise InputError(f"{home / SEAL} cannot be read, so no sheet can be told apart any more.") from None


def _lines(path: Path) -> Iterable[tuple[int, Mapping[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}.") from fault
    if path.suffix == ".csv":
        for number, line in enumerate(csv.DictReader(io.StringIO(text)), 2):
            yield number, line
        return
    for number, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            yield number, json.loads(written)
        except ValueError as fault:
            raise InputError(f"{path}:{number}: no JSON: {fault}.") from fault


def _jsonl(lines: Iterable[Mapping[str, str]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _csv(lines: Iterable[Mapping[str, str]]) -> str:
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    table.writeheader()
    for line in lines:
        table.writerow({name: f"'{text}" if text.startswith(_FORMULA) else text for name, text in line.items()})
    return written.getvalue()
