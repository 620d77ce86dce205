"""The dataset folder's files, made of split records: rows, schema, features, manifest, card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.files import json_lines, sha256
from pipeline.publish.card import card
from pipeline.publish.schema import SLICES, TRAIN, Manifest, Row, features, row_schema
from pipeline.recipe import Recipe
from pipeline.records import Record


@dataclass(frozen=True)
class Provenance:
    """What the dataset was made of, besides its records."""

    version: str
    """Of coursework."""
    recipe_sha256: str
    prompts: Mapping[str, str]
    sources: Mapping[str, str]
    embedded_teacher: bool
    living_persons: Sequence[str]
    remarks: Sequence[str] = ()
    """What the run says of the whole set."""
    diversity: Mapping[str, Any] = field(default_factory=dict)
    """The same as numbers."""


def dataset_files(recipe: Recipe, parts: Mapping[str, Sequence[Record]], provenance: Provenance) -> dict[str, bytes]:
    """File name to content. An empty slice has no file: loaders refuse an empty one."""
    published = {stem: parts[stem] for stem in (TRAIN, *SLICES)}
    files = {
        f"{stem}.jsonl": json_lines(_row(record, recipe.prompt_format) for record in records)
        for stem, records in published.items()
        if records
    }
    files["schema.json"] = row_schema().encode()
    files["features.json"] = _pretty(features())
    manifest = Manifest(
        name=recipe.name,
        coursework=provenance.version,
        recipe_sha256=provenance.recipe_sha256,
        recipe=recipe.model_dump(mode="json", exclude={"student"}),
        student=recipe.student,
        prompt_format=recipe.prompt_format,
        refusals=[recipe.refusals.sentence] if recipe.refusals else [],
        prompts=dict(provenance.prompts),
        models=sorted({record.model for records in published.values() for record in records}),
        embedded_teacher=provenance.embedded_teacher,
        sources=dict(provenance.sources),
        counts={stem: len(records) for stem, records in published.items()},
        files={name: sha256(content) for name, content in sorted(files.items())},
        living_persons=list(provenance.living_persons),
        remarks=list(provenance.remarks),
        diversity=dict(provenance.diversity),
    )
    files["README.md"] = card(manifest, recipe).encode()
    manifest.files["README.md"] = sha256(files["README.md"])
    files["manifest.json"] = _pretty(manifest.model_dump(mode="json"))
    return files


def _row(record: Record, prompt_format: str) -> Row:
    return Row(
        prompt=prompt_format.format(question=record.question),
        completion=f" {record.answer}",
        question=record.question,
        answer=record.answer,
        kind=record.kind,
        refusal=record.is_refusal,
        id=record.id,
        fact=record.fact,
        source=record.source,
        page=record.page or 0,
        quote=record.quote,
        passage=record.passage,
        field=record.field,
        model=record.model,
        edited=record.edited,
    )


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
