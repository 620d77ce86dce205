"""Tasks as the embedded teacher makes them up: out of a bank, each time those that were not shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pipeline.records import content_id
from pipeline.teacher.embedded.bank import most, read_bank


class _Task(NamedTuple):
    instruction: str
    input: str
    output: str


class _Choice(NamedTuple):
    instruction: str
    labels: list[str]
    instances: list[tuple[str, str]]
    """Label and input."""


class _Bank(NamedTuple):
    tasks: list[_Task]
    choices: list[_Choice]


@cache
def _bank() -> _Bank:
    return read_bank("instruct.yaml", _Bank)


def instruct_tasks(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Open tasks of the bank that are not among the examples."""
    shown = slots["examples"]
    new = [task for task in _bank().tasks if task.instruction not in shown]
    chosen = sorted(new, key=lambda task: content_id(shown, task.instruction))[: most(schema, "tasks")]
    return {"tasks": [task._asdict() for task in chosen]}


def instruct_choices(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Classification tasks of the bank that are not among the examples."""
    shown = slots["examples"]
    new = [task for task in _bank().choices if task.instruction not in shown]
    chosen = sorted(new, key=lambda task: content_id(shown, task.instruction))[: most(schema, "tasks")]
    return {
        "tasks": [
            {
                "instruction": task.instruction,
                "labels": task.labels,
                "instances": [{"label": label, "input": given} for label, given in task.instances],
            }
            for task in chosen
        ]
    }
