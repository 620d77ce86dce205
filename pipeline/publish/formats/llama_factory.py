"""Conversations with the dataset_info.json that LLaMA-Factory looks them up in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.chat import said
from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written
from pipeline.publish.schema import TRAIN, PromptFormat, Row

_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}


def _lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    return [{"id": row.id, "messages": said(row, prompts)}]


def _named(written: Written, stem: str) -> str:
    return written.name if stem == TRAIN else f"{written.name}_{stem}"


def _beside(written: Written) -> Mapping[str, str]:
    info = {
        _named(written, stem): {
            "file_name": f"{stem}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": _TAGS,
        }
        for stem in written.rows
    }
    lines: dict[str, object] = {"stage": "sft", "dataset_dir": ".", "dataset": written.name, "mask_history": True}
    if written.validating:
        names = ",".join(_named(written, stem) for stem in written.validating)
        lines |= {"eval_dataset": names, "eval_on_each_dataset": True, "eval_strategy": "epoch"}
    said = "Lines for llamafactory-cli train; model, template, method and training arguments are yours."
    # Escaped, for LLaMA-Factory reads it in whatever encoding the machine is set to.
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n", "sft.yaml": yaml_text(said, lines)}


def _load(_: Written) -> str:
    return (
        "`llamafactory-cli train sft.yaml` in this folder, with your model, its `template` and your arguments added;\n"
        "`dataset_info.json` names the files. `mask_history` keeps the loss to the last answer of a conversation."
    )


LLAMA_FACTORY = Format(
    "LLaMA-Factory", _lines, (column("id"), items("messages", role="string", content="string")), _load, _beside
)
