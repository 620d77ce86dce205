"""examination.html: one file that asks no other for anything, with plots and every answer side by side."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from train.examination.beside import Others
from train.examination.error_tags import TAGS_IN_WORDS
from train.examination.intervals import Measure
from train.examination.plots import counts, shares
from train.examination.record import SIDES, TYPOS, Examination, Example, Measures
from train.examination.slices import lot
from train.examination.words import MEASURES_IN_WORDS, SLICES_IN_WORDS, chance, name_of, percent, shown

_TEMPLATE = Path(__file__).with_name("examination.html.jinja")
MOST_ANSWERS = 2000
"""Questions on the page; all of them stand in examination_answers.jsonl."""
_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


BASE_AND_STUDENT = {"base": "var(--base)", "student": "var(--student)"}
OTHERS = ("var(--one)", "var(--two)", "var(--three)")
_SCRIPT = Path(__file__).with_name("examination.js")


class Line(NamedTuple):
    """A measure of one slice: the base, the student, and the expected answers where they can be measured."""

    measure: str
    n: int
    base: str
    student: str
    expected: str


def html(examination: Examination, answers: Sequence[Example], others: Others) -> str:
    """The page of an examination with the answers that it found, and what other students said to the same questions."""
    chosen = _chosen(answers)
    text: str = _template().render(
        examination=examination,
        slices=SLICES_IN_WORDS,
        measures=MEASURES_IN_WORDS,
        tags_in_words=TAGS_IN_WORDS,
        tables=dict(_tables(examination)),
        overall=list(_lines(examination.overall["base"], examination.overall["student"], {})),
        drawn=_drawn(examination),
        general=list(_general(examination)),
        plots=_plots(examination),
        answers=chosen,
        others={name: others[name] for name in _others(examination)},
        left_out=len(answers) - len(chosen),
        legend=BASE_AND_STUDENT,
        beside={**_others(examination), examination.student: BASE_AND_STUDENT["student"]},
        script=_script(),
        script_hash=b64encode(sha256(_script().encode()).digest()).decode(),
    )
    return text


@cache
def _template() -> Any:
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"named": name_of, "percent": _percent, "chance": chance, "said": _said}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))


@cache
def _script() -> str:
    """What filters the answers. The page names its hash, so that no browser runs any other script on it."""
    return _SCRIPT.read_text(encoding="utf-8")


def _percent(found: Measure) -> str:
    """That no line ends between a number and its sign."""
    return percent(found).replace(" ", "\u00a0")


def _said(text: str) -> str:
    """What a page may be given: a byte-level model can say what no text holds."""
    return _CHARACTERS.sub("\ufffd", text)


def _chosen(answers: Sequence[Example]) -> list[Example]:
    """In their order; where there are too many, which ones is decided by their ids."""
    if len(answers) <= MOST_ANSWERS:
        return list(answers)
    kept = set(sorted(((one.slice, one.id) for one in answers), key=lambda one: lot(one[1]))[:MOST_ANSWERS])
    return [one for one in answers if (one.slice, one.id) in kept]


def _tables(examination: Examination) -> Iterator[tuple[str, list[Line]]]:
    for name, sides in examination.slices.items():
        if sides["student"]["right"].n:
            yield name, list(_lines(sides["base"], sides["student"], examination.expected[name]))


def _lines(base: Measures, student: Measures, expected: Measures) -> Iterator[Line]:
    for measure, found in student.items():
        if found.n or base[measure].n:
            yield Line(
                measure,
                max(found.n, base[measure].n),
                shown(measure, base[measure]),
                shown(measure, found),
                shown(measure, expected.get(measure)) if measure in expected else "",
            )


def _drawn(examination: Examination) -> dict[str, list[Line]]:
    if examination.sampled is None:
        return {}
    return {
        name: list(_lines(sides["base"], sides["student"], {})) for name, sides in examination.sampled.slices.items()
    }


def _general(examination: Examination) -> Iterator[Line]:
    if examination.forgetting:
        yield from _lines(examination.forgetting.measures["base"], examination.forgetting.measures["student"], {})


def _plots(examination: Examination) -> dict[str, str]:
    asked = {name: sides for name, sides in examination.slices.items() if sides["student"]["right"].n}
    refused = {
        name_of(measure): [examination.overall[side][measure] for side in SIDES]
        for measure in ("refusal_recall", "refusal_precision", "false_refusal", "partial_refusal")
        if examination.overall["student"][measure].n
    }
    plots = {
        "right": shares(
            {name_of(name): [found[side]["right"] for side in SIDES] for name, found in asked.items()},
            BASE_AND_STUDENT,
            "right answers by slice, base and student",
        ),
        "stopped": shares(
            {name_of(name): [found[side]["stopped"] for side in SIDES] for name, found in asked.items()},
            BASE_AND_STUDENT,
            "answers that ended by themselves by slice, base and student",
        ),
    }
    if refused:
        plots["refused"] = shares(refused, BASE_AND_STUDENT, "refusals over all held-out questions, base and student")
    if tags := _tag_counts(examination):
        plots["errors"] = counts(tags, {"student": "var(--student)"}, "error tags of the student over all slices")
    if examination.beside:
        plots["beside"] = _beside(examination)
    return plots


def _tag_counts(examination: Examination) -> dict[str, list[int]]:
    """Over all slices but `typos`, which would count its answers twice."""
    slices = [sides["student"] for name, sides in examination.errors.items() if name != TYPOS]
    total = {tag: sum(found.get(tag, 0) for found in slices) for tag in TAGS_IN_WORDS}
    return {name_of(tag): [count] for tag, count in sorted(total.items(), key=lambda one: -one[1]) if count}


def _others(examination: Examination) -> dict[str, str]:
    """Other students and the colours of their bars: at most three, for more bars would say less."""
    names = [one.student for one in examination.beside[-len(OTHERS) :]]
    return dict(zip(names, OTHERS, strict=False))


def _beside(examination: Examination) -> str:
    others = _others(examination)
    known = [one.right for one in examination.beside if one.student in others]
    nothing = Measure()
    return shares(
        {
            name_of(name): [*(right.get(name, nothing) for right in known), sides["student"]["right"]]
            for name, sides in examination.slices.items()
            if sides["student"]["right"].n
        },
        {**others, examination.student: BASE_AND_STUDENT["student"]},
        "right answers by slice, this student and others of the dataset",
    )
