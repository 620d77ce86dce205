"""Calls to the endpoint that are no chat completions: each under a deadline, and again while that may help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import uniform
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import TeacherError
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import RequestRejected, TryFailed, judged, read_error

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_WAIT = 120.0
FIRST_PAUSE = 0.5
"""Seconds before a second try, about; it doubles with each."""
SURELY_NOT_DONE = frozenset({"http_429", "not_reached"})
"""Causes of a failed call that changed nothing at the endpoint; after any other it may have done what it was asked."""

T = TypeVar("T")


class Calls:
    """What all calls to one endpoint have in common."""

    def __init__(self, address: Address, tries: int) -> None:
        self._address = address
        self._tries = tries

    @asynccontextmanager
    async def judging(self, seconds: float, not_found: Callable[[str], TeacherError]) -> AsyncIterator[asyncio.Timeout]:
        """A call under a deadline of its own. Raises TryFailed, RequestRejected or TeacherError."""
        import httpx2  # what `openai` speaks with: a stream that breaks off raises its errors
        from openai import APIConnectionError, APIStatusError, OpenAIError

        try:
            async with asyncio.timeout(seconds) as timer:
                yield timer
        except TimeoutError:
            raise TryFailed("too_slow", f"no whole answer within {seconds:.0f} seconds") from None
        except APIStatusError as fault:
            # Before it is shortened: half a key is no less a key.
            code, said = read_error(self._address.redacted_bytes(fault.response.content))
            said = f"{self._address.name} answered {fault.status_code}: {said}"
            if fault.status_code == 404:
                raise not_found(said) from None
            raise judged(fault.status_code, code, said, fault.response.headers.get("Retry-After")) from None
        except APIConnectionError as fault:
            raise self._no_connection(fault.__cause__ or fault) from None
        except (httpx2.HTTPError, OSError) as fault:
            raise self._no_connection(fault) from None
        except (ValueError, AttributeError, OpenAIError) as fault:  # half an answer, or another's
            raise TryFailed("not_understood", f"the answer was not understood ({type(fault).__name__})") from None

    def _no_connection(self, fault: BaseException) -> TryFailed:
        from httpx2 import ConnectError

        cause = "not_reached" if isinstance(fault, ConnectError) else "no_connection"
        return TryFailed(cause, self._address.redacted(f"{self._address.name}: {type(fault).__name__}: {fault}"))

    async def tried(self, once: Callable[[], Awaitable[T]], enough: str = "") -> T:
        """What `once` brings, tried as often as the recipe allows. Raises TeacherError.

        None where the last try fails with the cause `enough`: then that must do.
        """
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        def at_last(state: RetryCallState) -> None:
            fault = state.outcome.exception() if state.outcome else None
            if isinstance(fault, TryFailed) and fault.cause != enough:
                raise TeacherError(
                    f"{str(fault).rstrip('.')}.", remedy="Nothing is lost; run the same command again."
                ) from None

        trying = AsyncRetrying(
            retry=retry_if_exception_type(TryFailed),
            stop=stop_after_attempt(self._tries),
            wait=_pause,
            retry_error_callback=at_last,
        )
        try:
            return await trying(once)
        except RequestRejected as fault:
            raise TeacherError(
                f"{str(fault).rstrip('.')}.", remedy="Without the Batch API, set teacher.mode: online."
            ) from None


def _pause(state: RetryCallState) -> float:
    """Seconds before the next try: what the endpoint asked for, else a random time that doubles."""
    fault = state.outcome.exception() if state.outcome else None
    if isinstance(fault, TryFailed) and fault.retry_after is not None:
        return min(fault.retry_after, LONGEST_WAIT) + uniform(0, 0.05)
    return uniform(0.2, 1) * FIRST_PAUSE * 2.0 ** min(state.attempt_number, 6)
