"""Conversations as OpenAI's fine-tuning service takes them, held against its published rules."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.publish.formats.chat import said
from pipeline.publish.formats.encodings import Line, items
from pipeline.publish.formats.form import VALIDATION, Format, Written
from pipeline.publish.formats.openai_rules import faults
from pipeline.publish.schema import PromptFormat, Row


def _lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    """Of several answers only the last is trained: the others have weight 0."""
    *before, last = said(row, prompts)
    return [
        {
            "messages": [
                *(message if message["role"] == "user" else {**message, "weight": 0} for message in before),
                last,
            ]
        }
    ]


def _load(written: Written) -> str:
    validation = f", `{VALIDATION}.jsonl` as `validation_file`" if VALIDATION in written.rows else ""
    return (
        "Upload with purpose `fine-tune` and name `train.jsonl` as `training_file` of the job" + validation + ".\n"
        "`coursework check-openai train.jsonl` holds the file against the service's published rules, offline."
    )


OPENAI = Format(
    "OpenAI's fine-tuning service",
    _lines,
    (items("messages", role="string", content="string", weight="int64"),),
    _load,
    one_validation_file=True,
    rules=faults,
)
