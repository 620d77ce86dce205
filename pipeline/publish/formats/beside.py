"""The small files beside the rows: lines of YAML, the README, and export.json, which vouches for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field

from pipeline.publish.card import imitation, origin
from pipeline.publish.owed import licence_head, licence_of, owed
from pipeline.publish.schema import TRAIN, Manifest

if TYPE_CHECKING:
    from pipeline.publish.formats.form import Format, Written

README, EXPORT = "README.md", "export.json"


class ExportFile(BaseModel):
    """export.json: what was exported, from what, and the hash of each file. It is written last."""

    model_config = ConfigDict(extra="forbid")

    format: str
    dataset: str = Field(description="its name")
    manifest_sha256: str = Field(description="of the manifest.json that the rows were read beside")
    coursework: str = Field(description="version that wrote the folder")
    rows: dict[str, int] = Field(description="rows per file stem")
    mixed: dict[str, int] = Field(default_factory=dict, description="of the rows, those of each set that is mixed in")
    left_out: dict[str, int] = Field(description="rows for which the format has no place, by reason")
    files: dict[str, str] = Field(description="file name to sha256")


def yaml_text(comment: str, lines: Mapping[str, object]) -> str:
    """Lines of a trainer's configuration, under a comment that says whose they are."""
    return f"# {comment}\n{yaml.safe_dump(dict(lines), sort_keys=False, allow_unicode=True, width=120)}"


def readme(form: Format, written: Written, manifest: Manifest, left_out: Mapping[str, int]) -> str:
    """README.md: a head that `datasets` reads, so that it guesses no type; how to load; who wrote the rows; and
    whose sets are mixed in under which licences."""
    head = {
        "configs": [{"config_name": "default", "data_files": _files(form, written)}],
        "dataset_info": {"features": list(form.columns)},
    }
    parts = [
        f"---\n{licence_head(licence_of(manifest, written.mixed))}{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {manifest.name}, for {form.trainer}\n",
        f"{form.load(written).strip()}\n",
        origin(manifest),
    ]
    if manifest.living_persons:
        parts.append(imitation(manifest))
    if written.mixed:
        parts += owed(manifest, written.mixed, written.rows[TRAIN])
    parts += [f"Left out: {rows} rows, for {why}.\n" for why, rows in left_out.items()]
    return "\n".join(parts)


def _files(form: Format, written: Written) -> Sequence[Mapping[str, str]]:
    return [{"split": stem, "path": form.file(stem)} for stem in written.rows]
