"""Word problems: made from templates with numbers drawn for each, or by the teacher after the model of a seed.

A program computes every result. Where a template has the equations the teacher's answer is held against them; where the
teacher makes up the problem it gives the equations too, and its answer has to agree with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from pipeline.arithmetic import NotUnderstood, plain, solve
from pipeline.draft import Drafter, Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import INTEGER, STRING, Manner, Prompt, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.records import Draft, Rejection, content_id, lot
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section, read_yaml

ANSWERS = "math_answers"
PROBLEMS = "math_problems"
_SLOT = re.compile(r"\{(\w+)\}")
_DRAWS = 200
"""Draws for one variation, before its template counts as one whose numbers never fit."""
_LARGEST = 1_000_000
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(Section):
    """Word problems with worked answers; a program computes what each comes to."""

    problems: str = Field(description="YAML file with the problems, relative to the recipe; see samples/problems.yaml")
    variations: int = Field(
        default=10, ge=1, le=1000, description="of each problem with slots, each with other numbers"
    )
    together: int = Field(default=5, ge=1, le=50, description="problems answered in one request")
    similar: int = Field(
        default=0, ge=0, le=50, description="new problems that the teacher makes up after the model of each problem"
    )


class Numbers(Section):
    """Numbers from the first to the last, in steps."""

    first: int
    last: int
    step: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _ascends(self) -> Numbers:
        if self.last < self.first:
            raise ValueError("expected the last number to be no smaller than the first")
        return self

    @property
    def every(self) -> Sequence[str]:
        """Each of them, as written in a problem."""
        return [str(number) for number in range(self.first, self.last + 1, self.step)]


class Problem(Section):
    """A problem, or the template of many: `{slots}` in it are filled from `values`."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="names it in records, as their field")
    problem: Text
    equations: tuple[Text, ...] = Field(
        min_length=1, description="linear equations; the one that gives what is asked for begins with `answer =`"
    )
    result: Text = Field(default="{answer}", description="filled with what the equations come to")
    outline: tuple[Text, ...] = Field(
        default=(), description="how it is worked out, a sentence a step, with what the equations come to in {slots}"
    )
    values: dict[str, Numbers | tuple[str, ...]] = Field(
        default_factory=dict, description="slot to numbers {first, last, step}, or to a list of words"
    )
    whole: bool = Field(
        default=True, description="draw only numbers with which all that is computed is whole and positive"
    )

    @model_validator(mode="after")
    def _comes_to_something(self) -> Problem:
        slots = {slot for text in (self.problem, *self.equations) for slot in _SLOT.findall(text)}
        if slots != set(self.values):
            lacking = sorted(slots ^ set(self.values))
            raise ValueError(f"expected a value for each slot and a slot for each value; {lacking[0]!r} has only one")
        posed = next(pose(self, 1), None)
        if posed is None:
            raise ValueError("no numbers drawn from its values fit")
        strange = {slot for text in (self.result, *self.outline) for slot in _SLOT.findall(text)} - set(posed.known)
        if strange:
            raise ValueError(
                f"{{{min(strange)}}} in its result or outline is neither a value nor settled by its equations"
            )
        return self


class Problems(Section):
    """A file of problems."""

    problems: tuple[Problem, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_told_apart(self) -> Problems:
        names = [problem.id for problem in self.problems]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the id {twice[0]} stands twice, so that records could not name their problem")
        return self


@dataclass(frozen=True)
class Posed:
    """A problem with its slots filled."""

    template: Problem
    known: Mapping[str, str]
    """Slots and unknowns to what is written for them."""

    @property
    def problem(self) -> str:
        """As it is put to the student."""
        return _filled(self.template.problem, self.known)

    @property
    def equations(self) -> tuple[str, ...]:
        """Without slots."""
        return tuple(_filled(equation, self.known) for equation in self.template.equations)

    @property
    def method(self) -> str:
        """What the teacher is shown of how it is worked out: what the program finds out is left open."""
        drawn = {slot: text for slot, text in self.known.items() if slot in self.template.values}
        return "\n".join(("; ".join(self.equations), *(_filled(step, drawn) for step in self.template.outline)))

    @property
    def result(self) -> str:
        """What the program says it comes to."""
        return _filled(self.template.result, self.known)


def pose(problem: Problem, variations: int) -> Iterator[Posed]:
    """Up to so many variations, no two alike, drawn by a stable lot: more of them leave the first as they were."""
    met: set[tuple[str, ...]] = set()
    for number in range(variations if problem.values else 1):
        for draw in range(_DRAWS):
            drawn = {slot: _drawn(problem, slot, number, draw) for slot in problem.values}
            known = _worked(problem, drawn)
            if known is not None and (told := tuple(drawn.values())) not in met:
                met.add(told)
                yield Posed(problem, known)
                break


def _drawn(problem: Problem, slot: str, number: int, draw: int) -> str:
    choices = problem.values[slot]
    every = choices.every if isinstance(choices, Numbers) else choices
    return every[int(lot(problem.id, slot, str(number), str(draw)) * len(every))]


def _worked(problem: Problem, drawn: Mapping[str, str]) -> dict[str, str] | None:
    """The drawn values and what the equations come to; None if they do not suit a word problem."""
    try:
        solved = solve([_filled(equation, drawn) for equation in problem.equations])
    except NotUnderstood:
        return None
    if problem.whole and problem.values and not all(_suits(number) for number in solved.values()):
        return None
    return {**drawn, **{name: plain(number) for name, number in solved.items()}}


def _suits(number: Fraction) -> bool:
    return number.denominator == 1 and 0 < number <= _LARGEST


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: known.get(found.group(1), found.group()), text)


class MathDrafter:
    """Asks for worked answers to groups of problems."""

    stages = 1 + CONTINUATIONS

    def __init__(self, posed: Sequence[Posed], together: int, prompt: Prompt, manner: Manner) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        groups = [posed[start : start + together] for start in range(0, len(posed), together)]
        self._asked = [(group, _answers(group, prompt, manner)) for group in groups]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a group; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "answers", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """Every problem once: with its worked answer, or rejected with the cause."""
        for group, request in self._asked:
            if told(request.key) is None:
                continue
            items, fault = told_list(told, request, "answers")
            given: dict[Any, tuple[dict[str, Any], Request]] = {}
            for item, source in items:
                if isinstance(item, dict):
                    given.setdefault(item.get("number"), (item, source))
            for number, posed in enumerate(group, 1):
                item, source = given.get(number, ({}, request))
                silent = fault or Unreadable("unanswered", f"The reply holds no worked answer number {number}.")
                yield _draft(posed.problem, posed.template.id, posed.equations, item, source) or silent.rejection(
                    request, field=posed.template.id, question=posed.problem
                )


def _answers(group: Sequence[Posed], prompt: Prompt, manner: Manner) -> Request:
    answer = object_schema(number=INTEGER, answer=STRING, result=STRING)
    return prompt.request(
        ANSWERS,
        content_id("math", *(posed.problem for posed in group)),
        object_schema(answers=array_of(answer, at_least=len(group), at_most=len(group))),
        manner,
        problems="\n".join(f"{number}. {posed.problem}" for number, posed in enumerate(group, 1)),
        methods="\n".join(f"{number}. {posed.method}" for number, posed in enumerate(group, 1)),
    )


class SimilarDrafter:
    """Asks for new problems after the model of each seed, with equations and worked answers."""

    stages = 1 + CONTINUATIONS

    def __init__(self, seeds: Sequence[Posed], count: int, prompt: Prompt, manner: Manner) -> None:
        self.prompts = {prompt.path.name: prompt.text}
        equations = array_of(STRING, at_least=1, at_most=12)
        problem = object_schema(problem=STRING, equations=equations, answer=STRING, result=STRING)
        schema = object_schema(problems=array_of(problem, at_most=count))
        self._asked = [
            (
                seed.template.id,
                prompt.request(
                    PROBLEMS,
                    seed.template.id,
                    schema,
                    manner,
                    problem=seed.problem,
                    equations="\n".join(seed.equations),
                    count=count,
                ),
            )
            for seed in seeds
        ]

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a seed; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked)
        return first if stage == 0 else continuations(told, first, "problems", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a problem."""
        for seed, request in self._asked:
            items, fault = told_list(told, request, "problems")
            for number, (item, source) in enumerate(items, 1):
                shape = Unreadable("wrong_shape", f"Problem {number} lacks its text, equations, answer or result.")
                yield _made_up(item, seed, source) or shape.rejection(source, field=seed)
            if fault is not None:
                yield fault.rejection(request, field=seed)


def _made_up(item: object, seed: str, source: Request) -> Draft | None:
    said = item if isinstance(item, dict) else {}
    problem, equations = said.get("problem"), said.get("equations")
    if not (isinstance(problem, str) and problem.strip() and isinstance(equations, list)):
        return None
    told_of = tuple(one for one in equations if isinstance(one, str))
    return _draft(tidied(problem), seed, told_of, said, source)


def _draft(
    problem: str, name: str, equations: tuple[str, ...], item: Mapping[str, Any], source: Request
) -> Draft | None:
    """None if the item holds no answer and result."""
    answer, result = item.get("answer"), item.get("result")
    if not (isinstance(answer, str) and answer.strip() and isinstance(result, str) and result.strip()):
        return None
    return Draft(
        kind="math",
        question=problem,
        answer=_lines(answer),
        field=name,
        # Problems that differ in their numbers only are held out together, or none of them would examine anything.
        fact=content_id("math", name),
        equations=equations,
        result=" ".join(result.split()),
        request=source.key,
    )


def _lines(answer: str) -> str:
    """Steps stay on lines of their own; blanks around and within them go."""
    lines = (" ".join(line.split()) for line in answer.strip().splitlines())
    return "\n".join(line for line in lines if line)


def build(wanted: Settings, ground: Ground) -> list[Drafter]:
    """Raises RecipeError naming every fault of the file of problems by line."""
    problems = read_yaml(ground.folder / wanted.problems, Problems).problems
    posed = [one for problem in problems for one in pose(problem, wanted.variations)]
    drafters: list[Drafter] = [MathDrafter(posed, wanted.together, ground.prompt(ANSWERS), ground.manner)]
    if wanted.similar:
        seeds = [one for problem in problems for one in pose(problem, 1)]
        drafters.append(SimilarDrafter(seeds, wanted.similar, ground.prompt(PROBLEMS), ground.manner))
    return drafters
