"""How long a person says something may take."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pipeline.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_until(said: str, now: datetime | None = None) -> float:
    """Seconds from now until a deadline said as `90s`, `45m`, `2h`, or as a time of day such as `05:30`.

    A time of day is the next such moment of the local clock. Raises UsageError for anything else.
    """
    duration = re.fullmatch(r"(\d+)([smh])", said)
    if duration:
        return float(int(duration[1]) * _UNITS[duration[2]])
    moment = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", said)
    if not moment:
        raise UsageError(f"--deadline {said!r} is no time.", remedy="Say 90s, 45m, 2h, or a time of day such as 05:30.")
    here = now or datetime.now()
    then = here.replace(hour=int(moment[1]), minute=int(moment[2]), second=0, microsecond=0)
    return ((then if then > here else then + timedelta(days=1)) - here).total_seconds()
