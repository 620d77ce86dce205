"""Where material comes from: documents read into pages, pages cut into passages; and personas.

    find_documents(patterns, base)         files, folders and globs, in a stable order
    read_document(path, name, limits)      a Document, or an Unread that names fate and cause
    cut_passages(document, max_tokens)     verbatim slices that never straddle a heading
    unique_passages(passages)              the same text met twice is kept once
    split_sentences(text)                  character spans of the sentences

The road of one file: `documents` has it read by a child (`apart`), the child (`child`) calls one reader per
format (`pdf`, `word`, `epub`, `markup`, `markdown`, `plain`, and `csv_pairs` and `json_pairs` for `pairs` of a
question and its answer), and the reader hands over `blocks`, which `guard` looks over. A PDF page comes from
`pen` (what pypdf draws, and where), `pdfium_pages` or, if it is a picture, `ocr`; it passes through `layout`
(pieces of text into lines), `margins` (running heads and page numbers out), `tables` (lines into rows) and
`flow` (lines into headings, paragraphs and list items). `clean` repairs characters; `quality` says whether they
are language at all, and which reader made more of a page.

Names are looked up only when they are asked for: the child imports from this package without pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.sources.blocks import ReadLimits, ReadOptions
    from pipeline.sources.documents import Document, Page, Unread, find_documents, read_document
    from pipeline.sources.passages import cut_passages, estimate_tokens, unique_passages
    from pipeline.sources.sentences import split_sentences

__all__ = [
    "Document",
    "Page",
    "ReadLimits",
    "ReadOptions",
    "Unread",
    "cut_passages",
    "estimate_tokens",
    "find_documents",
    "read_document",
    "split_sentences",
    "unique_passages",
]

_HOMES = {
    "ReadLimits": "blocks",
    "ReadOptions": "blocks",
    "Document": "documents",
    "Page": "documents",
    "Unread": "documents",
    "find_documents": "documents",
    "read_document": "documents",
    "cut_passages": "passages",
    "estimate_tokens": "passages",
    "unique_passages": "passages",
    "split_sentences": "sentences",
}


def __getattr__(name: str) -> object:
    """The public name, from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
