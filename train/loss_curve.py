"""loss.json and loss.png: the course of a training, for a program and for the eye."""

from __future__ import annotations

import json
from pathlib import Path

from train.files import write_whole
from train.plots import draw_loss
from train.student_json import StudentFile

JSON, PICTURE = "loss.json", "loss.png"


def write_loss(folder: Path, student: StudentFile) -> None:
    """Writes both into a student's folder."""
    points = [point.model_dump() for point in student.loss]
    named = {"student": student.name, "dataset_sha256": student.dataset_sha256, "resumed_at": student.resumed_at}
    write_whole(folder / JSON, json.dumps({**named, "points": points}, indent=2) + "\n")
    draw_loss(
        folder / PICTURE,
        f"{student.name} on {student.dataset_name}",
        [point.step for point in student.loss],
        [point.loss for point in student.loss],
        [point.learning_rate for point in student.loss],
    )
