"""The endpoint's files and batches, through the `openai` client; retries are counted here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from random import uniform
from time import monotonic
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pipeline.errors import CannotWrite, TeacherError
from pipeline.teacher.batches.lines import is_whole
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import RequestRejected, TryFailed, judged, read_error

if TYPE_CHECKING:
    from openai import AsyncOpenAI, Omit
    from openai.types import Batch, FileObject
    from tenacity import RetryCallState

CALL_SECONDS = 60.0
"""For a call that carries no file, in all."""
SLOWEST = 50_000
"""Bytes a second; a file that comes or goes slower than this is given up."""
LOOKS = (2.0, 8.0, 30.0)
"""Seconds before each look for a batch whose creation was not heard of."""
MOST_LISTED = 5_000
"""So many batches of the account are looked through, the newest first."""
READY_SECONDS = 600.0
"""Azure takes a while over an uploaded file, and refuses a batch of it before."""
READY_PAUSE = 2.0
LONGEST_WAIT = 120.0
FIRST_PAUSE = 0.5
"""Seconds before a second try, about; it doubles with each."""
_MARK = "coursework"
_CUT = "cut_short"
_SURELY_NOT_DONE = frozenset({"http_429", "not_reached"})
_UNREADY = frozenset({"pending", "running", "notrunning"})
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

T = TypeVar("T")


class State(NamedTuple):
    """How a batch stands."""

    status: str
    input: str
    """Id of the file of requests."""
    output: str | None
    """Id of the file of answers."""
    errors: str | None
    """Id of the file of lines that failed."""
    completed: int
    failed: int
    code: str
    """Why it failed its validation."""
    said: str

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self.status in _ENDED

    @property
    def invalid(self) -> bool:
        """It failed before any of it was put."""
        return self.status == "failed" and self.output is None


class Gone(TeacherError):
    """The endpoint does not know this batch or file, or no longer."""


class Unsure(TeacherError):
    """A batch was asked for and nobody knows whether it was created."""


class Service:
    """One endpoint's batch calls. Every method raises TeacherError, or KeyRefused, where it cannot be done."""

    def __init__(self, address: Address, tries: int, deadline_seconds: float) -> None:
        self._address = address
        self._tries = tries
        self._seconds = min(CALL_SECONDS, deadline_seconds)
        self._opened: AsyncOpenAI | None = None

    @property
    def _client(self) -> AsyncOpenAI:
        """Opened when first used: the package takes half a second to load, and most runs need none of it."""
        if self._opened is None:
            from openai import AsyncOpenAI

            parts = urlsplit(self._address.batches_url)
            self._opened = AsyncOpenAI(
                base_url=urlunsplit(parts._replace(query="")),
                api_key=self._address.key,
                max_retries=0,
                timeout=None,
                default_query=dict(parse_qsl(parts.query)),
                default_headers=self._address.headers,
            )
        return self._opened

    @property
    def _headers(self) -> Mapping[str, str | Omit]:
        """Of each call: where the key has a header of its own, the client's own must be left out call by call."""
        from openai import Omit

        return {} if "Authorization" in self._address.headers else {"Authorization": Omit()}

    async def close(self) -> None:
        """Let go of connections."""
        if self._opened is not None:
            await self._opened.close()

    async def upload(self, file: IO[bytes], name: str) -> str:
        """The id of an uploaded file of requests, once a batch can be made of it."""
        seconds = self._seconds + file.seek(0, 2) / SLOWEST

        async def once() -> FileObject:
            file.seek(0)
            async with self._judging(seconds, _no_batches):
                return _sound(
                    await self._client.files.create(
                        file=(f"{name}.jsonl", file), purpose="batch", extra_headers=self._headers
                    )
                )

        return await self._ready(await self._tried(once))

    async def _ready(self, uploaded: FileObject) -> str:
        async def once() -> FileObject:
            async with self._judging(self._seconds, _no_batches):
                return _sound(await self._client.files.retrieve(uploaded.id, extra_headers=self._headers))

        until = monotonic() + READY_SECONDS
        now = uploaded
        while str(now.status).lower() in _UNREADY and monotonic() < until:
            await asyncio.sleep(READY_PAUSE)
            now = await self._tried(once)
        if str(now.status).lower() in _UNREADY or now.status == "error":
            raise TeacherError(
                f"{self._address.name} says that the uploaded file {now.id} is {now.status}: {now.status_details}.",
                remedy="Nothing is lost; run the same command again.",
            )
        return now.id

    async def create(self, file: str, name: str) -> str:
        """The id of a new batch of a file, under a name of ours. It is never asked for twice unless it was surely not
        created: raises Unsure if it may have been, unheard."""
        unheard: list[TryFailed] = []

        async def once() -> str | None:
            try:
                async with self._judging(self._seconds, _no_batches):
                    batch = await self._client.batches.create(
                        input_file_id=file,
                        endpoint=self._address.batched_path,  # type: ignore[arg-type]
                        completion_window="24h",
                        metadata={_MARK: name},
                        extra_headers=self._headers,
                    )
                    return _sound(batch).id
            except TryFailed as fault:
                if fault.cause in _SURELY_NOT_DONE:
                    raise
                unheard.append(fault)
                return None

        return await self._tried(once) or await self._unheard(file, name, unheard[0])

    async def _unheard(self, file: str, name: str, fault: TryFailed) -> str:
        """The id of a batch whose creation was not heard of. Raises Unsure if no list shows it."""
        for pause in LOOKS:
            await asyncio.sleep(pause)
            with suppress(TryFailed, RequestRejected, TeacherError):
                found = await self._found(name, file)
                if found is not None:
                    return found
        raise Unsure(
            f"{str(fault).rstrip('.')}; whether the batch was created is not known.",
            remedy="Nothing is lost; run the same command again later: it looks for the batch first.",
        ) from None

    async def find(self, name: str, file: str) -> str | None:
        """The id of the batch of our name, or of our file where the endpoint keeps no names; None if none is listed."""

        async def once() -> str | None:
            return await self._found(name, file)

        return await self._tried(once)

    async def _found(self, name: str, file: str) -> str | None:
        looked_at = 0
        async with self._judging(self._seconds, _no_batches):
            async for batch in self._client.batches.list(limit=100, extra_headers=self._headers):
                if (batch.metadata or {}).get(_MARK) == name or batch.input_file_id == file:
                    return _sound(batch).id
                looked_at += 1
                if looked_at == MOST_LISTED:
                    break
        return None

    async def delete(self, file: str) -> None:
        """Have the endpoint forget a file. Tried once, for it does not matter much. Raises Gone."""
        try:
            async with self._judging(self._seconds, _gone):
                await self._client.files.delete(file, extra_headers=self._headers)
        except (TryFailed, RequestRejected) as fault:
            raise TeacherError(f"{str(fault).rstrip('.')}.") from None

    async def state(self, batch: str) -> State:
        """How a batch stands. Raises Gone if the endpoint does not know it."""

        async def once() -> State:
            async with self._judging(self._seconds, _gone):
                return self._state(await self._client.batches.retrieve(batch, extra_headers=self._headers))

        return await self._tried(once)

    async def fetch(self, file: str, into: IO[bytes], least: int) -> bool:
        """Write a file of results, of at least so many lines, from the start of `into`. Raises Gone.

        One that seems cut short is fetched again; where it stays so, what there is must do. False if it stays so.
        """

        async def once() -> bool:
            into.seek(0)
            into.truncate()
            async with (
                self._judging(self._seconds, _gone) as timer,
                self._client.files.with_streaming_response.content(file, extra_headers=self._headers) as answer,
            ):
                async for chunk in answer.iter_bytes(1 << 16):
                    _write(into, chunk)
                    timer.reschedule((timer.when() or 0) + len(chunk) / SLOWEST)
            into.seek(0)
            if not is_whole(into, least):
                raise TryFailed(_CUT, f"The file {file} seems cut short.")
            return True

        whole = await self._tried(once, enough=_CUT)
        into.seek(0)
        return bool(whole)

    @asynccontextmanager
    async def _judging(
        self, seconds: float, not_found: Callable[[str], TeacherError]
    ) -> AsyncIterator[asyncio.Timeout]:
        """A call under a deadline of its own, whose faults say whether to try again."""
        import httpx2  # what `openai` speaks with: a stream that breaks off raises its errors
        from openai import APIConnectionError, APIStatusError, OpenAIError

        try:
            async with asyncio.timeout(seconds) as timer:
                yield timer
        except TimeoutError:
            raise TryFailed("too_slow", f"no whole answer within {seconds:.0f} seconds") from None
        except APIStatusError as fault:
            code, said = read_error(fault.response.content)
            said = self._address.redacted(f"{self._address.name} answered {fault.status_code}: {said}")
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

    def _state(self, batch: Batch) -> State:
        """Some servers say no file as an empty name, and some a status in capitals."""
        counts, faults = batch.request_counts, (batch.errors.data if batch.errors else None) or []
        first = faults[0] if faults else None
        return State(
            status=str(batch.status).lower(),
            input=batch.input_file_id,
            output=batch.output_file_id or None,
            errors=batch.error_file_id or None,
            completed=counts.completed if counts else 0,
            failed=counts.failed if counts else 0,
            code=(first.code if first else None) or "",
            said=self._address.redacted((first.message if first else None) or "no reason given"),
        )

    async def _tried(self, once: Callable[[], Awaitable[T]], enough: str = "") -> T:
        """As often as the recipe allows. A last try that fails with the cause `enough` is good enough."""

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


def _no_batches(said: str) -> TeacherError:
    return TeacherError(
        f"{said.rstrip('.')}.", remedy="Check base_url; an endpoint without the Batch API needs teacher.mode: online."
    )


def _gone(said: str) -> TeacherError:
    return Gone(f"{said.rstrip('.')}.", remedy="It belongs to the account whose key made it; use that one.")


def _sound(made: T) -> T:
    """The client builds its objects from whatever JSON it is given. Raises ValueError for one without an id."""
    known_as = getattr(made, "id", None)
    if not isinstance(known_as, str) or not known_as:
        raise ValueError("an object without an id")
    return made


def _write(into: IO[bytes], chunk: bytes) -> None:
    try:
        into.write(chunk)
    except OSError as fault:
        raise CannotWrite(
            f"a file of results cannot be kept: {fault.strerror}.", remedy="Free space there, then run again."
        ) from fault
