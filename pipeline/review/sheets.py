"""Review sheets: the line that a person reads, and the laying of records that are new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from pipeline.files import Writing
from pipeline.kinds import KINDS
from pipeline.records import Record
from pipeline.review.laying import Pile
from pipeline.words import bare


class Line(BaseModel):
    """One record on a sheet: what a person reads first stands first. All but `review`, `question` and `answer` only
    where there is any.

    A person changes `review` and the texts; nothing reads a change in what is not said to be theirs.
    """

    model_config = ConfigDict(extra="forbid")

    review: str = Field(
        default="",
        pattern=r"^\s*([Kk]eep|[Dd]rop|[Ff]ix:.*\S.*)?\s*$",
        description="`keep`, `drop`, or `fix: what is wrong`, which is put to the teacher; empty: not judged yet",
    )
    earlier: tuple[str, ...] = Field(
        default=(), description="yours to edit; the turns before the question: question and answer in turn"
    )
    question: str = Field(pattern=r"\S", description="yours to edit")
    answer: str = Field(pattern=r"\S", description="yours to edit; of a question to be refused, the recipe's sentence")
    rejected_answer: str = Field(default="", description="yours to edit; the worse answer of a pair")
    quote: str = Field(default="", description="yours to edit; the words of the passage that the answer rests on")
    further_quotes: tuple[str, ...] = Field(default=(), description="words of further passages that it rests on")
    page: int | None = Field(default=None, description="on which the quote begins")
    context: str = Field(default="", description="yours to edit; what is shown with the question")
    flags: tuple[str, ...] = Field(
        default=(), description="what a check was not sure of, after a colon the id of the record that it names"
    )
    score: float | None = Field(default=None, description=f"{Record.model_fields['score'].description}")
    source: str = Field(default="", description="the document, the persona, or the field of knowledge")
    kind: str = Field(default="", description="document, persona, off_topic, and what other drafters make")
    difficulty: str = Field(default="", description="easy, medium or hard, where it was asked for")
    result: str = Field(default="", description="what a worked answer comes to")
    fact: str = Field(default="", description="the same on all wordings of one fact")
    parent: str = Field(default="", description="id of the record that it was made from")
    replaces: str = Field(default="", description="id of the record that this is another version of")
    fix: str = Field(default="", description="what the person said is wrong with that record")
    id: str = Field(description="names the record; it must stay as it was")


ALWAYS = ("review", "question", "answer")
"""The fields that stand on every line."""
_UNUSUAL = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"})
"""Signs that some editors take for the end of a line, and escape or ask about."""
_encoded = json.JSONEncoder(ensure_ascii=False).encode


class Laying(NamedTuple):
    """A record as it is laid."""

    record: Record
    hash: str
    """Of its line, in four parts: of its texts, of all else on it, of the line as a whole, of what it asks."""


Laid = Mapping[str, tuple[str, str]]
"""Record id to (sheet, hash of its line as it was laid)."""


Note = Callable[[str, Iterable[Laying]], None]
"""Remembers the records of a sheet, before the sheet stands."""


def lay_sheet(folder: Path, records: Iterable[Record], laid: Laid, note: Note, language: str = "en") -> Path | None:
    """Write the records never laid before as the next sheet; from then on the file is the person's.

    `language` is the dataset's. `records` is gone through up to twice. Raises CannotWrite.
    """
    standing = {path.name for path in folder.glob("*.jsonl")}

    def new() -> Iterator[Record]:
        return (record for record in records if record.id not in laid or laid[record.id][0] not in standing)

    if next(new(), None) is None:
        return None
    path = folder / f"{_next_number(folder, laid):04}.jsonl"
    with Pile(folder) as pile:
        # Noted first, for a sheet that stands but was not noted would be full of unknown ids. Killed in
        # between, the noted sheet does not stand: its records count as not laid, and are laid again.
        note(path.name, _piled(new(), pile, language))
        with Writing(path) as sheet:
            for line in pile.in_order():
                sheet.write(line)
            sheet.finish()
    return path


def _piled(records: Iterable[Record], pile: Pile, language: str) -> Iterator[Laying]:
    """Each record with the hashes of its line, once the line is on the pile."""
    for record in records:
        shown = shown_of(record)
        line = encoded(shown)
        pile.add(record, line + b"\n")
        asks = asks_hash(record.question, language) if KINDS[record.kind].compared else ""
        text, rest = text_hash(text_of_record(record)), rest_hash(shown)
        yield Laying(record, f"{text}{rest}{line_digest(line):016x}{asks}")


def _next_number(folder: Path, laid: Laid) -> int:
    names = {sheet for sheet, _ in laid.values()} | {path.name for path in folder.glob("*.jsonl")}
    return 1 + max((int(name[:-6]) for name in names if name[:-6].isdigit()), default=0)


_OF_THE_RECORD = tuple(name for name in Line.model_fields if name != "review")


def shown_of(record: Record) -> dict[str, Any]:
    """The fields of its line."""
    values = {"review": "", **{name: getattr(record, name) for name in _OF_THE_RECORD}}
    return {name: value for name, value in values.items() if name in ALWAYS or value not in ("", None, ())}


def encoded(line: Mapping[str, Any]) -> bytes:
    """A line without its end, as sheets are written."""
    return _encoded(line).translate(_UNUSUAL).encode("utf-8", "surrogatepass")


Text = tuple[str, ...]
"""What a person may edit of a record: question, answer, quote, and of the rarer texts those that it has."""
RARE = ("earlier", "rejected_answer", "context")
_RARE = frozenset(RARE)
YOURS = frozenset({"review", "question", "answer", "quote", *RARE})
"""The fields that are a person's to change."""


def text_of(question: str, answer: str, quote: str, more: Mapping[str, Any]) -> Text:
    """The texts as they are hashed; `more` holds the rarer ones, and may hold other things."""
    if _RARE.isdisjoint(more):  # as of most lines, and asked of every one
        return question, answer, quote
    return (question, answer, quote, *(f"{name}\x1e{_flat(more[name])}" for name in RARE if more.get(name)))


def _flat(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "\x1e".join(value)


def text_of_record(record: Record) -> Text:
    """The same of a record."""
    return text_of(record.question, record.answer, record.quote, {name: getattr(record, name) for name in RARE})


def text_hash(text: Text) -> str:
    """Hash of what a person may edit."""
    return xxhash.xxh3_128_hexdigest("\x1f".join(text).encode("utf-8", "surrogatepass"))


def is_as_laid(text: Text, laid: str) -> bool:
    """Whether a text has the hash that was noted of its line; an older version noted another one."""
    if len(laid) == _OLD_HASH:
        return hashlib.blake2b("\x1f".join(text).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() == laid
    return laid.startswith(text_hash(text))


def line_digest(line: bytes) -> int:
    """Names a line as a whole, its end left out."""
    return xxhash.xxh3_64_intdigest(line)


def untouched_lines(laid: Laid) -> dict[int, str]:
    """What names the lines as they were laid, to the ids on them: a line found here says nothing that needs reading."""
    whole = slice(_REST_ENDS, _WHOLE_ENDS)
    return {int(noted[whole], 16): name for name, (_, noted) in laid.items() if len(noted) >= _WHOLE_ENDS}


def asks_hash(question: str, language: str) -> str:
    """The same for two questions that differ in trifles only."""
    return xxhash.xxh3_64_hexdigest(bare(question, language).encode("utf-8", "surrogatepass"))


def asked_as_laid(laid: str) -> str:
    """That hash of a line as it was laid; empty if it is unknown, or others may ask the same on purpose."""
    return laid[_WHOLE_ENDS:]


def rest_hash(values: Mapping[str, Any]) -> str:
    """Hash of what stands on a line and is not a person's to change."""
    rest = {name: value for name, value in values.items() if name not in YOURS}
    return xxhash.xxh3_64_hexdigest(orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))


def is_rest_as_laid(values: Mapping[str, Any], laid: str) -> bool:
    """The same of the rest; of what an older version laid nobody knows."""
    return len(laid) == _OLD_HASH or laid[_TEXT_ENDS:_REST_ENDS] == rest_hash(values)


_OLD_HASH = 16
_TEXT_ENDS, _REST_ENDS, _WHOLE_ENDS = 32, 48, 64


def sheet_schema() -> str:
    """JSON Schema of a line, for editors that check and complete by it."""
    return json.dumps(Line.model_json_schema(), ensure_ascii=False, indent=2) + "\n"
