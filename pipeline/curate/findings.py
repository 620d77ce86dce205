"""What a check says about a draft: what it measured, and what follows from it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["passed", "flagged", "doubtful", "rejected"]
"""`flagged` passes and tells the reviewer; `doubtful` is put to the judge, and where there is none it is flagged."""


class Finding(NamedTuple):
    """One check's word on one draft."""

    check: str
    """Its name: where it has a threshold, the key of that threshold under `checks:` in the recipe."""
    measured: str
    """What was measured beside what is allowed, as a person reads it: `31 words, 3 to 60`."""
    verdict: Verdict = "passed"
    cause: str = ""
    """Code of the fault, unless passed: the cause of a rejection, or the flag of a record."""
    detail: str = ""
    """One sentence that a person understands, unless passed."""
    partner: str = ""
    """Id of the record that the draft repeats."""
    score: float | None = None
    """What was measured as a record keeps it, 0 to 1, low is doubtful; None of checks that it does not keep."""
