"""What training took away: a small general set that has nothing to do with any dataset, read before and after it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from train.examination.intervals import mean, paired, rate
from train.examination.record import Forgetting, Measures, Side
from train.students import Student, has_gpu

_FILE = Path(__file__).with_name("general.json")
_BATCH = 16


class Completion(BaseModel):
    """The beginning of a sentence with the word that follows and three that do not."""

    model_config = ConfigDict(frozen=True)

    text: str
    right: str
    wrong: tuple[str, str, str]


class GeneralSet(BaseModel):
    """general.json: plain English written for this purpose, and beginnings of sentences to be completed."""

    model_config = ConfigDict(frozen=True)

    sentences: tuple[str, ...]
    completions: tuple[Completion, ...]


class Kept(BaseModel):
    """What one model makes of the general set."""

    model_config = ConfigDict(frozen=True)

    losses: tuple[float, ...]
    """Of each sentence, in nats a byte of its text: comparable between models, whatever their tokens."""
    right: tuple[bool, ...]
    """Of each beginning, whether the word that follows is the likeliest of the four."""


@lru_cache(maxsize=1)
def general_set() -> GeneralSet:
    """The set as it ships."""
    return GeneralSet.model_validate(json.loads(_FILE.read_text(encoding="utf-8")))


def read_by(student: Student, progress: Callable[[int, int], None]) -> Kept:
    """Reads the set as plain text, in no prompt format: nothing is asked that training taught to refuse."""
    general = general_set()
    if has_gpu():
        student.model.to("cuda")
    student.model.eval()
    sentences = [("", sentence) for sentence in general.sentences]
    choices = [(one.text, f" {word}") for one in general.completions for word in (one.right, *one.wrong)]
    losses = _losses([*sentences, *choices], student, progress)
    of_choices = losses[len(sentences) :]
    return Kept(
        losses=tuple(
            loss / len(text.encode()) for loss, (_, text) in zip(losses[: len(sentences)], sentences, strict=True)
        ),
        right=tuple(of_choices[at] < min(of_choices[at + 1 : at + 4]) for at in range(0, len(of_choices), 4)),
    )


def forgetting(base: Kept, student: Kept) -> Forgetting:
    """Both side by side."""
    by_side: dict[Side, Kept] = {"base": base, "student": student}
    return Forgetting(
        measures={side: _measures(kept) for side, kept in by_side.items()}, right=paired(base.right, student.right)
    )


def _measures(kept: Kept) -> Measures:
    return {
        "bits_per_byte": mean([loss / math.log(2) for loss in kept.losses]),
        "completed": rate(kept.right),
    }


def _losses(texts: Sequence[tuple[str, str]], student: Student, progress: Callable[[int, int], None]) -> list[float]:
    """The loss in nats, summed over the second part of each text; of one without a first part, over all but its
    first token, which nothing stands before."""
    import torch

    tokenizer, model = student.tokenizer, student.model
    found: list[float] = []
    for start in range(0, len(texts), _BATCH):
        group = texts[start : start + _BATCH]
        whole = [tokenizer(before + after)["input_ids"] for before, after in group]
        given = [
            _shared(tokenizer(before)["input_ids"], ids) if before else 1
            for (before, _), ids in zip(group, whole, strict=True)
        ]
        padded = tokenizer.pad({"input_ids": whole}, padding_side="right", return_tensors="pt").to(model.device)
        with torch.inference_mode():
            scores = model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).logits
        found += [_loss(scores[row], ids, first) for row, (ids, first) in enumerate(zip(whole, given, strict=True))]
        progress(len(found), len(texts))
    return found


def _loss(scores: Any, ids: Sequence[int], first: int) -> float:
    import torch

    wanted = torch.tensor(ids[first:], device=scores.device)
    return float(torch.nn.functional.cross_entropy(scores[first - 1 : len(ids) - 1].float(), wanted, reduction="sum"))


def _shared(before: Sequence[int], whole: Sequence[int]) -> int:
    """How many tokens both begin with: where the second part joins the first in one token, it counts from there."""
    same = next((at for at, (one, other) in enumerate(zip(before, whole, strict=False)) if one != other), len(before))
    return max(1, min(same, len(whole) - 1))
