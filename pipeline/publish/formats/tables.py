"""Tables: CSV for H2O LLM Studio, and Parquet with every column of the dataset."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.publish.card import columns
from pipeline.publish.formats.encodings import CSV, PARQUET, Line, column
from pipeline.publish.formats.form import Cannot, Format, Written, turns
from pipeline.publish.schema import PromptFormat, Row

_MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
        *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""What pandas.read_csv takes for a missing value, whole and unquoted or not (its STR_NA_VALUES)."""


def _h2o(row: Row, prompts: PromptFormat) -> Sequence[Line] | Cannot:
    """One line a turn, each naming the one before it."""
    texts = [text for _, text in turns(row, prompts)]
    for text in texts:
        if text in _MISSING:
            return Cannot(f"whoever reads the CSV would take {text!r} for a missing value")
    last = len(texts) // 2 - 1
    ids = [row.id if turn == last else f"{row.id}.{turn + 1}" for turn in range(last + 1)]
    return [
        {
            "id": ids[turn],
            "parent_id": ids[turn - 1] if turn else "",
            "prompt": texts[turn * 2],
            "answer": texts[turn * 2 + 1],
        }
        for turn in range(last + 1)
    ]


def _load_h2o(_: Written) -> str:
    return (
        "Import the folder: prompt column `prompt`, answer column `answer`, `val.csv` as validation dataframe.\n"
        "Where there is a column `parent_id`, a line is a turn: name it and `id`, and turn on `Limit Chained Samples`\n"
        "and `Only Last Answer`, for the last answer of a conversation is the row's."
    )


def _parquet(row: Row, _: PromptFormat) -> Sequence[Line]:
    return [row.model_dump(mode="json")]


def _load_parquet(_: Written) -> str:
    return (
        '`datasets.load_dataset("path/to/this/folder")`, or `pandas.read_parquet("train.parquet")`.\n'
        "Every column of the dataset is there; TRL takes `prompt` and `completion` as they are."
    )


H2O_CSV = Format(
    "H2O LLM Studio",
    _h2o,
    (column("id"), column("parent_id"), column("prompt"), column("answer")),
    _load_h2o,
    encoding=CSV,
    one_validation_file=True,
)
PARQUET_TABLE = Format(
    "pandas, DuckDB and whoever reads Parquet", _parquet, tuple(columns()), _load_parquet, encoding=PARQUET
)
