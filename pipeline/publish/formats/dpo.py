"""Pairs for training by preference, as conversations: what TRL's DPOTrainer takes, and most others understand."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written
from pipeline.publish.schema import Pair, PromptFormat


def _lines(pair: Pair, prompts: PromptFormat) -> Sequence[Line]:
    said = (*pair.earlier, pair.question)
    opening = prompts.context.format(context=pair.context, prompt=said[0]) if pair.context else said[0]
    prompt = [
        {"role": "assistant" if place % 2 else "user", "content": text}
        for place, text in enumerate((opening, *said[1:]))
    ]
    return [{"id": pair.id, "prompt": prompt, "chosen": _answer(pair.chosen), "rejected": _answer(pair.rejected)}]


def _answer(text: str) -> list[Line]:
    """Without the blank that parts it from a plain prompt: a chat template brings its own."""
    return [{"role": "assistant", "content": text.removeprefix(" ")}]


def _load(_: Written) -> str:
    return """\
`DPOTrainer(train_dataset=load_dataset("path/to/this/folder")["train"], ...)` of TRL; the model needs a chat template.
For one without give DPOTrainer the dataset's own preference.jsonl: its columns are plain text."""


_TALK = {"role": "string", "content": "string"}

DPO = Format(
    "TRL's DPOTrainer, and whoever takes pairs as conversations",
    _lines,
    (column("id"), items("prompt", **_TALK), items("chosen", **_TALK), items("rejected", **_TALK)),
    _load,
    pairs=True,
)
