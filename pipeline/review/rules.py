"""Rules: corrections that a person makes often, kept by name and made again on every record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import indent
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import InputError, RecipeError, UsageError
from pipeline.files import write_whole
from pipeline.kinds import REFUSAL_KINDS
from pipeline.yamlfile import read_yaml

FILE = "rules.yaml"
_LINE_ENDS = "\r\n"
_HEAD = """\
# Corrections that are made on every record, by `coursework rule`: a person's decisions, kept beside the sheets.
# `coursework rule undo NAME` takes one back. They are made in this order, and never on a text that a person edited.
rules:
"""
Where = Literal["question", "answer", "both"]


class Rule(BaseModel):
    """One correction: what to replace, by what, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="by which it is listed and undone")
    replace: str = Field(min_length=1, description="the words to replace, to the letter; or a regular expression")
    by: str = Field(alias="with", description="what stands there then; with regex, \\1 is its first group")
    regex: bool = False
    where: Where = "both"

    @model_validator(mode="after")
    def _can_be_followed(self) -> Rule:
        try:
            pattern = self.pattern
        except re.error as fault:
            raise ValueError(f"replace: {self.replace!r} is no regular expression: {fault}") from None
        if self.regex:
            try:
                pattern.sub(self.by, "")
            except (re.error, IndexError) as fault:
                raise ValueError(f"with: {self.by!r} cannot stand for {self.replace!r}: {fault}") from None
        return self

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What is looked for."""
        return re.compile(self.replace if self.regex else re.escape(self.replace))

    def on_text(self, text: str) -> str:
        """The text, corrected."""
        return self.pattern.sub(self.by, text) if self.regex else text.replace(self.replace, self.by)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...] | None = None
    """None where the last one was taken back."""

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> _File:
        names = [rule.name for rule in self.rules or ()]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two rules are called {twice}; a rule is undone by its name")
        return self


class Corrected(NamedTuple):
    """A question and an answer after the rules."""

    question: str
    answer: str
    rules: tuple[str, ...]
    """Names of those that changed something."""


@dataclass(frozen=True)
class Rules:
    """The rules of one dataset, in their order."""

    rules: Sequence[Rule] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def on(self, kind: str, question: str, answer: str) -> Corrected:
        """What they make of a question and its answer. A refusal stays the recipe's sentence, whatever they say."""
        touched = []
        for rule in self.rules:
            before = question, answer
            if rule.where != "answer":
                question = rule.on_text(question)
            if rule.where != "question" and kind not in REFUSAL_KINDS:
                answer = rule.on_text(answer)
            if (question, answer) != before:
                touched.append(rule.name)
        return Corrected(question, answer, tuple(touched))

    def named(self, name: str) -> Rule | None:
        """The rule of that name."""
        return next((rule for rule in self.rules if rule.name == name), None)


def make_rule(**said: Any) -> Rule:
    """A rule from what somebody said. Raises UsageError naming what cannot be."""
    try:
        return Rule.model_validate(said)
    except ValidationError as fault:
        told = fault.errors()[0]
        where = f"{told['loc'][0]}: " if told["loc"] else ""
        raise UsageError(f"{where}{told['msg'].removeprefix('Value error, ')}.") from None


def read_rules(folder: Path) -> Rules:
    """The rules beside the sheets; none if there is no such file. Raises InputError naming file, line and field."""
    path = folder / FILE
    if not path.exists() or not path.read_bytes().strip():
        return Rules()
    try:
        return Rules(read_yaml(path, _File).rules or ())
    except RecipeError as fault:
        remedy = fault.remedy or "Mend it there: without its rules the dataset would lack corrections."
        raise InputError(fault.problem, remedy=remedy) from None


def add_rule(folder: Path, rule: Rule) -> None:
    """Put a rule at the end of the file; what a person wrote there stays. Raises UsageError if the name is taken."""
    rules = read_rules(folder)
    if rules.named(rule.name):
        raise UsageError(f"{folder / FILE} has a rule called {rule.name} already.", remedy="Undo it, or name another.")
    path = folder / FILE
    before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    values = rule.model_dump(by_alias=True, exclude_defaults=True)
    item = "".join(f"  {name}: {_quoted(value)}\n" for name, value in values.items())
    item = f"-{item[1:]}"
    blanks = " " * (_items(before)[0].start_mark.column - len("- ")) if rules else ""
    write_whole(path, f"{(before or _HEAD).rstrip(_LINE_ENDS)}\n{indent(item, blanks)}".encode())


def _quoted(value: str | bool) -> str:
    """A value as YAML reads it back to the letter, whatever it holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)


def undo_rule(folder: Path, name: str) -> Rule:
    """Take a rule out of the file; all else in it stays as it was. Raises UsageError if there is none of that name."""
    path = folder / FILE
    rules = read_rules(folder)
    rule = rules.named(name)
    if rule is None:
        known = ", ".join(one.name for one in rules) or "none"
        raise UsageError(f"{path} has no rule called {name}.", remedy=f"Its rules: {known}.")
    text = path.read_text(encoding="utf-8-sig")
    items, place = _items(text), [one.name for one in rules].index(name)
    lines = text.split("\n")
    begin = items[place].start_mark.line
    end = items[place + 1].start_mark.line if place + 1 < len(items) else len(lines)
    while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1  # what is said above the next rule is said of that
    write_whole(path, "\n".join([*lines[:begin], *lines[end:]]).encode())
    return rule


def _items(text: str) -> list[yaml.Node]:
    """Where the rules stand."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    return next(value.value for key, value in root.value if key.value == "rules")


def differences(before: str, after: str) -> Iterable[str]:
    """A change as two lines of a diff; none if there is none."""
    return () if before == after else (f"- {before}", f"+ {after}")
