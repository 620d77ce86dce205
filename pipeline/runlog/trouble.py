"""What a quiet night has to say for itself: one line, if anything is new that somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipeline.runlog.facts import Facts

LATE = timedelta(hours=48)
"""A batch is promised within a day."""


def trouble(facts: Facts, before: Facts | None) -> str:
    """One line of what somebody should look at though the run ended well; empty if there is nothing.

    What the run before said already is not said again: `coursework status` shows it as long as it stands.
    """
    said = [*_dead(facts), *_unread(facts, before), *_unfollowed(facts, before), *_held(facts, before), *_late(facts)]
    return f"{facts.recipe}: {'. '.join(said)}. See {facts.folder}/runs/{facts.run}.json." if said else ""


def _dead(facts: Facts) -> Iterator[str]:
    if facts.never_ended:
        yield (
            f"{_many(len(facts.never_ended), 'earlier run')} began and never ended ({', '.join(facts.never_ended)}):"
            " killed, or the machine stopped; this one went on from what was paid"
        )


def _unread(facts: Facts, before: Facts | None) -> Iterator[str]:
    known = {(one.name, one.fate) for one in before.unread} if before else set()
    new = [one for one in facts.unread if (one.name, one.fate) not in known]
    if new:
        named = "; ".join(f"{one.name} is {one.fate}: {one.cause.rstrip('.')}" for one in new[:3])
        yield f"{_many(len(new), 'document')} could not be read ({named}{'; ...' if len(new) > 3 else ''})"


def _unfollowed(facts: Facts, before: Facts | None) -> Iterator[str]:
    known = before.problems if before else []
    new = next((one for one in facts.problems if one not in known), None)
    if new:
        lines = _many(facts.unfollowed, "line")
        yield f"{lines} of review sheets cannot be followed ({new.rstrip('.')}); `coursework check` names each"


def _held(facts: Facts, before: Facts | None) -> Iterator[str]:
    if facts.held and (before is None or before.held != facts.held):
        yield (
            f"{_many(facts.held, 'request')} changed since they were paid, and the old replies stand;"
            f" `coursework plan {facts.path} --accept-changes` says what new ones would cost"
        )


def _late(facts: Facts) -> Iterator[str]:
    """Only a person can let go of a batch, so it is said every night."""
    if facts.waiting_since and facts.began - facts.waiting_since > LATE:
        yield (
            f"a batch has waited since {facts.waiting_since:%Y-%m-%d}; cancel it at the endpoint, and the next run"
            " takes what it has and sends the rest again"
        )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
