"""The report's page: one HTML file that asks no other for anything, readable on a phone, in print, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from pipeline.report.plots import bars, histogram
from pipeline.runlog.facts import Facts
from pipeline.runlog.shown import Shown

_TEMPLATE = Path(__file__).with_name("page.html.jinja")
_COMMONEST = 16
"""Bars of a plot."""


class Spent(NamedTuple):
    """What was spent of one cap."""

    span: str
    unit: str
    spent: float
    cap: float


class Change(NamedTuple):
    """A count beside what it was at the run before."""

    what: str
    before: int
    now: int


def page(facts: Facts, previous: Facts | None, shown: Shown, review: str) -> str:
    """The page of a run that is over. `previous` is the last run before it that counted; `review` the command that
    lays its records before a person."""
    text: str = _template().render(
        facts=facts,
        shown=shown,
        review=review,
        spent=list(_spent(facts)),
        changes=list(_changes(facts, previous)) if previous else None,
        previous=previous,
        plots=_plots(facts, shown),
    )
    return text


@cache
def _template() -> Any:
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["amount"] = _amount
    environment.filters["usd"] = _usd
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))


def _amount(number: float) -> str:
    return f"{number:,.0f}".replace(",", "\u202f")


def _usd(number: float) -> str:
    return f"{number:,.2f} USD" if number >= 0.01 or not number else f"{number:.4f} USD"


def _plots(facts: Facts, shown: Shown) -> dict[str, str]:
    """Those that have something to show."""
    funnel = facts.funnel
    causes = dict(funnel.rejections.most_common(_COMMONEST)) if funnel else {}
    flags = dict(funnel.flags.most_common(_COMMONEST)) if funnel else {}
    rows = {stem: count for stem, count in funnel.published.items() if count} if funnel else {}
    by_name = {
        "published": (rows, "rows by file"),
        "causes": (causes, "rejections by cause"),
        "flags": (flags, "flags of records"),
        "question_openings": (shown.question_openings, "how questions begin"),
        "answer_openings": (shown.answer_openings, "how answers begin"),
    }
    by_words = {
        "question_words": (shown.question_words, "questions by their number of words"),
        "answer_words": (shown.answer_words, "answers by their number of words"),
    }
    drawn = {name: bars(counts, label) for name, (counts, label) in by_name.items() if counts}
    return drawn | {name: histogram(counts, label) for name, (counts, label) in by_words.items() if counts}


def _spent(facts: Facts) -> Iterator[Spent]:
    """Each cap of the recipe beside what counts against it."""
    if facts.cost is None:
        return
    against = {
        "run": facts.cost.replies + facts.cost.lost,
        "day": facts.cost.account.today,
        "life": facts.cost.account.life,
    }
    for span, caps in facts.budget.items():
        for unit, cap in caps.items():
            yield Spent(span, unit, getattr(against[span], unit), cap)


def _changes(facts: Facts, previous: Facts) -> Iterator[Change]:
    now, before = _counts(facts), _counts(previous)
    for what in dict.fromkeys((*now, *before)):
        if now.get(what, 0) != before.get(what, 0):
            yield Change(what, before.get(what, 0), now.get(what, 0))


def _counts(facts: Facts) -> dict[str, int]:
    funnel = facts.funnel
    if funnel is None:
        return {}
    return {
        "requests": funnel.planned,
        "answered": funnel.answered,
        "drafts": funnel.drafts,
        "rejected": funnel.rejections.total(),
        **{f"rejected: {cause}": count for cause, count in sorted(funnel.rejections.items())},
        **{f"rows: {stem}": count for stem, count in funnel.published.items()},
        **{f"flagged: {flag}": count for flag, count in sorted(funnel.flags.items())},
    }
