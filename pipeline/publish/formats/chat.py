"""Conversations for whoever applies a chat template: messages, ShareGPT and unsloth."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written, turns
from pipeline.publish.schema import PromptFormat, Row


def said(row: Row, prompts: PromptFormat) -> list[Line]:
    """The conversation as a list of messages."""
    return [{"role": role, "content": text} for role, text in turns(row, prompts)]


def _messages(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    return [{"id": row.id, "messages": said(row, prompts)}]


def _unsloth(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    return [{"id": row.id, "conversations": said(row, prompts)}]


_FROM = {"user": "human", "assistant": "gpt"}


def _sharegpt(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    said = [{"from": _FROM[role], "value": text} for role, text in turns(row, prompts)]
    return [{"id": row.id, "conversations": said}]


_LAST = "The last answer of a conversation is the row's: train on that one; the earlier ones are there to be read."


def _load_messages(_: Written) -> str:
    return f"""\
`datasets.load_dataset("path/to/this/folder")`; whoever applies a chat template takes the column `messages`.
{_LAST}"""


def _load_sharegpt(_: Written) -> str:
    return f"""\
`datasets.load_dataset("path/to/this/folder")`; `conversations` has items of `from` (human, gpt) and `value`.
{_LAST}"""


def _load_unsloth(_: Written) -> str:
    return """\
`rows = standardize_data_formats(load_dataset("path/to/this/folder")["train"])`, then `get_chat_template`, and
`tokenizer.apply_chat_template(row["conversations"], tokenize=False)` into a column `text`, as unsloth's notebooks do.
`train_on_responses_only(trainer, ..., last_response_only=True)`: the last answer of a conversation is the row's."""


MESSAGES = Format(
    "any trainer that applies a chat template",
    _messages,
    (column("id"), items("messages", role="string", content="string")),
    _load_messages,
)
SHAREGPT = Format(
    "any trainer that reads ShareGPT",
    _sharegpt,
    (column("id"), {"name": "conversations", "list": [column("from"), column("value")]}),
    _load_sharegpt,
)
UNSLOTH = Format(
    "unsloth",
    _unsloth,
    (column("id"), items("conversations", role="string", content="string")),
    _load_unsloth,
)
