"""What a quiet night has to say for itself: one line, if anything is new that somebody should look at."""

from __future__ import annotations

from pipeline.runlog.facts import Facts


def trouble(facts: Facts, before: Facts | None) -> str:
    """One line of what went wrong in a run that ended well; empty if nothing did.

    What the run before said already is not said again: `coursework status` shows it as long as it stands.
    """
    known_files = {(one.name, one.fate) for one in before.unread} if before else set()
    files = [one for one in facts.unread if (one.name, one.fate) not in known_files]
    lines = [one for one in facts.problems if before is None or one not in before.problems]
    said = []
    if facts.never_ended:
        said.append(
            f"{_many(len(facts.never_ended), 'earlier run')} began and never ended ({', '.join(facts.never_ended)}):"
            " killed, or the machine stopped; this one went on from what was paid"
        )
    if files:
        named = "; ".join(f"{one.name} is {one.fate}: {one.cause.rstrip('.')}" for one in files[:3])
        said.append(f"{_many(len(files), 'document')} could not be read ({named}{'; ...' if len(files) > 3 else ''})")
    if lines:
        named = lines[0].rstrip(".")
        said.append(f"{_many(len(lines), 'line')} of review sheets could not be followed, the first: {named}")
    return f"{facts.recipe}: {'. '.join(said)}. See {facts.folder}/runs/{facts.run}.json." if said else ""


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
