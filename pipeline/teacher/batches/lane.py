"""The lane: sends requests in batches, and collects what earlier runs have sent."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO

from pipeline.crash import passing
from pipeline.errors import CannotWrite, TeacherError
from pipeline.teacher.batches import lines
from pipeline.teacher.batches.harvest import NEVER_PUT, Fault, Harvest
from pipeline.teacher.batches.jobs import TOO_LARGE, Ended, Job, Jobs
from pipeline.teacher.batches.service import Gone, Service, State, Unsure
from pipeline.teacher.batches.unclaimed import Unclaimed
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import RequestRejected, judged
from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.prices import Price
from pipeline.teacher.request import Request
from pipeline.teacher.speech import Speech

ALIKE = 8
"""So many failures of one cause and no reply in a whole batch stop the run."""
LISTED_WITHIN = 900.0
"""Seconds: a batch that stands in no list so long after it was asked for was never created. A list may lag behind, and
a batch sent twice is paid twice, so nothing is concluded from one look."""
WINDOW_SECONDS = 48 * 3600.0
"""A batch is done or expired within a day; one that the endpoint does not know after two will bring nothing."""
_AT_ONCE = 256
"""Results committed in one transaction."""

Say = Callable[[str], None]


class Lane:
    """The batches of one dataset at one endpoint. One object serves one run."""

    def __init__(self, address: Address, service: Service, ledger: Ledger, price: Price, tries: int) -> None:
        self._address = address
        self._service = service
        self._ledger = ledger
        self._price = price
        self._tries = tries
        self.jobs = Jobs(ledger)
        self.given_up: set[str] = set()
        """Keys of requests that this run found to have failed for good, or too often: a later run sends them again."""
        self.lacking = ""
        """The cap that kept requests from being sent, in words."""

    async def close(self) -> None:
        """Let go of connections."""
        await self._service.close()

    async def collect(self, say: Say) -> None:
        """Take in every batch that has ended, in part or whole. Those under way are left alone.

        Raises TeacherError where the endpoint cannot be asked, or one batch says that no request can succeed;
        what was collected is kept, and one batch's trouble keeps no other from being collected.
        """
        troubles = []
        for job in self.jobs.awaited():
            if job.server != self._address.place:
                say(f"a batch waits at {job.server}; run with that base_url to collect it.")
                continue
            known = await self._known(job, say)
            if known is not None:
                troubles.append(await self._collect(job, known, say))
        for trouble in filter(None, troubles):
            raise trouble

    async def _known(self, job: Job, say: Say) -> str | None:
        """The endpoint's id of a job; a job that it never heard of is closed."""
        if job.job is not None:
            return job.job
        found = None
        if job.asked is not None:
            found = await self._service.find(job.name, job.file or "")
            if found is None and abs(self._ledger.now() - job.asked) < LISTED_WITHIN:
                say(
                    f"whether a batch of {job.size} requests was created is not known yet; nothing of it is sent"
                    f" again before it has been looked for {LISTED_WITHIN / 60:.0f} minutes after it was asked for."
                )
                return None
        if found is None:
            self.jobs.end(job, Ended("never_sent"))
            await self._forget(job.file, say)
        else:
            self.jobs.created(job, found)
        return found

    async def _collect(self, job: Job, known: str, say: Say) -> TeacherError | None:
        """Returns what this batch proves hopeless, or why it cannot be had."""
        with Unclaimed(self._ledger.folder / f"unclaimed-{job.name}.jsonl") as unclaimed:
            harvest = Harvest(self.jobs.requests(job), self._price, self._ledger.has, unclaimed.keep)
            try:
                state = await self._service.state(known)
                if not state.ended:
                    self._say_if_late(job, known, state, say)
                    return None
                if not state.invalid:
                    # Answers first: a request that is in both files has its reply.
                    for file, least in ((state.output, state.completed), (state.errors, state.failed)):
                        if file is not None:
                            await self._take_in(job, file, least, harvest)
            except Gone as gone:
                if self._ledger.now() - job.made < WINDOW_SECONDS:
                    return gone
                state = None
            if unclaimed.finish():
                say(f"batch {known}: results that are no reply of ours are kept in {unclaimed.path}")
        if state is not None and state.invalid:
            trouble = self._refused(job, state, say)
        else:
            trouble = self._close(job, harvest, state.status if state else "gone", f"batch {known}", say)
        if state is not None:
            await self._forget(state.input, say)
        return trouble

    def _say_if_late(self, job: Job, known: str, state: State, say: Say) -> None:
        """Some endpoints promise no end; nothing is sent twice, so only a person can let go of such a batch."""
        hours = (self._ledger.now() - job.made) / 3600
        if hours * 3600 > WINDOW_SECONDS:
            say(
                f"batch {known} is {state.status} after {hours:.0f} hours; cancel it at the endpoint, and the next"
                " run takes what it has and sends the rest again."
            )

    async def _forget(self, file: str | None, say: Say) -> None:
        """Have an uploaded file deleted, for accounts may keep only so many. The results stay there: they are the
        only other copy of what was paid for."""
        if not file:
            return
        try:
            await self._service.delete(file)
        except Gone:
            return
        except TeacherError as fault:
            say(f"the uploaded file {file} stays at the endpoint: {fault.problem}")

    async def _take_in(self, job: Job, file: str, least: int, harvest: Harvest) -> None:
        with _scratch(self._ledger) as results:
            harvest.cut |= not await self._service.fetch(file, results, least)
            passing("batch-fetched")
            found = lines.read_results(map(self._address.redacted_bytes, results))
            while chunk := list(islice(found, _AT_ONCE)):
                taken = (harvest.take(line, result) for line, result in chunk)
                self._ledger.commit([one for one in taken if one is not None], charged=job.made)
                await asyncio.sleep(0)  # a signal or the deadline may end this here

    def _close(self, job: Job, harvest: Harvest, status: str, name: str, say: Say) -> TeacherError | None:
        """Returns what its faults prove hopeless."""
        faults = dict(harvest.faults(status))
        failures = [Failure(key, fault.cause, fault.detail) for key, fault in faults.items()]
        lost = [key for key, fault in faults.items() if fault.billed]
        summary = harvest.summary(status)
        self.jobs.end(job, Ended(status, summary, failures, lost))
        say(f"{name}: {status}: {summary}")
        if harvest.replies:
            self._learn(job, Speech.read(job.speech))
        elif self._learnt_from(job, faults.values()):
            return None
        elif hopeless := _hopeless(faults.values()):
            return hopeless
        often = self.jobs.failed_often(self._tries, but_for=NEVER_PUT)
        self.given_up |= {key for key, fault in faults.items() if fault.rejected or (fault.tried and key in often)}
        return None

    def _learnt_from(self, job: Job, faults: Iterable[Fault]) -> bool:
        """Whether a whole batch was refused for the way it was put, and there is another way."""
        spoken = Speech.read(job.speech)
        for fault in faults:
            instead = spoken.without(fault.status, fault.detail) if fault.rejected else None
            if instead is not None:
                self._learn(job, instead)
                return True
        return False

    def _learn(self, job: Job, speech: Speech) -> None:
        """Remember how to speak, unless more was learnt since the batch was sent."""
        if self._ledger.speech(self._address.name) in (None, job.speech):
            self._ledger.note_speech(self._address.name, speech.written())

    def _refused(self, job: Job, state: State, say: Say) -> TeacherError | None:
        """A batch that failed its validation: nothing of it was put. Returns why none will pass, if so."""
        said = f"the endpoint refused a batch of {job.size} requests: {state.said}"
        if state.code == "token_limit_exceeded" and job.size > 1:
            self.jobs.end(job, Ended(TOO_LARGE, state.said))
            say(f"{said} For a week at most {job.size // 2} are sent at a time.")
            return None
        self.jobs.end(job, Ended("failed", f"{state.code}: {state.said}"))
        meant = judged(400, state.code, said, None)
        if isinstance(meant, TeacherError):
            return meant
        return TeacherError(f"{said}.", remedy="Mend that, or set teacher.mode: online.")

    async def submit(self, requests: Sequence[Request], budget: Budget, say: Say) -> None:
        """Send requests, as many as the budget and the account allow, in as many batches as that takes.

        Raises TeacherError, with every batch that was created on record.
        """
        speech = Speech.read(self._ledger.speech(self._address.name) or Speech().written())
        room = self.jobs.room(self._address.place)
        rest = deque(requests if room is None else requests[: max(0, room - self.jobs.waiting())])
        while rest and not self.lacking:
            with _scratch(self._ledger) as file:
                parcel = self._pack(rest, speech, budget, file)
                if parcel:
                    await self._send(parcel, speech, budget, file, say)

    def _pack(
        self, rest: deque[Request], speech: Speech, budget: Budget, file: IO[bytes]
    ) -> list[tuple[Request, Cost]]:
        """Fill a file with the next requests, up to what one may hold, and charge their worst case."""
        parcel: list[tuple[Request, Cost]] = []
        size = 0
        while rest and len(parcel) < lines.MOST_REQUESTS:
            line = lines.request_line(rest[0], speech, self._address.batched_path)
            worst = self._price.worst(rest[0])
            if size + len(line) > lines.MOST_BYTES and parcel:
                break
            if not budget.allows(worst):
                self.lacking = budget.reached
                break
            file.write(line)
            size += len(line)
            parcel.append((rest.popleft(), worst))
        return parcel

    async def _send(
        self, parcel: Sequence[tuple[Request, Cost]], speech: Speech, budget: Budget, file: IO[bytes], say: Say
    ) -> None:
        requests, worst = [request for request, _ in parcel], [cost for _, cost in parcel]
        job = self.jobs.begin(self._address.place, speech.written(), requests, worst)
        try:
            uploaded = await self._service.upload(file, job.name)
            passing("batch-uploaded")
            job = self.jobs.asking(job, uploaded)
            known = await self._service.create(uploaded, job.name)
            passing("batch-created")
        except Unsure:
            raise  # a later run looks for it
        except TeacherError:
            for cost in worst:
                budget.give_back(cost)
            self.jobs.end(job, Ended("never_sent"))
            await self._forget(job.file, say)
            raise
        self.jobs.created(job, known)


def open_lane(address: Address, ledger: Ledger, price: Price, tries: int, deadline_seconds: float) -> Lane:
    """The lane to the endpoint at an address; nothing is sent yet. `price` is that of a batch; `tries` are of one call,
    and of one request in batches; `deadline_seconds` are for one call at most."""
    return Lane(address, Service(address, tries, deadline_seconds), ledger, price, tries)


def _hopeless(faults: Iterable[Fault]) -> TeacherError | None:
    """Why no request can succeed, as far as the faults of a batch without any reply say so."""
    faults = list(faults)
    for fault in faults:
        if fault.hopeless is not None:
            return fault.hopeless
    causes = Counter(fault.cause for fault in faults)
    if len(causes) == 1 and len(faults) >= ALIKE and faults[0].cause.startswith((*RequestRejected.CAUSES, "http_")):
        return TeacherError(
            f"all {len(faults)} requests of a batch failed alike ({faults[0].cause}): {faults[0].detail}",
            remedy="Mend that, then run again.",
        )
    return None


@contextmanager
def _scratch(ledger: Ledger) -> Iterator[IO[bytes]]:
    """A file without a name beside the ledger; it goes with the process."""
    try:
        with tempfile.TemporaryFile(dir=ledger.folder) as file:
            yield file
    except OSError as fault:
        raise CannotWrite(f"{ledger.folder}: {fault.strerror}.", remedy="Free space there, then run again.") from fault
