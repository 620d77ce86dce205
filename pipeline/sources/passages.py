"""Documents cut into passages: verbatim slices under one heading, none longer than a number of tokens."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.records import Passage, content_id, normalised
from pipeline.sources.documents import Document
from pipeline.sources.sentences import split_sentences

Span = tuple[int, int]

_PAIRED = ("line", "item")
_PIECE = re.compile(r"[A-Za-z]{1,60}|[0-9]{1,60}|\s{1,60}|[^\x00-\x7f]|.", re.S)
"""Bounded, so that a word without end is not measured from its start to its end at each cut."""
_LETTERS_A_TOKEN = 6
_DIGITS_A_TOKEN = 2
_CLAUSE = re.compile(r"[,;:–—)\]]\s+|[，；：、]")


@dataclass(slots=True)
class _Section:
    """The spans of the blocks that stand under one heading."""

    heading: tuple[str, ...]
    spans: list[Span] = field(default_factory=list)


def estimate_tokens(text: str) -> int:
    """How many tokens a byte-pair vocabulary of 32,000 or more makes of a text, rather too many than too few.

    Six letters, two digits, one sign, or two bytes of any other script count as one token each. GPT-2's
    vocabulary makes 0.72 to 0.95 times as many of English prose, at most 1.1 times as many of any English
    passage measured (verse, web addresses); 1.2 times as many of Arabic and 1.4 of Latin, which it hardly
    knows. Newer vocabularies need fewer.
    """
    return sum(_tokens_of(piece) for piece in _PIECE.findall(text))


def cut_passages(document: Document, max_tokens: int) -> list[Passage]:
    """The document as passages, each `document.text[start:end]` letter for letter.

    A passage stays under one heading, which it carries but does not contain. Paragraphs are put together as
    long as they fit, a paragraph that does not fit is cut between sentences, and a sentence that does not fit
    between clauses, then words, then letters. A question is not parted from its answer where both fit.
    """
    if max_tokens < 8:
        raise ValueError(f"max_tokens is {max_tokens}: a passage needs room for a sentence")
    text, sha = document.text, document.sha256
    pages = _page_starts(document)
    passages = []
    for section in _pairs(document) if document.is_paired else _sections(document):
        for start, end in _packed(text, section.spans, max_tokens):
            if any(mark.isalnum() for mark in text[start:end]):
                passages.append(
                    Passage(
                        id=content_id(normalised(text[start:end])),
                        document=document.name,
                        document_sha256=sha,
                        heading=section.heading,
                        start=start,
                        end=end,
                        pages=_pages_of(start, end, pages),
                        unit=document.unit,
                        text=text[start:end],
                    )
                )
    return passages


def unique_passages(passages: Iterable[Passage]) -> list[Passage]:
    """Each text once: the first passage met keeps its place, later ones with the same id are left out."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.id, passage)
    return list(first.values())


def _tokens_of(piece: str) -> int:
    if piece.isspace():
        return piece.count("\n")
    if not piece.isascii():
        return -(-len(piece.encode("utf-8", "surrogatepass")) // 2)
    return -(-len(piece) // (_DIGITS_A_TOKEN if piece.isdigit() else _LETTERS_A_TOKEN))


def _pairs(document: Document) -> list[_Section]:
    """Each page as one span: it holds a question with its answer."""
    starts = [start for start, _ in _page_starts(document)]
    return [_Section((), [(start, start + len(page.text)) for start, page in zip(starts, document.pages, strict=True)])]


def _sections(document: Document) -> list[_Section]:
    """The blocks grouped by heading. A document of nothing but headings counts as one of text."""
    headings: list[tuple[int, str]] = []
    sections = [_Section(())]
    everything: list[Span] = []
    place = 0
    for page in document.pages:
        for block in page.blocks:
            span = (place, place + len(block.text))
            everything.append(span)
            place = span[1] + 1
            if block.kind != "heading":
                sections[-1].spans.append(span)
                continue
            if block.level:
                headings = [(level, title) for level, title in headings if level < block.level]
                headings.append((block.level, block.text))
            sections.append(_Section(tuple(title for _, title in headings)))
    filled = [section for section in sections if section.spans]
    return filled or [_Section((), everything)]


def _packed(text: str, spans: Iterable[Span], max_tokens: int) -> Iterator[Span]:
    """Spans put together as long as they fit. What each adds is counted once, so that long texts stay cheap."""
    start = end = total = 0
    for span in spans:
        for piece in _fitting(text, span, max_tokens):
            added = estimate_tokens(text[end : piece[1]]) if total else 0
            if total and total + added <= max_tokens:
                total, end = total + added, piece[1]
                continue
            if total:
                yield start, end
            start, end = piece
            total = estimate_tokens(text[start:end])
    if total:
        yield start, end


def _fitting(text: str, span: Span, max_tokens: int) -> Iterator[Span]:
    """The span if it fits, else its sentences, else pieces of those."""
    if estimate_tokens(text[slice(*span)]) <= max_tokens:
        yield span
        return
    for start, end in split_sentences(text[slice(*span)]):
        yield from _forced(text, (span[0] + start, span[0] + end), max_tokens)


def _forced(text: str, span: Span, max_tokens: int) -> Iterator[Span]:
    """A sentence cut as late as it fits, by preference after a clause, else after a word."""
    start, end = span
    while (limit := start + _longest(text, start, end, max_tokens)) < end:
        clause = max((match.end() for match in _CLAUSE.finditer(text, start, limit)), default=start)
        blank = text.rfind(" ", start + 1, limit + 1)
        word = blank if blank > start else limit
        cut = clause if clause > start + (limit - start) // 3 else word
        yield start, start + len(text[start:cut].rstrip())
        while cut < end and text[cut].isspace():
            cut += 1
        start = cut
    if start < end:
        yield start, end


def _longest(text: str, start: int, end: int, max_tokens: int) -> int:
    """How many characters from `start` on fit: at least one."""
    total = 0
    for piece in _PIECE.finditer(text, start, end):
        tokens = _tokens_of(piece.group())
        if total + tokens > max_tokens:
            step = _DIGITS_A_TOKEN if piece.group().isdigit() else _LETTERS_A_TOKEN
            divisible = piece.group().isascii() and piece.group().isalnum()
            return max(1, piece.start() - start + (step * (max_tokens - total) if divisible else 0))
        total += tokens
    return end - start


def _page_starts(document: Document) -> list[tuple[int, int]]:
    """(first character, number) of each page in the document's text."""
    starts, place = [], 0
    for page in document.pages:
        starts.append((place, page.number))
        place += len(page.text) + len(document.between)
    return starts


def _pages_of(start: int, end: int, pages: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    first = bisect_right(pages, start, key=lambda page: page[0]) - 1
    last = bisect_left(pages, end, key=lambda page: page[0])
    return ((0, pages[first][1]), *((place - start, number) for place, number in pages[first + 1 : last]))
