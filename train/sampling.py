"""The draw of one token after the other, each answer by a seed of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class OneToken:
    """A logits processor that leaves one token of the distribution, drawn by the answer's own seed.

    `generate` draws a whole batch from one stream of numbers, so that an answer would hang on what else is asked.
    Here every answer has its own, one number a token, which picks from the cumulated probabilities.
    """

    def __init__(self, seeds: Sequence[int], length: int, temperature: float, top_p: float, top_k: int) -> None:
        import torch

        numbers = [
            torch.rand(length, generator=torch.Generator().manual_seed(seed), dtype=torch.double) for seed in seeds
        ]
        self._numbers = torch.stack(numbers)
        self._step = 0
        self._temperature, self._top_p, self._top_k = temperature, top_p, top_k

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The scores of the next token, all but one minus infinity."""
        import torch

        ranked, tokens = torch.sort(scores.double() / self._temperature, dim=-1, descending=True, stable=True)
        shares = torch.softmax(ranked, dim=-1)
        before = torch.cumsum(shares, dim=-1) - shares
        kept = before < self._top_p
        if self._top_k:
            kept[:, self._top_k :] = False
        shares = torch.where(kept, shares, 0.0)
        number = self._numbers[:, self._step, None].to(shares.device) * shares.sum(dim=-1, keepdim=True)
        self._step += 1
        # The last one that was kept is taken where rounding would go past it.
        rank = (torch.cumsum(shares, dim=-1) <= number).sum(dim=-1, keepdim=True)
        rank = torch.minimum(rank, kept.sum(dim=-1, keepdim=True) - 1)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter_(1, tokens.gather(1, rank), 0.0)
