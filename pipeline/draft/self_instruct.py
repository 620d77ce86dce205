"""Self-instruct: new tasks after the model of seed tasks, the set growing round by round.

After Wang et al., Self-Instruct (2022, arXiv:2212.10560): each request shows some seeds and some tasks of earlier
rounds and asks for more; of classification tasks the labels are asked for first and an input for each, so that no label
is rare. What is too like a task before it is rejected by a check of its own (`novelty`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from pipeline.draft import Drafter, Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.errors import InputError
from pipeline.records import Draft, Record, Rejection, content_id, lot, normalised
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

TASKS = "instruct_tasks"
CHOICES = "instruct_choices"
OPEN, CLASSIFICATION = "open", "classification"


class Settings(Section):
    """Tasks after the model of seed tasks (Self-Instruct): instruction, perhaps an input, output."""

    seeds: str = Field(
        description="JSON Lines, relative to the recipe: instruction, instances of input and output, is_classification"
    )
    requests: int = Field(default=8, ge=1, le=10_000, description="in each round")
    tasks: int = Field(default=8, ge=1, le=40, description="asked for in one request")
    classification: float = Field(default=0.3, ge=0, le=1, description="share of the requests that ask for such tasks")
    examples: int = Field(
        default=8, ge=2, le=40, description="tasks shown in a request, of seeds and of earlier rounds"
    )
    own: float = Field(default=0.25, ge=0, lt=1, description="share of them from earlier rounds, once there are any")
    rounds: int = Field(default=2, ge=1, le=50, description="of requests; later ones show tasks of earlier ones too")


class _Instance(BaseModel):
    input: str = ""
    output: str = Field(min_length=1)


class Seed(BaseModel):
    """A task as the seeds of Self-Instruct have it; other fields of a line are not looked at."""

    instruction: str = Field(min_length=3)
    instances: tuple[_Instance, ...] = Field(min_length=1)
    is_classification: bool = False


class _Task(BaseModel):
    """A task as it is shown to the teacher."""

    instruction: str
    input: str
    output: str


class InstructDrafter:
    """Asks for tasks in one round: some requests for open ones, the others for classification tasks."""

    stages = 1 + CONTINUATIONS

    def __init__(self, wanted: Settings, seeds: Sequence[Seed], ground: Ground) -> None:
        prompts = {TASKS: ground.prompt(TASKS), CHOICES: ground.prompt(CHOICES)}
        self.prompts = {prompt.path.name: prompt.text for prompt in prompts.values()}
        own = [record for record in ground.records if record.kind == "self_instruct"]
        self.examples = [seed.instruction for seed in seeds]
        self._asked: list[tuple[str, Request]] = []
        for number in range(wanted.requests):
            name = f"{ground.round}:{number}"
            chooses = lot("classification", name) < wanted.classification
            shown = _shown(seeds, own, wanted, name, chooses)
            request = prompts[CHOICES if chooses else TASKS].request(
                CHOICES if chooses else TASKS,
                name,
                _choices(wanted.tasks) if chooses else _tasks(wanted.tasks),
                ground.manner,
                examples="\n".join(json.dumps(task.model_dump(), ensure_ascii=False) for task in shown),
                count=wanted.tasks,
            )
            self._asked.append((CLASSIFICATION if chooses else OPEN, request))

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """Those of the round; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "tasks", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft an instance of a task."""
        for field, request in self._asked:
            tasks, fault = told_list(told, request, "tasks")
            for number, (item, source) in enumerate(tasks, 1):
                read = _chosen if field == CLASSIFICATION else _open
                drafts: list[Draft | Rejection] = [*read(item, source)]
                shape = Unreadable("wrong_shape", f"Task {number} of the reply lacks an instruction, input or output.")
                yield from drafts or [shape.rejection(source, field=field)]
            if fault is not None:
                yield fault.rejection(request, field=field)


def _shown(seeds: Sequence[Seed], own: Sequence[Record], wanted: Settings, name: str, chooses: bool) -> list[_Task]:
    """Examples of one request, by a stable draw; for a classification task those of classification come first."""
    number_of_own = min(int(wanted.examples * wanted.own), len(own))
    drawn = sorted(own, key=lambda record: lot("own", name, record.id))[:number_of_own]
    ranked = sorted(
        seeds, key=lambda seed: (chooses and not seed.is_classification, lot("seed", name, seed.instruction))
    )
    tasks = [
        _Task(instruction=seed.instruction, input=seed.instances[0].input, output=seed.instances[0].output)
        for seed in ranked[: wanted.examples - number_of_own]
    ]
    return tasks + [_Task(instruction=one.question, input=one.context, output=one.answer) for one in drawn]


def _tasks(count: int) -> dict[str, Any]:
    return object_schema(tasks=array_of(object_schema(instruction=STRING, input=STRING, output=STRING), at_most=count))


def _choices(count: int) -> dict[str, Any]:
    instance = object_schema(label=STRING, input=STRING)
    task = object_schema(
        instruction=STRING,
        labels=array_of(STRING, at_least=2, at_most=6),
        instances=array_of(instance, at_least=2, at_most=6),
    )
    return object_schema(tasks=array_of(task, at_most=max(1, count // 2)))


def _open(item: object, source: Request) -> Iterator[Draft]:
    said = item if isinstance(item, dict) else {}
    instruction, given, output = said.get("instruction"), said.get("input"), said.get("output")
    if isinstance(instruction, str) and instruction.strip() and isinstance(output, str) and output.strip():
        yield _draft(instruction, given if isinstance(given, str) else "", output, OPEN, source)


def _chosen(item: object, source: Request) -> Iterator[Draft]:
    """An instance whose label is none of the task's is left to the check that names it."""
    said = item if isinstance(item, dict) else {}
    instruction, labels, instances = said.get("instruction"), said.get("labels"), said.get("instances")
    if not (isinstance(instruction, str) and instruction.strip() and isinstance(instances, list)):
        return
    names = tuple(label.strip() for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()
    for instance in instances:
        given, label = (instance.get("input"), instance.get("label")) if isinstance(instance, dict) else ("", "")
        if isinstance(given, str) and given.strip() and isinstance(label, str) and label.strip():
            yield _draft(instruction, given, label, CLASSIFICATION, source, names)


def _draft(
    instruction: str, given: str, output: str, field: str, source: Request, labels: tuple[str, ...] = ()
) -> Draft:
    question = tidied(instruction)
    return Draft(
        kind="self_instruct",
        question=question,
        context="" if given.strip().casefold() in _NO_INPUT else given.strip(),
        answer=output.strip(),
        field=field,
        labels=labels,
        fact=content_id("self_instruct", normalised(question)),
        request=source.key,
    )


_NO_INPUT = frozenset({"", "none", "n/a", "no input", "<noinput>", "noinput", "not applicable", "null", "-"})
"""How teachers write that a task has no input."""


def read_seeds(content: bytes, name: str) -> list[Seed]:
    """Seed tasks of a JSON Lines file. Raises InputError naming the first line that is none."""
    seeds = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            seeds.append(Seed.model_validate(orjson.loads(line)))
        except (ValueError, ValidationError) as fault:
            first = fault.errors()[0] if isinstance(fault, ValidationError) else {"loc": (), "msg": str(fault)}
            where = ".".join(map(str, first["loc"]))
            raise InputError(
                f"{name}:{number}: {where + ': ' if where else ''}{first['msg']}.",
                remedy="A seed task has an instruction and instances, each with an output.",
            ) from None
    if not seeds:
        raise InputError(f"{name} holds no seed task.", remedy="Name a file with one task a line.")
    return seeds


def build(wanted: Settings, ground: Ground) -> list[Drafter]:
    """Raises InputError if the file of seeds cannot be used."""
    content = ground.bytes_of(wanted.seeds, "drafters.self_instruct.seeds")
    return [InstructDrafter(wanted, read_seeds(content, str(ground.folder / wanted.seeds)), ground)]
