"""The tokens of an answer one by one, while the model is still at work in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any


def tokens_of(model: Any, inputs: Mapping[str, Any], draws: Sequence[Any]) -> Iterator[int]:
    """What `generate` says to one prompt, as it says it. Closing the iterator ends the thread at its next token."""
    import torch

    said: SimpleQueue[int | Exception | None] = SimpleQueue()
    nobody_listens = Event()

    def speak() -> None:
        try:
            with torch.inference_mode():
                model.generate(
                    **inputs,
                    logits_processor=list(draws),
                    streamer=_Streamer(said),
                    stopping_criteria=[_stop_when(nobody_listens)],
                )
        except Exception as fault:  # noqa: BLE001 - raised again where somebody listens
            said.put(fault)
        said.put(None)

    thread = Thread(target=speak, name="stream_answer", daemon=True)
    thread.start()
    try:
        while (token := said.get()) is not None:
            if isinstance(token, Exception):
                raise token
            yield token
    finally:
        nobody_listens.set()
        thread.join()


class _Streamer:
    """What `generate` hands its tokens to; the first that it hands over are the prompt."""

    def __init__(self, said: SimpleQueue[int | Exception | None]) -> None:
        self._said = said
        self._prompt = True

    def put(self, value: Any) -> None:
        if not self._prompt:
            for token in value.flatten().tolist():
                self._said.put(token)
        self._prompt = False

    def end(self) -> None:
        """The end is told by whoever called `generate`, also after a fault."""


def _stop_when(nobody_listens: Event) -> Any:
    import torch

    def criterion(input_ids: Any, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), nobody_listens.is_set(), device=input_ids.device)

    return criterion
