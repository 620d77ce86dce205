"""Conversations in which each message says whether it is trained, with the YAML lines of axolotl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written, turns
from pipeline.publish.schema import TRAIN, PromptFormat, Row


def _lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    spoken = list(turns(row, prompts))
    last = len(spoken) - 1
    messages = [{"role": role, "content": text, "train": place == last} for place, (role, text) in enumerate(spoken)]
    return [{"id": row.id, "messages": messages}]


def _beside(written: Written) -> Mapping[str, str]:
    lines: dict[str, object] = {"datasets": [_dataset(TRAIN)]}
    if written.validating:
        lines["test_datasets"] = [_dataset(stem) for stem in written.validating]
    return {"sft.yaml": yaml_text("Lines for axolotl train; model and training arguments are yours.", lines)}


def _dataset(stem: str) -> Mapping[str, object]:
    return {
        "path": f"{stem}.jsonl",
        "ds_type": "json",
        "split": "train",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "message_field_training": "train",
        "roles_to_train": [],
        "train_on_eos": "turn",
    }


def _load(_: Written) -> str:
    return (
        "`axolotl train config.yaml` in this folder, `config.yaml` being these lines of `sft.yaml` and your own.\n"
        "`train` says of each message whether it is in the loss: the last answer of a conversation, and no other."
    )


AXOLOTL = Format(
    "axolotl",
    _lines,
    (column("id"), items("messages", role="string", content="string", train="bool")),
    _load,
    _beside,
)
