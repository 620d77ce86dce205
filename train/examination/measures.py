"""The measures of an examination: questions with both answers in, numbers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.publish.schema import Manifest, Row
from train.examination import metrics
from train.examination.error_tags import ErrorTags
from train.examination.intervals import Measure, mean, number, pass_at, rate
from train.examination.record import SIDES, Measures, Side
from train.generation import Answer

FEWEST_GROUPS = 8
LARGEST_GROUP = 0.25
"""Of the rows. An interval drawn from fewer groups, or from one great one and a few small ones, says little; the next
finer grouping is taken then."""
_GROUPS: tuple[tuple[str, Callable[[Row], Hashable]], ...] = (
    ("document", lambda row: row.source or row.field),
    ("passage", lambda row: row.passage or row.field or row.fact),
    ("fact", lambda row: row.fact),
)
TRIES = (1, 5)


@dataclass(frozen=True)
class Asked:
    """A row of a slice with both answers, whether they are right, and what is wrong with them."""

    slice: str
    row: Row
    answers: Mapping[Side, Answer]
    right: Mapping[Side, bool]
    tags: Mapping[Side, tuple[str, ...]]
    nearness: Mapping[Side, float] = field(default_factory=dict)
    """In meaning, to the expected answer; nothing where it was not measured."""


def is_right(row: Row, text: str, refusals: Sequence[str]) -> bool:
    """Refused where that is right; a worked answer comes to its result; any other has the expected words."""
    if row.refusal:
        return metrics.refusing(text, refusals) == "full"
    return metrics.is_exact(text, row.answer) or (bool(row.result) and metrics.comes_to(text, row.result))


def judged(name: str, row: Row, answers: Mapping[Side, Answer], refusals: Sequence[str], tags: ErrorTags) -> Asked:
    """A row with its answers looked at. What is right and ended by itself has no error tag."""
    right = {side: is_right(row, answers[side].text, refusals) for side in SIDES}
    fine = {side: right[side] and answers[side].stopped_by == "end" for side in SIDES}
    return Asked(name, row, answers, right, {side: () if fine[side] else tags.of(row, answers[side]) for side in SIDES})


def groups_of(rows: Sequence[Row]) -> tuple[str, list[Hashable]]:
    """What rows are grouped by where an interval is drawn, the coarsest that leaves enough groups, and the groups."""
    grouped = [(name, [key(row) for row in rows]) for name, key in _GROUPS]
    return next((one for one in grouped if _says_something(one[1])), grouped[-1])


def _says_something(groups: Sequence[Hashable]) -> bool:
    sizes = Counter(groups)
    return len(sizes) >= FEWEST_GROUPS and max(sizes.values()) <= LARGEST_GROUP * len(groups)


def _mean(values: Sequence[float], rows: Sequence[Row]) -> Measure:
    return mean(values, groups_of(rows)[1])


def measures(asked: Sequence[Asked], manifest: Manifest) -> dict[Side, Measures]:
    """Every measure of every side over one slice."""
    return {side: _measures_of(side, asked, manifest) for side in SIDES}


def _measures_of(side: Side, asked: Sequence[Asked], manifest: Manifest) -> Measures:
    pairs = [(one.answers[side].text, one.row) for one in asked]
    rows = [one.row for one in asked]
    refusing = [(metrics.refusing(text, manifest.refusals), row) for text, row in pairs]
    near = [one for one in asked if side in one.nearness]
    return {
        "right": rate([one.right[side] for one in asked]),
        "exact": rate([metrics.is_exact(text, row.answer) for text, row in pairs]),
        "checked": rate([one.right[side] for one in asked if one.row.result]),
        "f1": _mean([metrics.token_f1(text, row.answer) for text, row in pairs], rows),
        "rouge_l": _mean([metrics.rouge_l(text, row.answer) for text, row in pairs], rows),
        "meaning": _mean([one.nearness[side] for one in near], [one.row for one in near]),
        "refusal_recall": rate([how == "full" for how, row in refusing if row.refusal]),
        "false_refusal": rate([how == "full" for how, row in refusing if not row.refusal]),
        "partial_refusal": rate([how == "partial" for how, _ in refusing]),
        "stopped": rate([one.answers[side].stopped_by == "end" for one in asked]),
        **_wording([text for text, _ in pairs], rows, manifest),
    }


def expected_measures(rows: Sequence[Row], manifest: Manifest) -> Measures:
    """The expected answers by the measures that need none to compare with: what a student could come to."""
    return _wording([row.answer for row in rows], rows, manifest)


def _wording(texts: Sequence[str], rows: Sequence[Row], manifest: Manifest) -> Measures:
    kept = [manifest.keeps_constraints(row.kind, text) for text, row in zip(texts, rows, strict=True)]
    return {
        "constraints": rate([one for one in kept if one is not None]),
        "repetition": _mean([metrics.repetition(text) for text in texts], rows),
        "longest_repeat": _mean([metrics.longest_repeat(text) for text in texts], rows),
        "distinct_1": number(*metrics.distinct(texts, 1)),
        "distinct_2": number(*metrics.distinct(texts, 2)),
        "words": _mean([len(metrics.words_of(text)) for text in texts], rows),
    }


def overall(asked: Sequence[Asked], manifest: Manifest) -> dict[Side, Measures]:
    """Refusals over all held-out questions."""
    found: dict[Side, Measures] = {}
    for side, by_name in measures(asked, manifest).items():
        refused = [
            one.row.refusal for one in asked if metrics.refusing(one.answers[side].text, manifest.refusals) == "full"
        ]
        found[side] = {
            "right": by_name["right"],
            "refusal_precision": rate(refused),
            "refusal_recall": by_name["refusal_recall"],
            "false_refusal": by_name["false_refusal"],
            "partial_refusal": by_name["partial_refusal"],
            "stopped": by_name["stopped"],
        }
    return found


def errors(asked: Sequence[Asked]) -> dict[Side, dict[str, int]]:
    """How many answers of each side have each tag, the commonest first."""
    return {side: dict(Counter(tag for one in asked for tag in one.tags[side]).most_common()) for side in SIDES}


def sampled_measures(rows: Sequence[Row], answers: Sequence[Sequence[Answer]], refusals: Sequence[str]) -> Measures:
    """Of the several answers drawn to each row: one of k tries right, and how the drawn ones stop and repeat."""
    right = [sum(is_right(row, one.text, refusals) for one in drawn) for row, drawn in zip(rows, answers, strict=True)]
    found: Measures = {}
    for tries in TRIES:
        values = [pass_at(tries, len(drawn), count) for drawn, count in zip(answers, right, strict=True)]
        checked = [(value, row) for value, row in zip(values, rows, strict=True) if row.result]
        found[f"pass_{tries}"] = _mean(values, rows)
        found[f"checked_pass_{tries}"] = _mean([value for value, _ in checked], [row for _, row in checked])
    found["stopped"] = _mean([_share(drawn, lambda one: one.stopped_by == "end") for drawn in answers], rows)
    found["repetition"] = _mean([_share(drawn, lambda one: metrics.repetition(one.text)) for drawn in answers], rows)
    return found


def _share(drawn: Sequence[Answer], value: Callable[[Answer], float]) -> float:
    return sum(map(value, drawn)) / len(drawn)
