"""The lines of a sheet as a person left them: what each says, or what is wrong with it and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import orjson
from pydantic import ValidationError

from pipeline.review.sheets import RARE, Line, Text, line_digest, text_of

NONE: Mapping[int, str] = MappingProxyType({})
LINE_ENDS = b"\r\n"
BOM = b"\xef\xbb\xbf"
_USUAL = frozenset(Line.model_fields) - set(RARE)
_WHITE = " \t\r\n"
_AROUND = 40
"""Characters shown on either side of what is no JSON."""


class Fault(NamedTuple):
    """What is wrong with a line."""

    number: int
    """Of the line, from 1."""
    column: int
    """The character where it is wrong, from 1; 0 if nobody has looked yet."""
    problem: str
    """A sentence; of a field it begins with the field's name."""
    excerpt: str = ""
    """Of a line that is not JSON: what stands there."""
    caret: int = 0
    """Where in the excerpt it is wrong, from 0."""

    def at(self, path: Path) -> str:
        """As compilers write it, so that editors jump there."""
        return f"{path}:{self.number}:{self.column}: {self.problem}"


class Said(NamedTuple):
    """What a line says."""

    number: int
    """Of the line, from 1."""
    review: str
    """As it stands there."""
    question: str
    answer: str
    quote: str
    id: str
    values: Mapping[str, Any]
    """All that stands on the line, by name."""

    @property
    def text(self) -> Text:
        """What a person may have edited, as it is hashed."""
        return text_of(self.question, self.answer, self.quote, self.values)

    def stripped(self) -> Self:
        """The same less the blanks that slip in at the ends."""
        return self._replace(question=self.question.strip(), answer=self.answer.strip(), quote=self.quote.strip())


class Judged(NamedTuple):
    """A line that is as it was laid but for the verdict, if there is one."""

    number: int
    id: str
    review: str


def read_lines(path: Path, untouched: Mapping[int, str] = NONE) -> Iterator[Said | Judged | Fault]:
    """What each line says, streamed; one that cannot be read is told in its place, and the others go on.

    Lines named in `untouched` (see `untouched_lines`) are not parsed. What editors leave behind is no fault: a
    byte order mark, blank lines, CRLF. Lines end at line feeds only, for a text may hold U+2028.
    """
    loads, texts, new = orjson.loads, itemgetter("review", "question", "answer", "id"), tuple.__new__
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if untouched and (judged := _judged(number, line.rstrip(LINE_ENDS), untouched)):
                yield judged
                continue
            raw = line if number > 1 else line.removeprefix(BOM)
            try:
                values = loads(raw)
                # As most lines are; all else is looked at closely.
                if values.keys() <= _USUAL:
                    review, question, answer, name = texts(values)
                    quote = values.get("quote", "")
                    are_texts = type(review) is type(question) is type(answer) is type(quote) is type(name) is str
                    if are_texts and question.strip() and answer.strip():
                        yield new(Said, (number, review, question, answer, quote, name, values))
                        continue
            except (ValueError, KeyError, AttributeError):
                pass
            if raw.strip():
                yield _closely(number, raw)


def _judged(number: int, line: bytes, untouched: Mapping[int, str]) -> Judged | None:
    """A line without a verdict is found as it is; one with a verdict is found as it was without."""
    if name := untouched.get(line_digest(line)):
        return Judged(number, name, "")
    if not line.startswith(_REVIEW):
        return None
    end = line.find(b'"', len(_REVIEW))
    name = untouched.get(line_digest(_REVIEW + line[end:]))
    if not name:
        return None
    try:
        return Judged(number, name, orjson.loads(line[len(_REVIEW) - 1 : end + 1]))
    except ValueError:
        return None


_REVIEW = b'{"review": "'


def _closely(number: int, raw: bytes) -> Said | Fault:
    """A line that is not as it was laid: read after all, or with what is wrong with it."""
    text = raw.rstrip(b"\r\n").decode("utf-8", "replace")
    try:
        values = orjson.loads(raw.rstrip(b"\r\n"))
    except orjson.JSONDecodeError as fault:
        return _not_json(number, raw, text, fault)
    if not isinstance(values, dict):
        return Fault(number, 1, "a line holds one record between { and }; this one is something else.")
    try:
        line = Line.model_validate({**values, "review": values.get("review", "")} | _unjudged(values))
    except ValidationError as fault:
        return _strange(number, text, fault)
    said = values.get("review", "")
    return Said(number, said, line.question, line.answer, line.quote, line.id, values)


def _unjudged(values: dict[str, Any]) -> dict[str, str]:
    """A verdict that nobody knows is no fault of the line: it is told apart from it."""
    return {"review": ""} if isinstance(values.get("review"), str) else {}


def _not_json(number: int, raw: bytes, text: str, fault: orjson.JSONDecodeError) -> Fault:
    if not raw.endswith(b"\n") and fault.pos >= len(text.rstrip()):
        torn = "the file ends in the middle of this line: it was not saved whole, or cut."
        return Fault(number, len(text) + 1, torn, text[-_AROUND:], min(len(text), _AROUND))
    if "UTF-8" in fault.msg:
        return Fault(number, text.find("\ufffd") + 1, "not UTF-8; save the file in that encoding.")
    start = max(0, fault.pos - _AROUND)
    excerpt, caret = text[start : fault.pos + _AROUND], fault.pos - start
    return Fault(number, fault.pos + 1, f"not JSON: {fault.msg}.", excerpt.replace("\t", " "), caret)


def _strange(number: int, text: str, fault: ValidationError) -> Fault:
    error = fault.errors(include_input=False, include_url=False)[0]
    name = str(error["loc"][0]) if error["loc"] else ""
    kind = error["type"]
    if kind == "missing":
        return Fault(number, 1, f"{name}: is missing.")
    column = column_of(text, name)
    if kind == "extra_forbidden":
        return Fault(number, column, f"{name}: is not a field of a sheet.")
    if kind == "string_pattern_mismatch":
        return Fault(number, column, f"{name}: was emptied; to drop the record say drop, or delete its line.")
    return Fault(number, column, f"{name}: {error['msg'][0].lower()}{error['msg'][1:]}.")


def column_of(text: str, name: str) -> int:
    """Where the value of a field begins in a line of JSON, from 1; 1 if it has no such field."""
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{") + 1
    try:
        while True:
            at = _past(text, at, _WHITE + ",")
            key, at = scanstring(text, at + 1, False)
            at = _past(text, at, _WHITE + ":")
            if key == name:
                return at + 1
            _, at = decoder.raw_decode(text, at)
    except (ValueError, IndexError):
        return 1


def _past(text: str, at: int, signs: str) -> int:
    while text[at] in signs:
        at += 1
    return at
