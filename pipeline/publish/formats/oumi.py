"""Conversations with the YAML lines of oumi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.chat import said
from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written
from pipeline.publish.schema import TRAIN, PromptFormat, Row


def _lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    return [{"conversation_id": row.id, "messages": said(row, prompts)}]


def _beside(written: Written) -> Mapping[str, str]:
    data = {"train": _split([TRAIN])}
    if written.validating:
        data["validation"] = _split(written.validating)
    return {"sft.yaml": yaml_text("Lines for oumi train; model and training arguments are yours.", {"data": data})}


def _split(stems: Sequence[str]) -> Mapping[str, object]:
    return {
        "datasets": [{"dataset_name": "text_sft", "dataset_path": f"{stem}.jsonl"} for stem in stems],
        "collator_name": "text_completions_only_with_padding",
        "train_target": "FINAL_ASSISTANT_TURN",
    }


def _load(_: Written) -> str:
    return (
        "`oumi train -c config.yaml` in this folder, `config.yaml` being these lines of `sft.yaml` and your own.\n"
        "`train_target` keeps the loss to the last answer of a conversation."
    )


OUMI = Format(
    "oumi", _lines, (column("conversation_id"), items("messages", role="string", content="string")), _load, _beside
)
