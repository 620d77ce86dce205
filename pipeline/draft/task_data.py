"""Tasks on a passage: reading (keywords, extraction, routing to a label), writing (a title, a sentence of keywords).

The instruction is the question, what it is about stands in the context: the passage, or the keywords.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from pipeline.draft import Drafter, Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, choice_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.draft.wordings import worded
from pipeline.records import Draft, Passage, Rejection, content_id
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

KIND = "task_data"
Task = Literal["keywords", "extraction", "routing", "title", "sentence"]
TASKS: tuple[str, ...] = get_args(Task)
WRITING = frozenset({"title", "sentence"})


class Settings(Section):
    """Reading and writing tasks on passages."""

    tasks: tuple[Task, ...] = Field(
        default=("keywords", "extraction", "title", "sentence"),
        min_length=1,
        description="reading: keywords, extraction (words copied that say what is asked), routing (to one of `labels`);"
        " writing: title, sentence (of the passage, from its keywords)",
    )
    labels: tuple[str, ...] = Field(default=(), description="of which routing chooses one: `[billing, delivery]`")
    extractions: int = Field(default=2, ge=1, le=20, description="asked for of each passage")
    wordings: int = Field(default=2, ge=1, le=10, description="instructions for each task")

    @model_validator(mode="after")
    def _routing_has_labels(self) -> Settings:
        if ("routing" in self.tasks) != (len(self.labels) > 1):
            raise ValueError("expected routing among tasks: together with two labels: or more")
        return self


def build(settings: Settings, ground: Ground) -> list[Drafter]:
    """One drafter for all passages."""
    return [TaskDrafter(settings, ground)]


class _Asked(NamedTuple):
    passage: Passage
    request: Request


class TaskDrafter:
    """Asks for all tasks on each passage at once."""

    stages = 1 + CONTINUATIONS

    def __init__(self, settings: Settings, ground: Ground) -> None:
        self._settings = settings
        prompt = ground.prompt(KIND)
        self.prompts = {prompt.path.name: prompt.text}
        most = len(settings.tasks) + settings.extractions
        self._asked = [
            _Asked(
                passage,
                prompt.request(
                    KIND,
                    passage.id,
                    _schema(settings, most),
                    ground.manner,
                    heading=" > ".join(passage.heading),
                    passage=passage.text,
                    tasks=settings.tasks,
                    labels=settings.labels,
                    extractions=settings.extractions,
                    wordings=settings.wordings,
                ),
            )
            for passage in ground.passages
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a passage; then the rest of those whose reply lacks something."""
        first = (asked.request for asked in self._asked)
        return first if stage == 0 else continuations(told, first, "tasks", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft an instruction of each task."""
        for passage, request in self._asked:
            items, fault = told_list(told, request, "tasks")
            for number, (item, source) in enumerate(items, 1):
                yield from self._of(item, number, passage, source)
            if fault is not None:
                yield fault.rejection(request, passage=passage.id)

    def _of(self, item: object, number: int, passage: Passage, source: Request) -> Iterator[Draft | Rejection]:
        said = item if isinstance(item, dict) else {}
        task, instructions = said.get("task"), said.get("instructions")
        answers, keywords = _texts(said.get("answers")), _texts(said.get("keywords"))
        whole = isinstance(instructions, list) and instructions and answers and (task != "sentence" or keywords)
        if task not in self._settings.tasks or not whole or not isinstance(instructions, list):
            detail = (
                f"Task {number} of the reply is none that was asked for, or lacks instructions, keywords or answers."
            )
            yield Unreadable("wrong_shape", detail).rejection(source, passage=passage.id)
            return
        answer = (", " if task == "keywords" else " ").join(answers)
        draft = Draft(
            kind="writing_task" if task in WRITING else "reading_task",
            question="",
            answer=answer,
            quote=answer if task in ("extraction", "sentence") else "",
            passage=passage.id,
            field=str(task),
            fact=content_id(passage.id, str(task), answer),
            context=", ".join(keywords) if task == "sentence" else passage.text,
            labels=self._settings.labels if task == "routing" else (),
            request="",
        )
        yield from worded(draft, instructions, source)


def _texts(value: object) -> list[str]:
    """The texts of a list, on one line each."""
    items: Sequence[object] = value if isinstance(value, list) else ()
    return [tidied(item) for item in items if isinstance(item, str) and item.strip()]


def _schema(settings: Settings, most: int) -> dict[str, Any]:
    wordings = settings.wordings
    task = object_schema(
        task=choice_of(*settings.tasks),
        instructions=array_of(STRING, at_least=wordings, at_most=wordings),
        keywords=array_of(STRING, at_most=10),
        answers=array_of(STRING, at_least=1, at_most=10),
    )
    return object_schema(tasks=array_of(task, at_most=most))
