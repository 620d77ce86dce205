"""Instruction, input and output: the Alpaca keys, for whoever reads them and for LitGPT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.encodings import Line, column
from pipeline.publish.formats.form import VALIDATION, Cannot, Format, Written
from pipeline.publish.schema import PromptFormat, Row

COLUMNS = (column("id"), column("instruction"), column("input"), column("output"))


def _lines(row: Row, _: PromptFormat) -> Sequence[Line] | Cannot:
    if row.earlier:
        return Cannot("instruction, input and output have no place for the turns before a question")
    return [{"id": row.id, "instruction": row.question, "input": row.context, "output": row.answer}]


def _load_alpaca(_: Written) -> str:
    return (
        '`datasets.load_dataset("path/to/this/folder")`, or name a file to a trainer that reads Alpaca.\n'
        "`input` is what is shown with the question, and empty where there is nothing."
    )


def _load_litgpt(written: Written) -> str:
    split = "" if VALIDATION in written.rows else " --data.val_split_fraction 0.05"
    return (
        f"`litgpt finetune_lora CHECKPOINT --config litgpt.yaml{split}` in this folder.\n"
        "Choose the `prompt_style` of your checkpoint; the student is to be asked in the same one."
    )


def _beside_litgpt(written: Written) -> Mapping[str, str]:
    whole = VALIDATION in written.rows
    data = {
        "class_path": "litgpt.data.JSON",
        "init_args": {"json_path": "." if whole else "train.jsonl", "mask_prompt": True, "prompt_style": "alpaca"},
    }
    return {
        "litgpt.yaml": yaml_text("Lines for litgpt finetune; the rest of the configuration is yours.", {"data": data})
    }


ALPACA = Format("any trainer that reads Alpaca", _lines, COLUMNS, _load_alpaca)
LITGPT = Format("LitGPT", _lines, COLUMNS, _load_litgpt, _beside_litgpt, one_validation_file=True)
