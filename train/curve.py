"""A learning curve: how much a student gains from more rows, and whether still more would be worth it."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal

from pydantic import BaseModel

from pipeline.errors import UsageError
from pipeline.publish.schema import SLICES, TRAIN
from train.dataset import DatasetFolder, read_dataset
from train.examination.examine import examine_student
from train.files import appearing_whole, write_whole
from train.plots import draw_gain
from train.progress import Progress, Say, no_progress
from train.results import Result, folder_of, result_of
from train.sft import train_student
from train.student_json import read_student

SHARES = (10, 25, 50, 100)
SEEDS = (0, 1, 2)
ASKED = ("rephrased, right", "off-topic, refused")
"""What is asked of held-out questions; the trained ones say nothing about more data."""
WORTH = 0.02
"""A doubling that brings less than two points is not worth its cost."""
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Student's t, two-sided, by degrees of freedom: three seeds have two."""

Answer = Literal["yes", "no", "cannot be told"]


class Point(BaseModel):
    """One measure at one share: the mean over seeds, and the seeds themselves."""

    share: int
    rows: int
    mean: float
    low: float
    high: float
    by_seed: list[float]


class Verdict(BaseModel):
    """Whether more data is worth it, by one measure, and why."""

    measure: str
    answer: Answer
    reason: str


class Curve(BaseModel):
    """curve.json."""

    dataset_sha256: str
    seeds: list[int]
    points: dict[str, list[Point]]
    verdicts: list[Verdict]
    results: list[Result]

    @property
    def answer(self) -> Answer:
        """Yes if any measure says so; no if all do."""
        said = {one.answer for one in self.verdicts}
        return "yes" if "yes" in said else "no" if said == {"no"} else "cannot be told"


def curve(
    dataset: Path,
    section: Mapping[str, Any] | None,
    out: Path | None,
    plan: tuple[Sequence[int], Sequence[int]],
    say: Say,
    progress: Progress = no_progress,
) -> tuple[Path, Curve]:
    """Trains on nested shares of one shuffled order with each seed of `plan`, and returns the folder with curve.md,
    curve.png and what they say.

    What was trained before on the same rows with the same settings is not trained again.
    """
    shares, seeds = _checked(*plan)
    data = read_dataset(dataset)
    folder = folder_of(dataset, out, "curves", "curve")
    section = dict(data.manifest.student if section is None else section)
    found: dict[tuple[int, int], Result] = {}
    rows: dict[int, int] = {}
    for share in shares:
        part = _part(data, share, folder)
        rows[share] = len(read_dataset(part).train)
        for seed in seeds:
            name = f"share-{share:03}-seed-{seed}"
            say(f"{share} % ({rows[share]} rows), seed {seed}")
            home = train_student(
                part, {**section, "name": name, "seed": seed}, folder / "students", False, say, progress
            )
            found[share, seed] = result_of(read_student(home), examine_student(home, False, say, progress))
    drawn = _drawn(data.sha256, rows, seeds, found)
    _write(folder, data, drawn)
    return folder, drawn


def _checked(shares: Sequence[int], seeds: Sequence[int]) -> tuple[list[int], list[int]]:
    shares, seeds = sorted(set(shares)), sorted(set(seeds))
    if len(shares) < 2 or not 0 < shares[0] <= shares[-1] <= 100:
        raise UsageError("A curve needs two shares or more, each of 1 to 100 %.", remedy="For example 10,25,50,100.")
    if len(seeds) < 2:
        raise UsageError("A curve needs two seeds or more, else chance looks like a gain.", remedy="For example 0,1,2.")
    return shares, seeds


def _part(data: DatasetFolder, share: int, folder: Path) -> Path:
    """A dataset folder with the first `share` % of the rows of one shuffled order, in the order they had, and every
    slice whole. A larger share holds every row of a smaller one."""
    kept = max(1, round(len(data.train) * share / 100))
    order = list(range(len(data.train)))
    random.Random(data.sha256).shuffle(order)
    rows = "".join(data.train[place].model_dump_json() + "\n" for place in sorted(order[:kept])).encode()
    manifest = data.manifest.model_dump(mode="json")
    manifest["files"] = {**manifest["files"], "train.jsonl": hashlib.sha256(rows).hexdigest()}
    manifest["counts"] = {**manifest["counts"], TRAIN: kept}
    place = folder / f"dataset-{share:03}"
    with appearing_whole(place) as aside:
        (aside / "train.jsonl").write_bytes(rows)
        for stem in SLICES:
            if f"{stem}.jsonl" in data.manifest.files:
                (aside / f"{stem}.jsonl").write_bytes((data.folder / f"{stem}.jsonl").read_bytes())
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    return place


def _drawn(
    sha256: str, rows: Mapping[int, int], seeds: Sequence[int], found: Mapping[tuple[int, int], Result]
) -> Curve:
    points = {
        measure: [_point(measure, share, rows[share], [found[share, seed] for seed in seeds]) for share in rows]
        for measure in ASKED
        if all((one := result.measures.get(measure)) and one.n for result in found.values())
    }
    return Curve(
        dataset_sha256=sha256,
        seeds=list(seeds),
        points=points,
        verdicts=[verdict(measure, of) for measure, of in points.items()],
        results=list(found.values()),
    )


def _point(measure: str, share: int, rows: int, results: Sequence[Result]) -> Point:
    values = [result.measures[measure].value or 0.0 for result in results]
    return Point(share=share, rows=rows, mean=fmean(values), low=min(values), high=max(values), by_seed=values)


def verdict(measure: str, points: Sequence[Point]) -> Verdict:
    """Whether the next doubling is worth it: what the last stretch brought, scaled to a doubling of the rows, the same
    seeds compared with each other."""
    before, last = points[-2], points[-1]
    doublings = math.log2(last.rows / before.rows)
    gains = [(now - then) / doublings for then, now in zip(before.by_seed, last.by_seed, strict=True)]
    gain, half = fmean(gains), _half(gains)
    low, high = gain - half, gain + half
    left = 1 - last.mean
    said = (
        f"from {before.rows} to {last.rows} rows {measure} went from {before.mean:.1%} to {last.mean:.1%}, "
        f"{100 * gain:+.1f} points a doubling (95 % interval {100 * low:+.1f} to {100 * high:+.1f}, {len(gains)} seeds)"
    )
    if left < WORTH:
        return Verdict(measure=measure, answer="no", reason=f"{said}; only {100 * left:.1f} points are left to gain")
    if low > 0 and gain >= WORTH:
        next_ = min(1.0, last.mean + gain)
        reason = f"{said}; at this pace {2 * last.rows} rows would come to at most {next_:.1%}"
        return Verdict(measure=measure, answer="yes", reason=reason)
    if high < WORTH:
        reason = f"{said}, less than the {100 * WORTH:.0f} points that would be worth it"
        return Verdict(measure=measure, answer="no", reason=reason)
    return Verdict(
        measure=measure,
        answer="cannot be told",
        reason=f"{said}: the seeds differ by more than that; train more of them",
    )


def _half(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of a mean."""
    freedom = len(values) - 1
    return T_95.get(freedom, 1.96) * stdev(values) / math.sqrt(len(values))


def _write(folder: Path, data: DatasetFolder, found: Curve) -> None:
    lines = {name: [(one.rows, one.mean, one.low, one.high) for one in points] for name, points in found.points.items()}
    title = f"{data.manifest.name}: what more rows bring ({len(found.seeds)} seeds, mean, lowest, highest)"
    draw_gain(folder / "curve.png", title, lines, "share of questions")
    write_whole(folder / "curve.md", page(data.manifest.name, found))
    write_whole(folder / "curve.json", found.model_dump_json(indent=2) + "\n")


def page(name: str, found: Curve) -> str:
    """curve.md: the answer first, then its reasons, then the figures."""
    columns = list(found.points)
    header = ["rows", "share", *columns]
    rows = [
        [
            str(first.rows),
            f"{first.share} %",
            *(f"{(at := found.points[name][place]).mean:.1%} ({at.low:.1%} to {at.high:.1%})" for name in columns),
        ]
        for place, first in enumerate(next(iter(found.points.values()), []))
    ]
    cells = [header, ["---:"] * len(header), *rows]
    shown = "".join("| " + " | ".join(line) + " |\n" for line in cells)
    reasons = "".join(f"- {one.measure}: {one.answer}; {one.reason}.\n" for one in found.verdicts)
    return (
        f"# More data for {name}?\n\n**Is more data worth it? {found.answer}.**\n\n{reasons}\n"
        f"Mean of {len(found.seeds)} seeds, the lowest and the highest in brackets. The shares are nested: each holds "
        f"the rows of the smaller ones.\n\n{shown}\n![curve](curve.png)\n"
    )
