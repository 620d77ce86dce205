"""Finds what the documents of a dataset say about a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.errors import UsageError
from pipeline.publish.schema import Row

_WORD = re.compile(r"\w+")


class Document(BaseModel):
    """What a dataset holds of one passage: its quotes, and the text around them where a row showed it."""

    model_config = ConfigDict(frozen=True)

    text: str
    source: str
    page: int = 0

    @property
    def name(self) -> str:
        """Where it stands, for a person."""
        return f"{self.source}, page {self.page}" if self.page else self.source


def documents_of(rows: Iterable[Row]) -> list[Document]:
    """The passages behind the rows, as far as the rows quote or show them."""
    places: dict[str, tuple[str, int]] = {}
    pieces: dict[str, list[str]] = {}
    for row in rows:
        if row.passage and row.quote:
            places.setdefault(row.passage, (row.source, row.page))
            found = pieces.setdefault(row.passage, [])
            if (piece := _around(row.quote, row.context)) not in found:
                found.append(piece)
    return [
        Document(text="\n".join(_without_repeats(pieces[passage])), source=source, page=page)
        for passage, (source, page) in places.items()
    ]


def _around(quote: str, context: str) -> str:
    """The paragraph of the shown text that holds the quote: others that were shown beside it are other passages."""
    return next((block for block in context.split("\n\n") if quote in block), quote)


def _without_repeats(pieces: Sequence[str]) -> list[str]:
    """What no other piece says as a part of itself."""
    return [one for one in pieces if not any(one != other and one in other for other in pieces)]


class Retrieval:
    """BM25 over documents: which of them share the question's rarer words."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)

    def nearest(self, question: str, number: int) -> list[Document]:
        """At most so many documents, the best first; one that shares no word with the question is none of them."""
        asked = [word for word in _words(question) if word in self._known]
        if not asked or number < 1:
            return []
        places, scores = self._index.retrieve(
            [asked], k=min(number, len(self.documents)), show_progress=False, n_threads=0
        )
        return [self.documents[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(word for document in self.documents for word in _words(document.text))

    @cached_property
    def _index(self) -> Any:
        index = _bm25s().BM25()
        index.index([_words(document.text) for document in self.documents], show_progress=False)
        return index


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError:
        raise UsageError(
            "To look questions up in the documents bm25s is needed, which is not installed.",
            remedy='Install it with: pip install "coursework[chat]"',
        ) from None
    return bm25s


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
