"""What a format is: how a row of the dataset becomes lines of a trainer's file, and what stands beside that file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.publish.formats.encodings import JSONL, Column, Encoding, Line
from pipeline.publish.schema import PREFERENCE, TRAIN, PromptFormat, Row

VALIDATING = ("rephrased", "off_topic", "near_topic")
"""The slices by which a trainer may watch its loss. `unseen` is none of them: a student can only guess at its answers,
so that a loss over it would rise while the student learns what it should."""
VALIDATION = "val"
"""Stem of the one file that holds these slices, for a trainer that takes a single file."""


class Cannot(NamedTuple):
    """The format has no place for a row."""

    why: str


class Written(NamedTuple):
    """What the texts beside the files are told."""

    name: str
    """Of the dataset."""
    rows: Mapping[str, int]
    """Rows by stem, of the files that were written."""
    mixed: Mapping[str, int]
    """Of those that are trained, rows by set that is mixed in; only sets of which there are any."""

    @property
    def validating(self) -> tuple[str, ...]:
        """Stems of the files by which the loss may be watched."""
        return tuple(stem for stem in (*VALIDATING, VALIDATION) if stem in self.rows)

    @property
    def held_out(self) -> tuple[str, ...]:
        """Stems of all that is not trained."""
        return tuple(stem for stem in self.rows if stem != TRAIN)


class Fault(NamedTuple):
    """What a published rule has against a file."""

    line: int
    """From 1; 0 is the file as a whole."""
    what: str

    def at(self, path: Path) -> str:
        """In the form file:line: what."""
        return f"{path}:{self.line}: {self.what}" if self.line else f"{path}: {self.what}"


def _nothing(_: Written) -> Mapping[str, str]:
    return {}


def _no_rules(_: Path) -> Iterable[Fault]:
    return ()


@dataclass(frozen=True)
class Format:
    """One way to hand the dataset to a trainer. A new one is a function from a row, and a line in the registry."""

    trainer: str
    """Who reads it, in words."""
    lines: Callable[[Any, PromptFormat], Sequence[Line] | Cannot]
    """A row (or, where `pairs`, a pair) in this format: one line, or as many as it has turns where a turn is one."""
    columns: Sequence[Column]
    """What a line holds, so that no loader guesses a type."""
    load: Callable[[Written], str]
    """How the folder is loaded, in a line or two of its README."""
    beside: Callable[[Written], Mapping[str, str]] = _nothing
    """Further files that the trainer needs, by name."""
    encoding: Encoding = JSONL
    one_validation_file: bool = False
    """The trainer takes a single file for validation."""
    pairs: bool = False
    """It is made of preference.jsonl and not of the rows that are trained and examined."""
    rules: Callable[[Path], Iterable[Fault]] = _no_rules
    """What the trainer's published rules have against a file of rows to train on."""

    def stem_of(self, stem: str) -> str:
        """The stem of the file that a row of train.jsonl or of a slice goes to."""
        if stem == PREFERENCE:
            return TRAIN
        return VALIDATION if self.one_validation_file and stem in VALIDATING else stem

    def file(self, stem: str) -> str:
        """The name of a file of rows."""
        return stem + self.encoding.suffix


def turns(row: Row, prompts: PromptFormat) -> Iterator[tuple[str, str]]:
    """The conversation that a row is, as who says what: `user` and `assistant` in turn, the row's answer last.

    A chat template brings its own marks for who speaks, so the dataset's prompt format stays away. What is shown with
    the question opens the conversation, as it opens the prompt.
    """
    said = (*row.earlier, row.question, row.answer)
    for place, text in enumerate(said):
        opening = prompts.context.format(context=row.context, prompt=text) if not place and row.context else text
        yield ("assistant" if place % 2 else "user"), opening
