"""TRL's trainer with our order of rows, and the loss computed only where something is taught."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from train.checkpoints import resumable
from train.order import batches_of, padding


@cache
def in_order(trainer: Any) -> Any:
    """A trainer of TRL's that takes rows in the order it is told, and can go on from a checkpoint."""

    class InOrder(resumable(trainer)):  # type: ignore[misc]
        def lay_down(self, lengths: Sequence[int], batch: int, steps: int, seed: int) -> None:
            """Sets the rows of each optimiser step, for the whole of the training."""
            batches = batches_of(lengths, batch, steps, seed)
            self.padding = padding(lengths, batches)
            self._order = [row for rows in batches for row in rows]

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return Order(self._order)

    return InOrder


@cache
def lesson_trainer() -> Any:
    """The class, made when it is first needed: TRL takes seconds to import."""
    from trl import SFTTrainer

    class LessonTrainer(in_order(SFTTrainer)):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            # On a GPU TRL's own head leaves out what has no label; elsewhere it scores every position.
            if return_outputs or self.args.device.type != "cpu" or not takes_positions(self.model):
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            labels = inputs["labels"][:, 1:]
            taught = (labels != -100).any(dim=0).nonzero().flatten()
            logits = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                logits_to_keep=taught,
                use_cache=False,
            ).logits
            loss, hits, count = summed_loss(logits, labels[:, taught])
            self._note(inputs, hits, count)
            if num_items_in_batch is None:
                return loss / count
            # It counts the tokens of all processes, over whose gradients a mean is taken.
            return loss / num_items_in_batch * self.accelerator.num_processes

        def _note(self, inputs: Any, hits: Any, count: Any) -> None:
            noted = self._metrics["train" if self.model.training else "eval"]
            noted["mean_token_accuracy"].append((hits / count).item())
            self._total_train_tokens += int(inputs["attention_mask"].sum())
            noted["num_tokens"] = [self._total_train_tokens]

    return LessonTrainer


class Order:
    """A sampler that has been told everything beforehand."""

    def __init__(self, rows: Sequence[int]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)


def summed_loss(logits: Any, labels: Any) -> tuple[Any, Any, Any]:
    """The summed loss of the positions with a label, how many of them were foreseen, and how many there are."""
    from torch.nn import functional

    kept = labels != -100
    scores, wanted = logits[kept].float(), labels[kept]
    hits = (scores.detach().argmax(dim=-1) == wanted).sum()
    return functional.cross_entropy(scores, wanted, reduction="sum"), hits, kept.sum()


def takes_positions(model: Any) -> bool:
    """Whether the model can be told at which positions to score the vocabulary."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(type(inner).forward).parameters
