"""What a run leaves beside the sheets, so that whoever reads them can have them checked without recipe and documents.

All of it is derived: the next run writes it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ValidationError

from pipeline.desk.decisions import Conflict
from pipeline.files import BadLine, Model, Writing, json_line, read_json_lines, write_whole
from pipeline.recipe import Recipe
from pipeline.records import Passage, Rejection
from pipeline.review.sheets import sheet_schema

RECIPE, PASSAGES, CONFLICTS, REJECTED = "recipe.json", "passages.jsonl", "conflicts.jsonl", "rejected.jsonl"


_NO_FAILURE = frozenset({"superseded", "dropped_by_person", "replaced_by_fix"})
"""Causes for which a version that came to stand is out again."""


class Machines(BaseModel):
    """What the machine makes today of a record that a person edited."""

    id: str
    question: str
    answer: str


def leave_material(folder: Path, recipe: Recipe, passages: Iterable[Passage]) -> None:
    """The recipe as it was understood, the passages, and the schema of a sheet's line. Raises CannotWrite."""
    write_whole(folder / RECIPE, f"{recipe.model_dump_json(indent=2)}\n".encode())
    write_whole(folder / "review" / "schema.json", sheet_schema().encode())
    with Writing(folder / PASSAGES) as file:
        for passage in passages:
            file.write(json_line(passage))
        file.finish()


def leave_conflicts(folder: Path, conflicts: Iterable[Conflict]) -> None:
    """What the machine makes today of what a person edited. Raises CannotWrite."""
    with Writing(folder / CONFLICTS) as file:
        for one in conflicts:
            machine = one.machine
            file.write(json_line(Machines(id=machine.id, question=machine.question, answer=machine.answer)))
        file.finish()


class Beside:
    """What the last run left in an outputs folder, read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def recipe(self) -> Recipe | None:
        """As the last run understood it; None if none has left it here, or this version cannot read it."""
        try:
            return Recipe.model_validate_json((self._folder / RECIPE).read_bytes())
        except (OSError, ValidationError):
            return None

    @cached_property
    def passages(self) -> Mapping[str, Passage]:
        """By id."""
        return {one.id: one for one in self._read(PASSAGES, Passage)}

    @cached_property
    def machines(self) -> Mapping[str, Machines]:
        """What the machine made of what a person edited, by id."""
        return {one.id: one for one in self._read(CONFLICTS, Machines)}

    @cached_property
    def failed(self) -> Mapping[str, Rejection]:
        """Of records that a person wanted mended, why the last version did not pass."""
        rejected = self._read(REJECTED, Rejection)
        return {one.replaces: one for one in rejected if one.replaces and one.cause not in _NO_FAILURE}

    def _read(self, name: str, model: type[Model]) -> Iterable[Model]:
        path = self._folder / name
        lines = read_json_lines(path, model) if path.exists() else ()
        return (line[1] for line in lines if not isinstance(line, BadLine))
