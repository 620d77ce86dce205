"""The model card of a student: what it is made of, how it was examined, how it is asked, and under which licence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import InputError
from pipeline.publish.schema import Manifest
from train.examination.record import FILE as EXAMINATION
from train.generation import Generation
from train.settings import LOCAL
from train.student_json import StudentFile
from train.students import looks_like_path

IMITATION = "**Synthetic imitation.**"
"""How the paragraph begins that a dataset's card has where a living person is imitated."""
_FIGURES = ("exact", "f1", "refusal_recall", "false_refusal", "stopped")


def card_of(folder: Path, student: StudentFile, manifest: Manifest, dataset: Path, licence: str) -> str:
    """The card's text; figures and settings are the examination's where there is one."""
    found = _examination(folder)
    return f"---\n{_head(student, manifest, found, licence)}---\n\n{_body(folder, student, manifest, dataset, found)}"


def imitation(dataset: Path, manifest: Manifest) -> str:
    """What the dataset's card says about imitating a living person, empty where nobody is imitated.

    Raises InputError if it should say so and does not: then nothing of it may be shown.
    """
    if not manifest.living_persons:
        return ""
    text = (dataset / "README.md").read_text(encoding="utf-8") if (dataset / "README.md").exists() else ""
    said = next((part for part in text.split("\n\n") if part.startswith(IMITATION)), "")
    missing = [name for name in manifest.living_persons if name not in said]
    if missing:
        raise InputError(
            f"{dataset / 'README.md'} does not say that answers imitate {', '.join(missing)}, a living person: shown "
            "without those words they would be taken for that person's own.",
            remedy="Publish the dataset again; its card says so by itself.",
        )
    return f"{said.strip()}\n"


def _examination(folder: Path) -> dict[str, Any]:
    path = folder / EXAMINATION
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


def _head(student: StudentFile, manifest: Manifest, found: dict[str, Any], licence: str) -> str:
    settings = student.read_settings()
    on_the_hub = settings.base != LOCAL and not looks_like_path(settings.base)
    head: dict[str, Any] = {
        "license": licence or None,
        "base_model": settings.base if on_the_hub else None,
        "library_name": "peft" if settings.is_adapter and on_the_hub else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["coursework", *(["synthetic-imitation"] if manifest.living_persons else [])],
        "model-index": [{"name": student.name, "results": _results(student, found)}] if found else None,
    }
    kept = {key: value for key, value in head.items() if value is not None}
    undecided = "" if licence else "# license: yours to choose; mind those of the base and of the dataset\n"
    return undecided + yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)


def _results(student: StudentFile, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The examination's figures in the form that the hub shows beside a model."""
    results = []
    for name, sides in found.get("slices", {}).items():
        measures = sides.get("student", {})
        metrics = [
            {"type": figure, "value": measures[figure]["value"], "name": f"{figure} (n={measures[figure]['n']})"}
            for figure in _FIGURES
            if figure in measures and measures[figure]["value"] is not None
        ]
        if metrics:
            dataset = {"name": student.dataset_name, "type": student.dataset_name, "split": name}
            results.append({"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics})
    return results


def _body(folder: Path, student: StudentFile, manifest: Manifest, dataset: Path, found: dict[str, Any]) -> str:
    page = folder / "examination.md"
    parts = [
        f"# {student.name}\n",
        _origin(student),
        imitation(dataset, manifest),
        _parts(student),
        _asked(student, found),
        page.read_text(encoding="utf-8") if found and page.exists() else "Not examined.\n",
    ]
    return "\n".join(part for part in parts if part)


def _origin(student: StudentFile) -> str:
    settings, weights = student.read_settings(), student.parameters
    base = "random weights" if settings.base == LOCAL else Path(settings.base).name
    if settings.base != LOCAL and not looks_like_path(settings.base):
        at = f" at {student.base_revision}" if student.base_revision else ""
        base = f"`{settings.base}`{at}"
    return (
        f"Trained by coursework from {base} on the dataset `{student.dataset_name}`, method {settings.method}: "
        f"{weights.trainable:,} of {weights.total:,} weights, {student.steps} steps.\n"
    )


def _parts(student: StudentFile) -> str:
    loss = f"{student.loss[-1].loss:.4f}" if student.loss else "unknown"
    rows = {
        "dataset sha256": f"`{student.dataset_sha256}`",
        "weights sha256": f"`{student.weights_sha256}`",
        "base sha256": f"`{student.base_sha256}`" if student.base_sha256 else "the hub's",
        "last training loss": loss,
        "precision": student.precision,
        "hardware": str(student.hardware.get("device", "")),
        "versions": ", ".join(f"{name} {number}" for name, number in student.versions.items() if number),
    }
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def _asked(student: StudentFile, found: dict[str, Any]) -> str:
    rendering = student.rendering
    generation = found.get("generation") or Generation.for_longest(student.fit.longest_answer).model_dump()
    rules = ", ".join(f"{name} {value}" for name, value in generation.items() if name != "batch")
    form = (
        "with the tokenizer's own chat template"
        + (f" and the system prompt `{rendering.system}`" if rendering.system else "")
        if rendering.form == "chat"
        else f"as {json.dumps(rendering.prompt_format, ensure_ascii=False)}, and the answer begins with a blank"
    )
    return f"It is asked {form}; it ends every answer on `{student.fit.end_of_text}`. Generation: {rules}.\n"
