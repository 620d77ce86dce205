"""examination.md: the examination as a page that reads well in a terminal too."""

from __future__ import annotations

from collections.abc import Sequence

from train.examination_json import EXAMINED, Examination, Example, Measures, Side
from train.metrics import Measure

SLICES_IN_WORDS = {
    "trained": "the rows of train.jsonl, asked again",
    "rephrased": "trained facts in wordings that were held out",
    "unseen": "facts whose passage was held out; the student can only guess or refuse",
    "off_topic": "fields of knowledge that were held out; to be refused",
    "near_topic": "sounds like the subject and is not answered by it; to be refused",
}
MEASURES_IN_WORDS = {
    "exact": "answers with the expected words in the expected order",
    "f1": "overlap of words with the expected answer, 0 to 1",
    "refusal_recall": "questions to be refused that were refused",
    "false_refusal": "questions with an answer that were refused, those of unseen among them",
    "partial_refusal": "answers that hold the refusal sentence and other text",
    "stopped": "answers that ended by themselves",
    "repetition": "share of four-word runs that an answer had said before, 0 to 1",
    "refusal_precision": "refusals that were right",
}
AS_NUMBER = ("f1", "repetition")
LONGEST_SHOWN = 220


def page(examination: Examination) -> str:
    """The whole page: a glance, one table a slice, examples, and what the measures mean."""
    sections = [_head(examination), _glance(examination)]
    sections += [_slice(name, examination.slices[name]) for name in EXAMINED]
    sections += [_table("All held-out questions", examination.overall), _examples(examination.examples), _legend()]
    return "\n\n".join(sections) + "\n"


def summary(examination: Examination) -> str:
    """What fits a screen: the glance, and one example of each slice."""
    first = {example.slice: example for example in reversed(examination.examples)}
    shown = [first[name] for name in EXAMINED if name in first]
    return "\n\n".join([_head(examination), _glance(examination), _examples(shown)]) + "\n"


def _head(examination: Examination) -> str:
    rules = examination.generation
    return (
        f"# Examination of {examination.student}\n\n"
        f"The student and the base it was trained from answered the same questions of the dataset "
        f"{examination.dataset_name}\n(sha256 {examination.dataset_sha256[:16]}): {rules.decoding} decoding, at most "
        f"{rules.max_new_tokens} tokens an answer."
    )


def _glance(examination: Examination) -> str:
    header = ("slice", "questions", "right, base", "right, student", "what it asks")
    rows = [
        (
            name,
            str(examination.slices[name]["student"]["exact"].n),
            _percent(examination.slices[name]["base"]["exact"]),
            _percent(examination.slices[name]["student"]["exact"]),
            SLICES_IN_WORDS[name],
        )
        for name in EXAMINED
    ]
    return "## At a glance\n\n" + _aligned(header, rows)


def _slice(name: str, sides: dict[Side, Measures]) -> str:
    if not sides["student"]["exact"].n:
        return f"## {name}\n\nThe dataset holds no such question."
    return _table(name, sides)


def _table(title: str, sides: dict[Side, Measures]) -> str:
    rows = [
        (measure, str(value.n), _shown(measure, sides["base"][measure]), _shown(measure, value))
        for measure, value in sides["student"].items()
        if value.n or sides["base"][measure].n
    ]
    return f"## {title}\n\n" + _aligned(("measure", "n", "base", "student"), rows)


def _shown(measure: str, found: Measure) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "-"
    if measure in AS_NUMBER:
        return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    return f"{_percent(found)} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _percent(found: Measure) -> str:
    return "-" if found.value is None else f"{100 * found.value:.1f} %"


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


def _legend() -> str:
    lines = [f"- {measure}: {words}" for measure, words in MEASURES_IN_WORDS.items()]
    return (
        "## What is measured\n\n" + "\n".join(lines) + "\n\n"
        "In brackets the 95 % interval: Wilson's for shares, a bootstrap over questions for means. Two texts are the\n"
        "same if they differ in nothing but case, spacing and punctuation around words. Wordings of one fact are\n"
        "counted as if they were independent, which makes the intervals a little too narrow."
    )
