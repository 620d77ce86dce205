"""Turns of phrase that belong to a teacher and not to a dataset: it speaks of its source, of itself, or leaves a gap.

Each language has its own, and all are looked for whatever the dataset's language: a teacher that slips often slips
into English. A noun alone is no fault ("Where is the text of the treaty kept?"); what is done with it is.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from pipeline.curate.triggers import Patterns

SPEAKS_OF_SOURCE = "speaks_of_source"
_WHAT = {
    SPEAKS_OF_SOURCE: "speaks of its source, which the student never sees",
    "teacher_speak": "speaks as the teacher",
    "placeholder": "holds a placeholder",
    "assistant_closing": "ends with an assistant's offer of help",
}
_CLOSING = "assistant_closing"


class Turn(NamedTuple):
    """What gives a fault of speech away."""

    pattern: Patterns
    cause: str
    what: str
    """What the text does, after "It "."""


def turns() -> tuple[Turn, ...]:
    """Those that are a fault of any draft, in the order in which they are looked for."""
    return tuple(turn for turn in _turns() if turn.cause != _CLOSING)


def closing() -> Turn:
    """Offers of help that belong to a support desk and to nobody else."""
    return next(turn for turn in _turns() if turn.cause == _CLOSING)


@cache
def _turns() -> tuple[Turn, ...]:
    listed = yaml.safe_load(Path(__file__).with_name("speech.yaml").read_text(encoding="utf-8"))
    words = listed["words"]

    def patterns(by_language: dict[str, str]) -> Patterns:
        lines = [line for text in by_language.values() for line in text.split("\n") if line]
        return Patterns(re.sub(rf"<({'|'.join(words)})>", lambda found: words[found[1]], line) for line in lines)

    return tuple(Turn(patterns(listed[cause]), cause, what) for cause, what in _WHAT.items())
