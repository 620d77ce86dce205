"""A trained and examined student as one row of a table, every share with its n and interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from train.examination.intervals import Measure
from train.examination.record import Examination
from train.student_json import StudentFile

SHOWN: dict[str, tuple[str, str]] = {
    "trained, right": ("trained", "exact"),
    "rephrased, right": ("rephrased", "exact"),
    "rephrased, refused": ("rephrased", "false_refusal"),
    "off-topic, refused": ("off_topic", "refusal_recall"),
    "near-topic, refused": ("near_topic", "refusal_recall"),
    "trained, stopped": ("trained", "stopped"),
}
"""Column, and the slice and measure of the examination that stand in it."""


class Result(BaseModel):
    """What one training came to. `cause` is empty unless it failed."""

    model_config = ConfigDict(frozen=True)

    name: str
    settings: dict[str, str] = {}
    dataset_sha256: str = ""
    weights_sha256: str = ""
    trainable: int = 0
    steps: int = 0
    seconds: float = 0
    loss: float | None = None
    measures: dict[str, Measure] = {}
    cause: str = ""


def result_of(described: StudentFile, examination: Examination, settings: dict[str, str] | None = None) -> Result:
    """The row of a student."""
    return Result(
        name=described.name,
        settings=settings or {},
        dataset_sha256=described.dataset_sha256,
        weights_sha256=described.weights_sha256,
        trainable=described.parameters.trainable,
        steps=described.steps,
        seconds=described.seconds,
        loss=described.loss[-1].loss if described.loss else None,
        measures={
            column: examination.slices[slice_]["student"][measure]
            for column, (slice_, measure) in SHOWN.items()
            if measure in examination.slices.get(slice_, {}).get("student", {})
        },
    )


def table(results: Sequence[Result]) -> str:
    """Markdown, one row a student; a share is followed by its 95 % interval and n."""
    columns = [column for column in SHOWN if any(column in one.measures for one in results)]
    header = ["student", "weights trained", "steps", "seconds", "loss", *columns]
    rows = [[one.name, *_figures(one), *(_share(one.measures.get(column)) for column in columns)] for one in results]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _figures(one: Result) -> list[str]:
    if one.cause:
        return [f"failed: {one.cause}".replace("|", "/"), "", "", ""]
    return [
        f"{one.trainable:,}",
        str(one.steps),
        f"{one.seconds:.0f}",
        f"{one.loss:.4f}" if one.loss is not None else "",
    ]


def _share(measure: Measure | None) -> str:
    if measure is None or measure.value is None or measure.low is None or measure.high is None:
        return ""
    return f"{measure.value:.1%} ({measure.low:.1%} to {measure.high:.1%}, n {measure.n})"


def folder_of(dataset: Path, out: Path | None, kind: str, name: str) -> Path:
    """Where the students of a sweep or a curve go: beside the dataset unless it is said."""
    return out or dataset.resolve().parent / kind / name
