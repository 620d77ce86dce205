"""How a fault of the transport changes what any call is answered."""

from __future__ import annotations

from pipeline.teacher.rehearsal import refusing
from pipeline.teacher.rehearsal.connection import Answer, Manner, answer
from pipeline.teacher.rehearsal.settings import Rehearsal

_MANNERS = {
    "reset": Manner.RESET,
    "hang_before": Manner.HANG_BEFORE,
    "hang_after": Manner.HANG_AFTER,
    "drip": Manner.DRIP,
}


def turned_away(fault: str, settings: Rehearsal) -> Answer | None:
    """The answer to a call that a fault keeps from being served at all; None where the fault lets it through."""
    if fault == "too_many":
        return refusing.too_many(settings)
    if fault == "error_500":
        return refusing.error(500, "The server had an error while processing your request.")
    if fault == "unavailable_503":
        return refusing.error(503, "The engine is overloaded.", **refusing.retry_after(settings))
    return None


def conveyed(whole: Answer, fault: str, settings: Rehearsal) -> Answer:
    """A whole answer, as much of it as the fault lets through."""
    if fault == "cut_body":
        return answer(whole.status, whole.body[: len(whole.body) // 2])
    whole.manner = _MANNERS.get(fault, Manner.WHOLE)
    whole.between_bytes = settings.drip_seconds
    return whole
