"""Any server of the OpenAI chat-completions protocol: what is said to it, and what its answers mean."""

from __future__ import annotations

from pipeline.teacher.completion import read_completion
from pipeline.teacher.endpoint import Address
from pipeline.teacher.faults import TryFailed, judged, read_error
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.speech import Speech
from pipeline.teacher.wire import Answer, Wire, open_wire


class HttpEndpoint:
    """One endpoint behind one pool of connections."""

    def __init__(self, address: Address, speech: Speech | None = None) -> None:
        self.name = address.name
        self.speech = speech or Speech()
        self._settled = speech is not None
        self._address = address
        self._key = address.key.encode() if len(address.key) > 4 else b"\x00no key is this"
        self._wire: Wire | None = None

    async def send(self, request: Request) -> Reply:
        """Put the request to the server, giving up what it refuses of our speech until it takes the rest."""
        begun_with, first_refusal = self.speech, None
        while True:
            speech = self.speech
            status, retry_after, body = await self._post(speech.body(request))
            if status == 200:
                reply = read_completion(request.key, body)
                self._settled = True
                return reply
            code, said = read_error(body)
            fault = judged(status, code, f"{self.name} answered {status}: {said}", retry_after)
            instead = self._instead(speech, status, said, fault)
            if instead is None:
                if not self._settled:  # it was not the way of speaking, so nothing was learnt about it
                    self.speech = begun_with
                raise first_refusal or fault
            if not isinstance(fault, TryFailed):
                first_refusal = first_refusal or fault
            if self.speech == speech:  # another request may have learnt it meanwhile
                self.speech = instead

    def _instead(self, speech: Speech, status: int, said: str, fault: Exception) -> Speech | None:
        """What to say instead. Only before the first good reply is an answer without a reason taken for a refusal."""
        instead = speech.without(status, said)
        if instead is None and not self._settled and status in (400, 415, 422, 501):
            return speech.weaker()
        if isinstance(fault, TryFailed) and self._settled:
            return None
        return instead

    async def _post(self, body: bytes) -> Answer:
        if self._wire is None:
            self._wire = open_wire(self._address.completions_url, self._address.headers)
        try:
            answer = await self._wire.post(body)
        except TryFailed as fault:
            raise TryFailed(fault.cause, f"{self.name}: {fault}") from None
        if self._key in answer.body:  # some servers quote the key they refuse; it must not reach a log or the disk
            return answer._replace(body=answer.body.replace(self._key, b"[key]"))
        return answer

    async def close(self) -> None:
        """Close the connections that were opened."""
        if self._wire is not None:
            await self._wire.close()
