"""What a student holds of a lesson, measured outside any trainer."""

from __future__ import annotations

from collections.abc import Sequence

from train.fit import Lesson
from train.students import Student


def mean_loss(student: Student, lessons: Sequence[Lesson]) -> float:
    """The mean over lessons of the loss on answer and end-of-text."""
    import torch

    losses = []
    for lesson in lessons:
        labels = [-100] * len(lesson.prompt) + list(lesson.tokens[len(lesson.prompt) :])
        with torch.inference_mode():
            losses.append(student.model(torch.tensor([lesson.tokens]), labels=torch.tensor([labels])).loss.item())
    return sum(losses) / len(losses)
