"""The nouns of the pipeline, in travelling order: Passage, Draft, Record, Rejection."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.kinds import KINDS, REFUSAL_KINDS

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(KINDS)]
"""A name of the registry."""


_TELLING = "+<=>±×÷−√%‰$€£¥°#"
"""Signs that tell two questions apart: C++ from C#, 5 % from 5 $, 3 + 4 from 3 × 4."""
_BESIDE_DIGITS = re.compile(r"[0-9][^\w\s][0-9]|[-*/]\s*[0-9]")
_LONE_SIGN = re.compile(rf"(?!(?<=\d)[^\w\s]\d|(?<=\d )[-*/] \d|(?<!\w)-\d)[^\w\s{re.escape(_TELLING)}]")
_PLAIN_ASCII = b"".join(_LONE_SIGN.sub(" ", chr(code)).lower().encode() if code > 32 else b" " for code in range(128))
_PLAIN_BYTES = _PLAIN_ASCII + bytes(range(128, 256))
_PLAIN_LINES = _PLAIN_BYTES[:10] + b"\n" + _PLAIN_BYTES[11:]


def _sort_of(sign: str) -> str:
    """What a sign is to `_BESIDE_DIGITS`: a digit, a sign of reckoning, a blank, a letter, any other sign."""
    if sign.isspace():
        return sign if sign == "\n" else " "
    return "0" if sign.isdigit() else "-" if sign in "-*/" else "a" if sign.isalpha() or sign == "_" else "."


_NOT_ASCII = b"\0"
_SORTS = "".join(_sort_of(chr(code)) for code in range(128)).encode() + 128 * _NOT_ASCII
_ZERO = ord("0")
_MAY_BE_BESIDE = (b"0.0", b"0-0", b"-0", b"- ")
"""One of these stands among the sorts of every text in which `_BESIDE_DIGITS` finds something."""


def content_id(*parts: str) -> str:
    """16 hex digits that name a piece of content by what it is, never by when or where it was met."""
    text = "\x1f".join((*parts, ""))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def lot(*parts: str) -> float:
    """A number in [0, 1) that depends on nothing but the parts: what is chosen by share is chosen by it."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def refusal_to(question: str, sentences: Sequence[str]) -> str:
    """Which of several refusals a question gets: always the same one."""
    return sentences[int(content_id("refusal", normalised(question)), 16) % len(sentences)]


@lru_cache(maxsize=1 << 11)  # each check of a draft asks for its texts again
def normalised(text: str) -> str:
    """Text reduced to what two people would call the same: compatibility form, case and spacing.

    Punctuation at the end and around words goes. What can tell two questions apart stays: signs between
    digits, for 1.5 is not 15; a minus before a number; signs of reckoning, money and share; those of C++ and C#.
    """
    if text.isascii():
        # Where no sign depends on its neighbours: the common case, twenty times as fast.
        raw = text.encode()
        if _ZERO not in raw.translate(_SORTS) or not _BESIDE_DIGITS.search(text):
            plain = raw.translate(_PLAIN_BYTES).strip().decode()
            return " ".join(plain.split()) if "  " in plain else plain
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_LONE_SIGN.sub(" ", " ".join(folded.split())).split())


def plain_lines(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """The words that `normalised` finds in each text, blanks as they stood: a line for each, a line feed between two.

    And in ascending order the numbers of the texts of which that is not so: those are to be normalised alone.
    """
    joined = "\n".join(texts)
    if joined.count("\n") >= max(len(texts), 1):
        joined = "\n".join(text.replace("\n", " ") for text in texts)
    raw = joined.encode("utf-8", "surrogatepass")
    return raw.translate(_PLAIN_LINES), sorted(set(_lines_apart(raw.translate(_SORTS))))


def _lines_apart(sorts: bytes) -> Iterator[int]:
    """Numbers of the lines that are not ASCII or in which a sign may stand beside a digit, some more than once."""
    for pattern in (_NOT_ASCII, *(_MAY_BE_BESIDE if b"-" in sorts else _MAY_BE_BESIDE[:1])):
        at, line, counted = sorts.find(pattern), 0, 0
        while at >= 0:
            line, counted = line + sorts.count(b"\n", counted, at), at
            yield line
            end = sorts.find(b"\n", at)
            at = sorts.find(pattern, end) if end >= 0 else -1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Passage(_Frozen):
    """A piece of a document small enough for one question to the teacher."""

    id: str = Field(description="content_id of the text: a file moved or renamed keeps its passages")
    document: str = Field(description="the file, relative to the folder the recipe names")
    document_sha256: str
    heading: tuple[str, ...] = Field(default=(), description="headings above it, outermost first")
    start: int = Field(description="first character, counted in the cleaned text of the document")
    end: int = Field(description="one past the last character")
    pages: tuple[tuple[int, int], ...] = Field(
        description="(offset in `text`, page number from 1), ascending; the first offset is 0"
    )
    unit: str = Field(default="page", description="what its pages are: page, chapter, line or item of the file")
    text: str

    @property
    def page(self) -> int:
        """The page it starts on."""
        return self.pages[0][1]

    def page_at(self, offset: int) -> int:
        """The page on which the character at `offset` of `text` stands."""
        return self.pages[bisect_right([start for start, _ in self.pages], offset) - 1][1]

    @property
    def where(self) -> str:
        """The pages it stands on, as a person names them: page 3, lines 4 to 9."""
        first, last = self.page, self.pages[-1][1]
        return f"{self.unit} {first}" if first == last else f"{self.unit}s {first} to {last}"


class Draft(_Frozen):
    """A question and an answer as parsed out of a reply; nothing about it has been checked."""

    kind: Kind
    question: str
    answer: str
    quote: str = Field(default="", description="the words of the passage that the answer rests on")
    passage: str = Field(default="", description="id of the passage it was drafted from")
    persona: str = Field(
        default="", description="the persona it was drafted for, or another source that has no passages"
    )
    field: str = Field(
        default="",
        description="what was asked for: a field of knowledge, a persona's prompt, a nature of question, a task, a way",
    )
    term: str = Field(default="", description="the term of the document that a near-topic question names")
    fact: str = Field(default="", description="names what is asked: one passage, quote and answer in many wordings")
    context: str = Field(default="", description="text that is shown with the question, and that the answer rests on")
    earlier: tuple[str, ...] = Field(
        default=(), description="the turns before the question: question and answer in turn, the oldest first"
    )
    parent: str = Field(default="", description="id of the record that it was made from")
    further_passages: tuple[str, ...] = Field(default=(), description="ids of passages it rests on beside `passage`")
    further_quotes: tuple[str, ...] = Field(default=(), description="their words, one of each of further_passages")
    difficulty: str = Field(default="", description="easy, medium or hard, where it was asked for")
    equations: tuple[str, ...] = Field(default=(), description="what a program computes the result from")
    result: str = Field(default="", description="what a worked answer comes to")
    labels: tuple[str, ...] = Field(default=(), description="what an answer that classifies is chosen from")
    rejected_answer: str = Field(default="", description="the worse answer of a pair")
    replaces: str = Field(default="", description="id of the record of which a person wanted another version, this one")
    fix: str = Field(default="", description="what the person said is wrong with that record")
    rules: tuple[str, ...] = Field(default=(), description="rules of the person's that changed its text, by name")
    drafted: str = Field(default="", description="the question before a rule changed it: it names the record still")
    place: str = Field(default="", description="of an imported row: file and row that it stands in, as file:17")
    request: str = Field(description="key of the request whose reply held it")

    @property
    def matter(self) -> str:
        """Names what it says about its fact, whatever the wording of the question: judged once."""
        return content_id(self.fact, self.answer)

    @property
    def bearers(self) -> tuple[str, ...]:
        """Ids of the passages that bear its answer out: the first, or all where each has its quote, as in a joint kind
        and what is made of one; ("",) if it names none."""
        return _bearers(self)


class Record(_Frozen):
    """A draft that passed every check. It knows its parents, so that "why did the student learn
    this?" is a look-up. What most records have not is left out of the files they are written to."""

    id: str = Field(description="content_id of its source, its normalised question and what the question stands beside")
    kind: Kind
    question: str
    answer: str
    quote: str = ""
    source: str = Field(description="the document, the persona, the bank of fields, or the imported set")
    page: int | None = None
    span: tuple[int, int] | None = Field(default=None, description="of the quote in the document's cleaned text")
    passage: str = ""
    field: str = ""
    fact: str
    flags: tuple[str, ...] = ()
    score: float | None = Field(
        default=None,
        description="0 to 1, low is doubtful: the share of an answer's words that its passage holds; of a question to"
        " be refused, the share of its words that no passage holds (rare words count more)",
    )
    term: str = Field(default="", description="the term of the document that a near-topic question names")
    twin: str = Field(default="", description="id of the trained question with an answer that a refusal sounds like")
    typo_of: str = Field(default="", description="id of the record whose question this one is, with a typing slip")
    context: str = Field(default="", description="text that is shown with the question, and that the answer rests on")
    earlier: tuple[str, ...] = Field(
        default=(), description="the turns before the question: question and answer in turn, the oldest first"
    )
    parent: str = Field(default="", description="id of the record that it was made from")
    further_passages: tuple[str, ...] = Field(default=(), description="ids of passages it rests on beside `passage`")
    further_quotes: tuple[str, ...] = Field(default=(), description="their words, one of each of further_passages")
    difficulty: str = Field(default="", description="easy, medium or hard, where it was asked for")
    equations: tuple[str, ...] = Field(default=(), description="what a program computes the result from")
    result: str = Field(default="", description="what a worked answer comes to")
    labels: tuple[str, ...] = Field(default=(), description="what an answer that classifies is chosen from")
    rejected_answer: str = Field(default="", description="the worse answer of a pair")
    place: str = Field(default="", description="of an imported row: file and row that it stands in, as file:17")
    model: str = Field(description="the teacher, as it named itself in the reply; empty of what no teacher drafted")
    prompt: str = Field(description="content_id of the prompt template")
    request: str
    edited: bool = Field(default=False, description="a person changed its text by hand")
    replaces: str = Field(default="", description="id of the record of which a person wanted another version, this one")
    fix: str = Field(default="", description="what the person said is wrong with that record")
    rules: tuple[str, ...] = Field(default=(), description="rules of the person's that changed its text, by name")

    @model_validator(mode="after")
    def _a_quoted_record_has_its_quote(self) -> Record:
        if KINDS[self.kind].quoted and not (self.quote and self.passage and self.page and self.span):
            raise ValueError(f"a {self.kind} record needs its quote, passage, page and span")
        _paired(self.earlier, self.further_passages, self.further_quotes)
        return self

    @property
    def is_refusal(self) -> bool:
        """Its right answer is the refusal sentence."""
        return self.kind in REFUSAL_KINDS

    @property
    def bearers(self) -> tuple[str, ...]:
        """Ids of the passages that bear its answer out: the first, or of a joint kind all; ("",) if it names none."""
        return _bearers(self)


def _bearers(item: Draft | Record) -> tuple[str, ...]:
    joint = KINDS[item.kind].joint or bool(item.further_quotes)
    return (item.passage, *item.further_passages) if joint else (item.passage,)


def _paired(earlier: tuple[str, ...], passages: tuple[str, ...], quotes: tuple[str, ...]) -> None:
    if len(earlier) % 2:
        raise ValueError("earlier: expected question and answer in turn, found a question without its answer")
    if quotes and len(quotes) != len(passages):
        raise ValueError("further_quotes: expected one of each of further_passages")


class Rejection(_Frozen):
    """A draft that did not pass, with the cause: a code named after the fault, and a sentence."""

    cause: str = Field(description="the fault in snake_case, for example near_duplicate")
    detail: str = Field(description="one sentence a person understands")
    kind: str
    question: str = ""
    answer: str = ""
    quote: str = ""
    partner: str = Field(default="", description="id of the record it repeats")
    passage: str = ""
    field: str = ""
    replaces: str = Field(default="", description="id of the record of which a person wanted another version, this one")
    place: str = Field(default="", description="of an imported row: file and row that it stands in, as file:17")
    request: str = ""
