"""examination.md: the examination on a page that reads well in a terminal too; examination.html says the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from train.examination.error_tags import TAGS_IN_WORDS
from train.examination.record import TRAINED, Examination, Example, Measures
from train.examination.words import MEASURES_IN_WORDS, SLICES_IN_WORDS, chance, name_of, percent, shown

LONGEST_SHOWN = 220
MOST_TAGS = 6
TOLD = ("f1", "rouge_l", "meaning", "refusal_recall", "false_refusal", "stopped", "repetition")
"""Measures of the student that the page tells by slice."""


def page(examination: Examination) -> str:
    """The whole page: a glance, the student by slice, what it does wrong, an example of each slice."""
    sections = [_head(examination), _glance(examination), _student(examination), _overall(examination)]
    sections += [_errors(examination), *_more(examination), _examples(_first_of_each(examination)), _notes(examination)]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(examination: Examination) -> str:
    """What fits a screen: the glance, and one example of each slice."""
    return "\n\n".join([_head(examination), _glance(examination), _examples(_first_of_each(examination))]) + "\n"


def _first_of_each(examination: Examination) -> list[Example]:
    first = {example.slice: example for example in reversed(examination.examples)}
    return [first[name] for name in examination.slices if name in first]


def _head(examination: Examination) -> str:
    return (
        f"# Examination of {examination.student}\n\n"
        f"The student and the base it was trained from answered the same questions of the dataset "
        f"{examination.dataset_name}\n(sha256 {examination.dataset_sha256[:16]}): {examination.generation.in_words()}."
    )


def _glance(examination: Examination) -> str:
    pairs = {one.slice: one.found for one in examination.compared if one.first == "base"}
    header = ("slice", "questions", "right, base", "right, student", "difference", "what it asks")
    rows = [
        (
            name,
            str(sides["student"]["right"].n),
            percent(sides["base"]["right"]),
            shown("right", sides["student"]["right"]),
            chance(pairs[name]) if name in pairs else "-",
            SLICES_IN_WORDS[name] if sides["student"]["right"].n else "the dataset holds no such question",
        )
        for name, sides in examination.slices.items()
    ]
    return "## At a glance\n\n" + _aligned(header, rows)


def _student(examination: Examination) -> str:
    """The student's measures by slice, those left out that apply nowhere."""
    asked = {name: sides["student"] for name, sides in examination.slices.items() if sides["student"]["right"].n}
    told = [measure for measure in TOLD if any(found[measure].n for found in asked.values())]
    rows = [(name, *(shown(measure, found[measure]) for measure in told)) for name, found in asked.items()]
    return "## The student\n\n" + _aligned(("slice", *map(name_of, told)), rows)


def _overall(examination: Examination) -> str:
    return _table("All held-out questions", examination.overall["base"], examination.overall["student"])


def _table(title: str, base: Measures, student: Measures) -> str:
    rows = [
        (name_of(measure), str(found.n), shown(measure, base[measure]), shown(measure, found))
        for measure, found in student.items()
        if found.n or base[measure].n
    ]
    return f"## {title}\n\n" + _aligned(("measure", "n", "base", "student"), rows)


def _errors(examination: Examination) -> str:
    """The commonest of the held-out questions; what is trained is looked at where something is wrong there."""
    lines = []
    for name, sides in examination.errors.items():
        asked = examination.slices[name]["student"]["right"].n
        told = ", ".join(f"{count} {name_of(tag)}" for tag, count in list(sides["student"].items())[:MOST_TAGS])
        if told:
            lines.append(f"- {name}, of {asked}: {told}")
    if not lines:
        return "## What is wrong with its answers\n\nNothing that a program can find."
    used = {tag for sides in examination.errors.values() for tag in list(sides["student"])[:MOST_TAGS]}
    legend = "; ".join(f"{name_of(tag)}: {words}" for tag, words in TAGS_IN_WORDS.items() if tag in used)
    return "## What is wrong with its answers\n\n" + "\n".join(lines) + f"\n\n({legend}.)"


def _more(examination: Examination) -> Iterator[str]:
    """What was wanted beyond the slices."""
    if drawn := examination.sampled:
        rows = [
            (
                name,
                str(sides["student"]["pass_1"].n),
                *(shown(key, sides["student"][key]) for key in ("pass_1", "pass_5")),
            )
            for name, sides in drawn.slices.items()
        ]
        yield (
            f"## One of several tries\n\n{drawn.samples} answers to each question: {drawn.generation.in_words()}.\n\n"
            + _aligned(("slice", "questions", "right in 1", "right in 5"), rows)
        )
    if general := examination.forgetting:
        yield _table("What training took away", general.measures["base"], general.measures["student"]) + (
            f"\n\nOf {general.right.n} general sentences {general.right.only_first} are completed rightly by the base "
            f"only, {general.right.only_second} by the student only ({chance(general.right)})."
        )
    if examination.beside:
        names = [name for name in examination.slices if name != TRAINED]
        rows = [(one.student, *(percent(one.right.get(name)) for name in names)) for one in examination.beside]
        own = (examination.student, *(percent(examination.slices[name]["student"]["right"]) for name in names))
        yield "## Beside other students, right\n\n" + _aligned(("student", *names), [own, *rows])


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up as plain text."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _examples(examples: Sequence[Example]) -> str:
    parts = ["## Side by side"]
    for example in examples:
        parts.append(
            f"**{example.slice}**: {_line(example.question)}\n\n"
            f"- expected: {_line(example.expected)}\n"
            f"- base: {_said(example.base, example.base_stopped_by)}\n"
            f"- student: {_said(example.student, example.student_stopped_by)}"
        )
    return "\n\n".join(parts)


def _said(text: str, stopped_by: str) -> str:
    return (_line(text) or "(nothing)") + ("" if stopped_by == "end" else " (did not stop)")


def _line(text: str) -> str:
    """On one line, control characters shown as blanks, Markdown's own signs as text, and not too long."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    cut = flat if len(flat) <= LONGEST_SHOWN else flat[:LONGEST_SHOWN].rstrip() + " ..."
    return "".join(f"\\{letter}" if letter in "\\`*_<>[]#|" else letter for letter in cut)


def _notes(examination: Examination) -> str:
    used = dict.fromkeys(("right", *TOLD, *examination.overall["student"]))
    lines = [f"- {name_of(measure)}: {MEASURES_IN_WORDS[measure]}" for measure in used]
    notes = "".join(f"\n{note}" for note in examination.notes)
    return (
        "## What is measured\n\n" + "\n".join(lines) + "\n\n"
        "In brackets the 95 % interval: Wilson's for shares, for means a bootstrap by document, passage or fact.\n"
        "The difference is McNemar's exact test on the questions that only one of both got right. Every answer, the\n"
        "plots and the other measures stand in examination.html; docs/examination.md explains each."
        f"{notes}"
    )
