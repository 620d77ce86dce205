"""The slices as tasks of two evaluation harnesses: lm-evaluation-harness and Inspect."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.publish.formats.beside import yaml_text
from pipeline.publish.formats.encodings import Line, column, items
from pipeline.publish.formats.form import Format, Written, turns
from pipeline.publish.schema import PromptFormat, Row

_MOST_TOKENS = 256
"""Of an answer; a harness has to be told, and no row knows the tokens of whoever is examined."""


def _name(written: Written, stem: str) -> str:
    """A task's name, which is a name in Python too."""
    plain = re.sub(r"\W+", "_", written.name).strip("_").lower()
    return f"{plain if not plain[:1].isdigit() else f'_{plain}'}_{stem}"


def _harness_lines(row: Row, _: PromptFormat) -> Sequence[Line]:
    return [{"id": row.id, "prompt": row.prompt, "question": row.question, "answer": row.answer}]


def _harness_tasks(written: Written) -> Mapping[str, str]:
    files = {f"{_name(written, stem)}.yaml": _harness_task(written, stem) for stem in written.rows}
    group = {"group": _name(written, "all"), "task": [_name(written, stem) for stem in written.rows]}
    return files | {f"{_name(written, 'all')}.yaml": yaml_text("All slices; lm_eval --include_path . finds it.", group)}


def _harness_task(written: Written, stem: str) -> str:
    same = {"aggregation": "mean", "higher_is_better": True, "ignore_case": True, "ignore_punctuation": True}
    return yaml_text(
        f"{stem}.jsonl, asked in the dataset's prompt format; run lm_eval in this folder.",
        {
            "task": _name(written, stem),
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": f"{stem}.jsonl"}},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": "{{prompt}}",
            "doc_to_target": "{{answer}}",
            "target_delimiter": " ",
            "generation_kwargs": {"until": ["\n\n"], "do_sample": False, "max_gen_toks": _MOST_TOKENS},
            "filter_list": [
                {"name": "answer", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}
            ],
            "metric_list": [{"metric": "exact_match", **same}],
            "metadata": {"version": 1.0},
        },
    )


def _harness_load(written: Written) -> str:
    return f"""\
`lm_eval --model hf --model_args pretrained=STUDENT/model --tasks {_name(written, "all")} --include_path .`
in this folder. `prompt` is the dataset's plain form: leave `--apply_chat_template` away, or for a student that was
taught to chat write `question` for it in `doc_to_text`. An answer ends at an empty line."""


def _inspect_lines(row: Row, prompts: PromptFormat) -> Sequence[Line]:
    said = [{"role": role, "content": text} for role, text in turns(row, prompts)]
    return [{"id": row.id, "input": said[:-1], "target": row.answer}]


def _inspect_tasks(written: Written) -> Mapping[str, str]:
    head = (
        '"""Tasks for Inspect, one a slice: `inspect eval tasks.py --model ...` runs them all."""\n\n'
        "from pathlib import Path\n\n"
        "from inspect_ai import Task, task\n"
        "from inspect_ai.dataset import json_dataset\n"
        "from inspect_ai.model import GenerateConfig\n"
        "from inspect_ai.scorer import exact, f1\n"
        "from inspect_ai.solver import generate\n\n"
        "HERE = Path(__file__).parent\n\n\n"
        "def _slice(name: str) -> Task:\n"
        '    """Greedy answers to one slice, held against the expected ones word for word and by shared words."""\n'
        "    return Task(\n"
        '        dataset=json_dataset(str(HERE / f"{name}.jsonl"), name=name),\n'
        "        solver=generate(),\n"
        "        scorer=[exact(), f1()],\n"
        f"        config=GenerateConfig(temperature=0.0, max_tokens={_MOST_TOKENS}),\n"
        "    )\n"
    )
    tasks = (
        f'\n\n@task\ndef {_name(written, stem)}() -> Task:\n    return _slice("{stem}")\n' for stem in written.rows
    )
    return {"tasks.py": head + "".join(tasks)}


def _inspect_load(written: Written) -> str:
    return f"""\
`inspect eval tasks.py@{_name(written, next(iter(written.rows)))} --model hf/local -M model_path=STUDENT/model`
in this folder, or any other model that Inspect knows. The questions are turns of a chat, so the model needs a chat
template."""


LM_EVAL = Format(
    "lm-evaluation-harness",
    _harness_lines,
    tuple(column(name) for name in ("id", "prompt", "question", "answer")),
    _harness_load,
    _harness_tasks,
)
INSPECT = Format(
    "Inspect",
    _inspect_lines,
    (column("id"), items("input", role="string", content="string"), column("target")),
    _inspect_load,
    _inspect_tasks,
)
