"""The dataset folder's files, made of assigned records: rows, schema, features, manifest, card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.constraints import Constraints
from pipeline.files import json_line, sha256
from pipeline.publish.card import card
from pipeline.publish.schema import (
    PREFERENCE,
    SLICES,
    TRAIN,
    Manifest,
    MixedSet,
    Pair,
    PromptFormat,
    Row,
    features,
    row_schema,
)
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
    mix: Mapping[str, MixedSet] = field(default_factory=dict)
    """Sets that others made, by name."""
    licence: str = ""
    """Of the whole, where it follows from its parts."""
    constraints: Mapping[str, Constraints] = field(default_factory=dict)
    """What answers may measure, by the kind of their records."""
    drift: Mapping[str, Any] = field(default_factory=dict)
    """How texts are written without the mix and with it."""
    drift_table: Sequence[Sequence[str]] = ()
    """The same for a person: a head, and a row of cells for each that is compared."""


class Dataset:
    """The files of a dataset folder: first the rows, as the records stream by, then what speaks of them."""

    def __init__(self, recipe: Recipe, provenance: Provenance) -> None:
        self._recipe = recipe
        self._provenance = provenance
        self._prompts = PromptFormat(recipe.prompt_format, recipe.context_format)
        self._counts: Counter[str] = Counter(dict.fromkeys((TRAIN, *SLICES), 0))
        self._models: set[str] = set()
        self._refusals: dict[str, None] = dict.fromkeys(recipe.refusals.every_sentence if recipe.refusals else ())
        """The recipe's sentences, then those that a person put in their place in a sheet."""

    def lines(self, rows: Iterable[tuple[str, Record]]) -> Iterator[tuple[str, bytes]]:
        """File name and row of each record, given with its file's stem; those withheld have no row.

        An empty slice has no file: loaders refuse an empty one.
        """
        for name, record in rows:
            if name not in (TRAIN, *SLICES, PREFERENCE):
                continue
            self._counts[name] += 1
            if record.model:
                self._models.add(record.model)
            if record.is_refusal:
                self._refusals.setdefault(record.answer)
            line = _pair(record, self._prompts) if name == PREFERENCE else _row(record, self._prompts)
            yield f"{name}.jsonl", json_line(line)

    def closing(self, hashes: Mapping[str, str]) -> dict[str, bytes]:
        """The small files by name, given the hashes of the files of rows."""
        recipe, provenance = self._recipe, self._provenance
        files = {"schema.json": row_schema().encode(), "features.json": _pretty(features())}
        if self._counts[PREFERENCE]:
            files["preference_schema.json"] = row_schema(Pair).encode()
            files["preference_features.json"] = _pretty(features(Pair))
        manifest = Manifest(
            name=recipe.name,
            coursework=provenance.version,
            recipe_sha256=provenance.recipe_sha256,
            recipe=recipe.model_dump(mode="json", exclude={"student"}),
            student=recipe.student,
            prompt_format=recipe.prompt_format,
            context_format=recipe.context_format,
            refusals=list(self._refusals),
            prompts=dict(provenance.prompts),
            models=sorted(self._models),
            embedded_teacher=provenance.embedded_teacher,
            sources=dict(provenance.sources),
            counts=dict(self._counts),
            files=dict(sorted({**hashes, **{name: sha256(content) for name, content in files.items()}}.items())),
            living_persons=list(provenance.living_persons),
            remarks=list(provenance.remarks),
            diversity=dict(provenance.diversity),
            licence=provenance.licence,
            own_licence=recipe.licence,
            mix=dict(provenance.mix),
            drift=dict(provenance.drift),
            constraints=dict(provenance.constraints),
        )
        files["README.md"] = card(manifest, recipe, provenance.drift_table).encode()
        manifest.files["README.md"] = sha256(files["README.md"])
        files["manifest.json"] = _pretty(manifest.model_dump(mode="json"))
        return files


def _row(record: Record, prompts: PromptFormat) -> Row:
    return Row(
        prompt=prompts.of(record.question, record.context, record.earlier),
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
        twin=record.twin,
        typo_of=record.typo_of,
        context=record.context,
        earlier=record.earlier,
        parent=record.parent,
        replaces=record.replaces,
        rules=record.rules,
        difficulty=record.difficulty,
        result=record.result,
        place=record.place,
    )


def _pair(record: Record, prompts: PromptFormat) -> Pair:
    return Pair(
        prompt=prompts.of(record.question, record.context, record.earlier),
        chosen=f" {record.answer}",
        rejected=f" {record.rejected_answer}",
        question=record.question,
        kind=record.kind,
        id=record.id,
        parent=record.parent,
        fault=record.field,
        fact=record.fact,
        source=record.source,
        page=record.page or 0,
        quote=record.quote,
        passage=record.passage,
        model=record.model,
        edited=record.edited,
        context=record.context,
        earlier=record.earlier,
    )


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
