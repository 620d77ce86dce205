"""Named crash points: places where a proof may have the process killed, to see that nothing is lost.

`COURSEWORK_CRASH_AT=NAME` or `NAME:N` makes the process SIGKILL itself at the first, or Nth, passing of the point
of that name. It is for proofs only; a run for which it is not set pays one look at a variable a point.
"""

from __future__ import annotations

import os
import signal
from itertools import count

_name, _, _nth = os.environ.get("COURSEWORK_CRASH_AT", "").partition(":")
_passings = count(1)


def passing(name: str) -> None:
    """A crash point. Each name is passed at one place, so that it says where the process died."""
    if _name and name == _name and next(_passings) == int(_nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
