"""Tasks for evaluation harnesses ask every row of every slice, in a form that the harness's own rules allow."""

from __future__ import annotations

import ast
import json

import pytest
import yaml

from pipeline.publish.formats import FORMATS
from pipeline.publish.formats.form import Written
from tests.publish.formats.making import DIALOGUE, IN_CONTEXT, OFF_TOPIC, PROMPTS

WRITTEN = Written("2 rivers & more", {"train": 5, "rephrased": 3, "off_topic": 2}, {})


def test_a_harness_task_names_its_file_and_what_it_asks():
    files = {name: yaml.safe_load(text) for name, text in FORMATS["lm-eval"].beside(WRITTEN).items()}
    group = files.pop("_2_rivers_more_all.yaml")
    assert group["task"] == [task["task"] for task in files.values()]
    for stem, (name, task) in zip(WRITTEN.rows, files.items(), strict=True):
        assert name == f"{task['task']}.yaml"
        assert task["dataset_kwargs"]["data_files"] == {"test": f"{stem}.jsonl"}
        columns = {column["name"] for column in FORMATS["lm-eval"].columns}
        assert {task["doc_to_text"], task["doc_to_target"]} <= {f"{{{{{column}}}}}" for column in columns}
        assert task["generation_kwargs"]["do_sample"] is False


def test_a_file_of_inspect_tasks_is_python_with_one_task_a_slice():
    (text,) = FORMATS["inspect"].beside(WRITTEN).values()
    tree = ast.parse(text)
    tasks = {
        node.name: ast.unparse(node.body[0])
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and [ast.unparse(one) for one in node.decorator_list] == ["task"]
    }
    assert tasks == {f"_2_rivers_more_{stem}": f"return _slice('{stem}')" for stem in WRITTEN.rows}


@pytest.mark.parametrize("one", [DIALOGUE, IN_CONTEXT, OFF_TOPIC], ids=["dialogue", "in context", "off topic"])
def test_what_is_shown_and_what_is_expected_are_apart(one):
    (plain,) = FORMATS["lm-eval"].lines(one, PROMPTS)
    assert plain["prompt"] == one.prompt
    (chat,) = FORMATS["inspect"].lines(one, PROMPTS)
    assert [turn["role"] for turn in chat["input"]][-1] == "user"
    assert chat["target"] == one.answer
    assert one.question in chat["input"][-1]["content"]
    assert one.context in json.dumps(chat["input"], ensure_ascii=False)
    assert len(chat["input"]) == len(one.earlier) + 1
