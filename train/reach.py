"""How likely a head that is not trained can make a token at all, whatever the layers before it learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.lessons import Lesson
from train.settings import HEADS_OF_A_MODEL, StudentSettings
from train.students import Student

ENOUGH = 0.5
"""A token that can be likelier than all others together can be learned; no more is asked."""
STEPS = 60
SAMPLE = 8
ROOM = 2.0
"""How much longer than any seen the head's input may grow in training: a generous guess, in the token's favour."""


def reach_of(token: int, lessons: Sequence[Lesson], student: Student) -> float:
    """The greatest probability that the head as it stands can give `token`, by any input as long as those that the
    rows lead to; where it is past ENOUGH the search for more ends.

    A token that a base never read nor wrote shares its row in the head with all others of that kind, and no input
    tells them apart. The log-probability is concave in the input, so that climbing finds the best there is.
    """
    import torch

    weight, bias, longest = _head_at(lessons, student)
    start = weight[token] - weight.mean(0)
    if not start.norm() > 0:
        return 1 / len(weight)
    at = start / start.norm() * longest
    best = 0.0
    for step in range(STEPS):
        scores = weight @ at + bias
        shares = scores.softmax(-1)
        best = max(best, float(shares[token]))
        if best > ENOUGH:
            break
        uphill = weight[token] - shares @ weight
        at = at + longest * 0.2 * (1 - step / STEPS) * uphill / uphill.norm().clamp_min(torch.finfo(at.dtype).tiny)
        at = at * (longest / at.norm()).clamp_max(1)
    return best


def trains_its_head(settings: StudentSettings) -> bool:
    """Whether a training moves the rows by which tokens are told apart."""
    if settings.lora is None:
        return True
    return settings.lora.untie_head or not set(HEADS_OF_A_MODEL).isdisjoint(settings.lora.also_train)


def _head_at(lessons: Sequence[Lesson], student: Student) -> tuple[Any, Any, float]:
    """The head's weight and bias, and how long an input of it may be."""
    import torch

    head = student.model.get_output_embeddings()
    lengths: list[float] = []
    watching = head.register_forward_pre_hook(lambda _, given: lengths.append(float(given[0].norm(dim=-1).max())))
    try:
        with torch.inference_mode():
            for lesson in lessons[:: max(1, len(lessons) // SAMPLE)][:SAMPLE]:
                student.model(torch.tensor([lesson.tokens], device=student.model.device))
    finally:
        watching.remove()
    weight = head.weight.detach().float()
    bias = getattr(head, "bias", None)
    return weight, weight.new_zeros(len(weight)) if bias is None else bias.detach().float(), ROOM * max(lengths)
