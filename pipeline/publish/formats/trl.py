"""Conversations parted into prompt and completion, as TRL takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.chat import said
from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written
from pipeline.publish.schema import TRAIN, PromptFormat, Row


def _lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    *prompt, completion = said(row, prompts)
    return [{"id": row.id, "prompt": prompt, "completion": [completion]}]


def _load(_: Written) -> str:
    return """\
`trl sft --config sft.yaml --dataset_name path/to/this/folder --model_name_or_path ... --output_dir ...`, or in Python
`SFTTrainer(train_dataset=load_dataset("path/to/this/folder")["train"], ...)`; the loss is over the completion alone.
The model needs a chat template. For one without (Pythia, OPT) give TRL the dataset folder itself: its `prompt` and
`completion` are plain text."""


def _beside(written: Written) -> Mapping[str, str]:
    lines: dict[str, object] = {"dataset_train_split": TRAIN}
    if written.validating:
        lines |= {"dataset_test_split": written.validating[0], "eval_strategy": "epoch"}
    return {
        "sft.yaml": yaml_text(
            "Lines for trl sft; dataset, model, output folder and training arguments are yours to name.", lines
        )
    }


_TALK = {"role": "string", "content": "string"}

TRL = Format("TRL", _lines, (column("id"), items("prompt", **_TALK), items("completion", **_TALK)), _load, _beside)
