"""What a run asks and what it has been told: today's plan beside what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.draft import Drafter
from pipeline.draft.replies import Unreadable, answer_object
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.request import Reply, Request


class Change(NamedTuple):
    """A request that was paid for and would be asked differently today."""

    request: Request
    before: str
    """Key of the request as it was paid."""


class History:
    """Looks up replies. A request that was paid for and has changed since is held back, and its old reply
    stands, until the person accepts the change: an edited prompt must not spend money by itself."""

    def __init__(self, ledger: Ledger, accept_changes: bool) -> None:
        self._ledger = ledger
        self._accept = accept_changes
        self._stands_for: dict[str, str] = {}
        self._standing: dict[str, str] = {}
        self.changes: dict[str, Change] = {}
        """By key of the request as it would be asked today."""

    def told(self, key: str) -> Reply | None:
        """The reply to a request, or to the request it was before it changed."""
        return self._ledger.get(self._as_paid(key))

    @property
    def held(self) -> int:
        """How many changed requests were held back."""
        return len(self._stands_for)

    def has(self, key: str) -> bool:
        """Whether `told` knows a reply."""
        return self._as_paid(key) != key or self._ledger.has(key)

    def place(self, key: str) -> int:
        """Place of a request in the order of first planning."""
        return self._ledger.place(self._as_paid(key))

    def paid(self, kind: str, subject: str) -> bool:
        """Whether a request of this kind about this subject was ever paid for, and brought something to read."""
        return self._paid(kind, subject) is not None

    def _paid(self, kind: str, subject: str) -> str | None:
        """Key of the newest such request."""
        before = self._ledger.answered_before(kind, subject)
        if before is None or self._ledger.cost(before).usd == 0 or not self._readable(before):
            return None
        return before

    def _as_paid(self, key: str) -> str:
        """Key of the request whose reply counts for this one."""
        return self._stands_for.get(key) or self._standing.get(key, key)

    def plan(self, drafters: Sequence[Drafter]) -> Iterator[list[Request]]:
        """The requests of each stage, each once, in plan order; a stage may look at the replies of those before it."""
        met: set[str] = set()
        for stage in range(max((drafter.stages for drafter in drafters), default=0)):
            asked = (r for drafter in drafters if stage < drafter.stages for r in drafter.requests(stage, self.told))
            new = {request.key: request for request in asked if request.key not in met}
            met.update(new)
            for request in new.values():
                self._compare(request)
            yield list(new.values())

    def _compare(self, request: Request) -> None:
        if self._as_paid(request.key) != request.key or self._ledger.has(request.key):
            return
        before = self._paid(request.kind, request.subject)
        if before is None:
            return
        if request.standing:
            self._standing[request.key] = before
            return
        self.changes[request.key] = Change(request, before)
        if not self._accept:
            self._stands_for[request.key] = before

    def _readable(self, key: str) -> bool:
        reply = self._ledger.get(key)
        try:
            return reply is not None and bool(answer_object(reply))
        except Unreadable:
            return False
