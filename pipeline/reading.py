"""What the pipeline sees of documents: each file read as the recipe says, its fate, and its passages."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from pipeline.errors import RecipeError
from pipeline.recipe import Documents, load_recipe
from pipeline.records import Passage
from pipeline.sources.blocks import ReadLimits, ReadOptions
from pipeline.sources.documents import Document, Unread, find_documents, read_document
from pipeline.sources.passages import cut_passages, unique_passages


@dataclass(frozen=True)
class Seen:
    """One file as `coursework read` tells of it."""

    file: str
    fate: str
    pages: int
    """In the file, as far as that is known; those without text among them."""
    characters: int
    """Of the cleaned text; 0 for a file that was not read."""
    cause: str
    """Why it was not read; empty for one that was."""
    reader: str
    passages: tuple[Passage, ...]
    warnings: tuple[str, ...]
    unit: str = "page"
    """What its pages are: pages, chapters of a book, lines or items of a file of pairs."""

    @property
    def json(self) -> str:
        """One line; of the passages only their number."""
        return json.dumps(vars(self) | {"passages": len(self.passages)}, ensure_ascii=False)

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        if self.cause:
            yield f"{self.file}: {self.fate}: {self.cause}"
        else:
            yield (
                f"{self.file}: {self.fate} by {self.reader}, {_counted(self.pages, self.unit)},"
                f" {_counted(self.characters, 'character')}, {_counted(len(self.passages), 'passage')}"
            )
        yield from (f"  {warning}" for warning in self.warnings)

    def text(self) -> Iterator[str]:
        """Every passage under the page it starts on and the headings it stands under."""
        for passage in self.passages:
            yield f"--- {' | '.join([passage.where, *passage.heading])}"
            yield passage.text


def see(files: Sequence[str], recipe: Path | None) -> Iterator[Seen]:
    """Each file, in the order of `find_documents`, read as `recipe` says or else by the defaults.

    Without `files` those of the recipe are read. Raises InputError if a pattern names nothing, RecipeError if
    the recipe is wrong or has no documents.
    """
    if recipe is None:
        wanted, folder = Documents(files=tuple(files)), Path()
    else:
        loaded = load_recipe(recipe)
        if loaded.recipe.documents is None:
            raise RecipeError(f"{recipe}: has no documents: section.", remedy="Name files instead.")
        wanted, folder = loaded.recipe.documents, Path() if files else loaded.folder
    seen = find_documents(files or wanted.files, folder)
    for found in _read(seen, wanted, _printable):
        if isinstance(found, Unread):
            yield Seen(found.name, found.fate, found.page_count, 0, found.cause, "", (), ())
            continue
        passages = tuple(unique_passages(cut_passages(found, wanted.passage_tokens)))
        characters = len(found.text)
        told = (found.reader, passages, found.warnings, found.unit)
        yield Seen(found.name, "read", found.page_count, characters, "", *told)


def read_documents(wanted: Documents, folder: Path) -> Iterator[Document | Unread]:
    """What the recipe's section names, file after file. Raises InputError if a pattern names nothing."""
    yield from _read(find_documents(wanted.files, folder), wanted, lambda path: _name(path, folder))


def _read(paths: Sequence[Path], wanted: Documents, name: Callable[[Path], str]) -> Iterator[Document | Unread]:
    limits = ReadLimits(seconds=wanted.seconds_per_file, memory_mib=wanted.memory_mib_per_file)
    options = ReadOptions(**{one.name: getattr(wanted, one.name) for one in fields(ReadOptions)})
    password = os.environ.get(wanted.password_env) if wanted.password_env else None
    for path in paths:
        found = read_document(path, name(path), limits, password, options)
        if isinstance(found, Unread) and found.fate == "encrypted" and not password:
            hint = f"{wanted.password_env} is not set" if wanted.password_env else "name one in documents.password_env"
            found = replace(found, cause=f"{found.cause}: {hint}")
        elif isinstance(found, Unread) and found.fate == "too-slow":
            found = replace(found, cause=f"{found.cause}: documents.seconds_per_file may allow it more")
        yield found


def _name(path: Path, folder: Path) -> str:
    """The path as the recipe would write it, less the climbing: the same on every machine."""
    return _printable(re.sub(r"^(\.\./)+", "", Path(os.path.relpath(path, folder)).as_posix()))


def _printable(name: str | Path) -> str:
    """A file may be called anything: what no terminal and no JSON can show is escaped."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in str(name))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
