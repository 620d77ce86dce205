"""What came back for the requests of one batch: replies, faults, and what nobody asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.errors import TeacherError
from pipeline.teacher.batches.lines import Result
from pipeline.teacher.completion import read_completion
from pipeline.teacher.faults import RequestRejected, TryFailed, judged, read_error
from pipeline.teacher.ledger import Cost
from pipeline.teacher.prices import Price
from pipeline.teacher.request import Reply

NEVER_PUT = ("batch_expired", "batch_cancelled")
"""The service's words for a line it did not come to; it bills nothing for it."""


@dataclass(frozen=True)
class Fault:
    """Why a request of a batch has no reply."""

    cause: str
    detail: str
    billed: bool
    """It may have been."""
    status: int = 0
    """Of the endpoint's answer, if there was one."""
    rejected: bool = False
    """Asking again in the same words brings the same."""
    hopeless: TeacherError | None = None
    """No request can succeed."""

    @property
    def tried(self) -> bool:
        """The request was put, or may have been: it failed, where others were only not come to."""
        return self.billed or self.status > 0


class Harvest:
    """Sorts the results of a batch. They may be shuffled, missing, doubled or a stranger's; errors come beside.

    A line that may have been paid for and becomes no reply is handed to `unclaimed`.
    """

    def __init__(
        self,
        waiting: Mapping[str, Cost],
        price: Price,
        answered_before: Callable[[str], bool],
        unclaimed: Callable[[bytes], None],
    ) -> None:
        self._left = dict(waiting)
        self._price = price
        self._answered_before = answered_before
        self._unclaimed = unclaimed
        self._faults: dict[str, Fault] = {}
        self._answered: set[str] = set()
        self.repeated = 0
        self.strangers = 0
        self.unreadable = 0
        """Lines that are no result."""
        self.cut = False
        """A file of results never came whole."""

    def take(self, line: bytes, result: Result | None) -> tuple[Reply, Cost] | None:
        """The reply in a line's result with what it cost, if it is the first to a request of this batch."""
        if result is None:
            self.unreadable += 1
            self._unclaimed(line)
            return None
        if result.key not in self._left:
            known = result.key in self._answered or (_may_be_ours(result.key) and self._answered_before(result.key))
            self.repeated += known
            self.strangers += not known
            if not known:
                self._unclaimed(line)
            return None
        try:
            reply = _reply(result)
        except (TryFailed, RequestRejected, TeacherError) as fault:
            # An answer was generated, whatever it is: it may stand on the bill.
            self._faults.setdefault(result.key, Fault(getattr(fault, "cause", "refused"), str(fault), billed=True))
            self._unclaimed(line)
            return None
        if reply is None:
            self._faults.setdefault(result.key, _fault(result))
            return None
        self._answered.add(result.key)
        return reply, self._price.paid(reply, self._left.pop(result.key))

    @property
    def replies(self) -> int:
        """How many requests were answered."""
        return len(self._answered)

    def faults(self, status: str) -> Iterator[tuple[str, Fault]]:
        """Each request without a reply, and why; `status` is what the batch ended in."""
        # A batch that was stopped may leave lines out; one that went to its end did something with each.
        billed = self.cut or status not in ("expired", "cancelled")
        missing = Fault("batch_missing", f"The batch ended as {status} without a word of it.", billed)
        return ((key, self._faults.get(key, missing)) for key in self._left)

    def summary(self, status: str) -> str:
        """What came, in one line."""
        causes = Counter(fault.cause for _, fault in self.faults(status))
        parts = [f"{self.replies} replies", *(f"{number} {cause}" for cause, number in sorted(causes.items()))]
        odd = {"repeated": self.repeated, "that nobody asked for": self.strangers, "unreadable lines": self.unreadable}
        return ", ".join([*parts, *(f"{number} {what}" for what, number in odd.items() if number)])


def _may_be_ours(key: str) -> bool:
    """Looks like a request's key: 32 hex digits."""
    return len(key) == 32 and not set(key) - set("0123456789abcdef")


def _reply(result: Result) -> Reply | None:
    """None for an answer that is an error. Raises as `read_completion` does."""
    return read_completion(result.key, result.body.encode()) if result.status == 200 else None


def _fault(result: Result) -> Fault:
    if not result.status:
        return Fault(result.code, result.said, billed=result.code not in NEVER_PUT)
    code, said = read_error(result.body.encode())
    detail = f"The endpoint answered {result.status}: {said}"
    meant = judged(result.status, code, detail, None)
    if isinstance(meant, TryFailed):
        return Fault(meant.cause, detail, billed=False, status=result.status)
    hopeless = meant if isinstance(meant, TeacherError) else None
    cause = getattr(meant, "cause", RequestRejected.CAUSES[0])
    return Fault(cause, detail, False, result.status, rejected=True, hopeless=hopeless)
