"""A sweep: the same dataset learned under a list of settings, and one table of what came of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, model_validator

from pipeline.errors import CourseworkError, InputError, RecipeError, TryAgainLater
from pipeline.yamlfile import Section, read_yaml
from train.dataset import fingerprint, read_dataset
from train.examination.examine import examine_student
from train.files import write_whole
from train.progress import Progress, Say, no_progress
from train.results import Result, folder_of, result_of, table
from train.settings import settings_of
from train.sft import train_student
from train.student_json import read_student

LONGEST_NAME = 64


class SweepFile(Section):
    """The file of a sweep: `common` holds for every student, `grid` is multiplied out, `students` are listed."""

    common: dict[str, Any] = Field(default_factory=dict, description="fields of the student section that all share")
    grid: dict[str, list[Any]] = Field(
        default_factory=dict,
        description="field and its values; every combination is trained, a.b names a field of a section",
    )
    students: list[dict[str, Any]] = Field(
        default_factory=list, description="student sections, beside those of the grid"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> SweepFile:
        if not self.grid and not self.students:
            raise ValueError("expected grid or students: without either there is nothing to compare")
        return self

    def sections(self, before: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """Every student section with what is special about it, in the file's order: the grid first."""
        special = [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]
        special = (special if self.grid else []) + [dict(one) for one in self.students]
        return [_section({**before, **self.common}, one) for one in special]


class Sweep(BaseModel):
    """sweep.json: the students of a sweep, all of one dataset."""

    dataset_sha256: str
    results: list[Result]


def sweep(
    dataset: Path,
    file: Path,
    before: Mapping[str, Any] | None,
    out: Path | None,
    say: Say,
    progress: Progress = no_progress,
) -> tuple[Path, Sweep]:
    """Trains and examines a student for each setting of `file`, and returns the folder with sweep.md and the table.

    `before` is a recipe's student section, on which the file's are laid; without it the manifest's. What was trained
    or examined on the same data with the same settings is not done again. A setting that fails has its cause in the
    table; one that is no setting at all ends the sweep before the first is trained.
    """
    data = read_dataset(dataset)
    wanted = read_yaml(file, SweepFile).sections(data.manifest.student if before is None else before)
    for section, _ in wanted:
        settings_of(section, file)
    _all_differ([str(section["name"]) for section, _ in wanted], file)
    folder = folder_of(dataset, out, "sweeps", file.stem)
    results: list[Result] = []
    for number, (section, special) in enumerate(wanted, start=1):
        say(f"{number} of {len(wanted)}: {section['name']}")
        _same_data(dataset, data.sha256)
        results.append(_one(dataset, section, special, folder, (say, progress)))
        found = Sweep(dataset_sha256=data.sha256, results=results)
        write_whole(folder / "sweep.json", found.model_dump_json(indent=2) + "\n")
        write_whole(folder / "sweep.md", _page(file.stem, data.manifest.name, found))
    return folder, Sweep(dataset_sha256=data.sha256, results=results)


def _one(
    dataset: Path, section: dict[str, Any], special: dict[str, str], folder: Path, told: tuple[Say, Progress]
) -> Result:
    say, progress = told
    try:
        home = train_student(dataset, section, folder, False, say, progress)
        return result_of(read_student(home), examine_student(home, False, say, progress), special)
    except TryAgainLater:
        raise
    except CourseworkError as fault:
        say(f"{section['name']}: {fault}")
        return Result(name=str(section["name"]), settings=special, cause=str(fault))


def _section(shared: dict[str, Any], special: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    section = json.loads(json.dumps(shared))  # a copy to the ground
    for field, value in special.items():
        _put(section, field.split("."), value)
    told = {field: json.dumps(value, ensure_ascii=False) for field, value in special.items() if field != "name"}
    section["name"] = special.get("name") or _name(told)
    return section, told


def _put(section: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = section.setdefault(step, {})
        if not isinstance(inner, dict):
            raise RecipeError(f"{'.'.join(path)}: {step} is no section.")
        section = inner
    section[path[-1]] = value


def _name(special: Mapping[str, str]) -> str:
    """A folder's name made of what is special; what does not fit is told apart by a hash."""
    said = "_".join(f"{field.rpartition('.')[2]}-{value}" for field, value in special.items()) or "as-it-is"
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in said).strip("-._")
    if plain == said and len(said) <= LONGEST_NAME:
        return said
    return f"{plain[: LONGEST_NAME - 9]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def _all_differ(names: list[str], file: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecipeError(f"{file}: two students are called {', '.join(twice)}.", remedy="Give each a `name:`.")


def _same_data(dataset: Path, expected: str) -> None:
    if fingerprint(read_dataset(dataset).manifest) != expected:
        raise InputError(
            f"{dataset} changed while it was swept: the students would not be comparable.",
            remedy="Run the same command again; what was trained on the old data is trained anew.",
        )


def _page(name: str, dataset_name: str, found: Sweep) -> str:
    return (
        f"# Sweep {name}\n\nDataset {dataset_name} (sha256 {found.dataset_sha256[:16]}), the same for every row. "
        f"Shares with their 95 % interval.\n\n{table(found.results)}"
    )
