"""The endpoint's files and batches, through the `openai` client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pipeline.errors import CannotWrite, TeacherError
from pipeline.teacher.batches.calls import SURELY_NOT_DONE, Calls
from pipeline.teacher.batches.lines import is_whole
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import RequestRejected, TryFailed

if TYPE_CHECKING:
    from openai import AsyncOpenAI, Omit
    from openai.types import Batch, FileObject

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
_MARK = "coursework"
_CUT = "cut_short"
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
        self._calls = Calls(address, tries)
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
            async with self._calls.judging(seconds, _no_batches):
                return _sound(
                    await self._client.files.create(
                        file=(f"{name}.jsonl", file), purpose="batch", extra_headers=self._headers
                    )
                )

        return await self._ready(await self._calls.tried(once))

    async def _ready(self, uploaded: FileObject) -> str:
        async def once() -> FileObject:
            async with self._calls.judging(self._seconds, _no_batches):
                return _sound(await self._client.files.retrieve(uploaded.id, extra_headers=self._headers))

        until = monotonic() + READY_SECONDS
        now = uploaded
        while str(now.status).lower() in _UNREADY and monotonic() < until:
            await asyncio.sleep(READY_PAUSE)
            now = await self._calls.tried(once)
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
                async with self._calls.judging(self._seconds, _no_batches):
                    batch = await self._client.batches.create(
                        input_file_id=file,
                        endpoint=self._address.batched_path,  # type: ignore[arg-type]
                        completion_window="24h",
                        metadata={_MARK: name},
                        extra_headers=self._headers,
                    )
                    return _sound(batch).id
            except TryFailed as fault:
                if fault.cause in SURELY_NOT_DONE:
                    raise
                unheard.append(fault)
                return None

        return await self._calls.tried(once) or await self._unheard(file, name, unheard[0])

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

        return await self._calls.tried(once)

    async def _found(self, name: str, file: str) -> str | None:
        looked_at = 0
        async with self._calls.judging(self._seconds, _no_batches):
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
            async with self._calls.judging(self._seconds, _gone):
                await self._client.files.delete(file, extra_headers=self._headers)
        except (TryFailed, RequestRejected) as fault:
            raise TeacherError(f"{str(fault).rstrip('.')}.") from None

    async def state(self, batch: str) -> State:
        """How a batch stands. Raises Gone if the endpoint does not know it."""

        async def once() -> State:
            async with self._calls.judging(self._seconds, _gone):
                return self._state(await self._client.batches.retrieve(batch, extra_headers=self._headers))

        return await self._calls.tried(once)

    async def fetch(self, file: str, into: IO[bytes], least: int) -> bool:
        """Write a file of results, of at least so many lines, from the start of `into`. Raises Gone.

        One that seems cut short is fetched again; where it stays so, what there is must do. False if it stays so.
        """

        async def once() -> bool:
            into.seek(0)
            into.truncate()
            async with (
                self._calls.judging(self._seconds, _gone) as timer,
                self._client.files.with_streaming_response.content(file, extra_headers=self._headers) as answer,
            ):
                async for chunk in answer.iter_bytes(1 << 16):
                    _write(into, chunk)
                    timer.reschedule((timer.when() or 0) + len(chunk) / SLOWEST)
            into.seek(0)
            if not is_whole(into, least):
                raise TryFailed(_CUT, f"The file {file} seems cut short.")
            return True

        whole = await self._calls.tried(once, enough=_CUT)
        into.seek(0)
        return bool(whole)

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
