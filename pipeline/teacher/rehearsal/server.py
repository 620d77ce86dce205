"""The routes of the rehearsal: which call gets which answer."""

from __future__ import annotations

import json
from collections import Counter
from email.message import Message
from typing import Any

from pipeline.teacher.rehearsal import refusing
from pipeline.teacher.rehearsal.batches import ENDPOINT, Batches
from pipeline.teacher.rehearsal.chat import Chat
from pipeline.teacher.rehearsal.connection import Answer, Call, answer, as_json
from pipeline.teacher.rehearsal.conveying import conveyed, turned_away
from pipeline.teacher.rehearsal.counts import Counts
from pipeline.teacher.rehearsal.drawing import SOUND, Lots, draw, identity
from pipeline.teacher.rehearsal.settings import CALL_FAULTS, Rehearsal

_INVALID = "invalid_request_error"
MODEL = "rehearsal"
"""The model that is listed; any other name is served as well."""


class Server:
    """Everything one rehearsal knows, and the answer to each call."""

    def __init__(self, settings: Rehearsal) -> None:
        self._settings = settings
        self._lots = Lots({name: getattr(settings, name) for name in CALL_FAULTS})
        self._begin()

    def _begin(self) -> None:
        self.counts = Counts()
        self._met: Counter[str] = Counter()
        self._chat = Chat(self._settings, self.counts)
        self._batches = Batches(self._settings, self.counts, self._chat)

    def close(self) -> None:
        """Drop the batches under way."""
        self._batches.close()

    def answer(self, call: Call) -> Answer:
        """The answer to a call."""
        if call.path == ENDPOINT and call.method == "POST":
            return self._chat.answer(call.body)
        if call.path.startswith("/rehearsal/"):
            return self._own(call)
        return self._other(call)

    def _own(self, call: Call) -> Answer:
        """Calls that no real endpoint has: they meet no fault."""
        match call.method, call.path:
            case "GET", "/rehearsal/counts":
                return _json(self.counts.shown())
            case "POST", "/rehearsal/reset":
                self.close()
                self._begin()
                return _json(self.counts.shown())
        return _not_found(call)

    def _other(self, call: Call) -> Answer:
        """Calls of the protocol besides chat completions. They meet the faults of transport, as requests do."""
        name = "/".join(call.path.split("/")[:3])
        if self._settings.key_refused:
            self.counts.call(name, "key_refused")
            return refusing.key_refused()
        fault = SOUND
        if self._lots:
            # Bodies of uploads hold a random boundary, so only the method and the path are drawn by.
            known = f"{call.method} {call.path}"
            fault = self._lots.at(draw(self._settings.seed, identity(known.encode()), self._met[known], "fault"))
            self._met[known] += 1
        self.counts.call(name, fault)
        return turned_away(fault, self._settings) or conveyed(self._routed(call), fault, self._settings)

    def _routed(self, call: Call) -> Answer:
        routes = {"models": self._models, "files": self._files, "batches": self._batch_calls}
        version, _, path = call.path.strip("/").partition("/")
        resource, *rest = path.split("/")
        route = routes.get(resource) if version == "v1" else None
        found = None
        if route is not None:
            try:
                found = route(call, rest)
            except ValueError as fault:
                return refusing.error(400, str(fault), _INVALID)
            except KeyError as fault:
                return refusing.error(404, f"There is no {fault.args[0]}.", _INVALID)
        return found or _not_found(call)

    def _models(self, call: Call, rest: list[str]) -> Answer | None:
        if self._settings.models_fail:
            return refusing.error(500, "The list of models is not available.")
        if call.method != "GET":
            return None
        if rest:
            return refusing.model_unknown() if self._settings.model_unknown else _json(_model(rest[0]))
        listed = [] if self._settings.model_unknown else [_model(MODEL)]
        return _json({"object": "list", "data": listed})

    def _files(self, call: Call, rest: list[str]) -> Answer | None:
        match call.method, rest:
            case "POST", []:
                return self._upload(call)
            case "GET", [name]:
                return _json(self._batches.files[name].shown())
            case "GET", [name, "content"]:
                return answer(200, self._batches.files[name].content, "application/octet-stream")
            case "DELETE", [name]:
                del self._batches.files[name]
                return _json({"id": name, "object": "file", "deleted": True})
        return None

    def _upload(self, call: Call) -> Answer:
        parts = _form(call.header(b"content-type"), call.body)
        if "file" not in parts or "purpose" not in parts:
            raise ValueError("The form needs the parts file and purpose.")
        filename, content = parts["file"]
        return _json(self._batches.upload(filename, parts["purpose"][1].decode(), content).shown())

    def _batch_calls(self, call: Call, rest: list[str]) -> Answer | None:
        batches = self._batches.batches
        match call.method, rest:
            case "POST", []:
                return self._create_batch(call)
            case "GET", []:
                newest_first = [batch.shown() for batch in reversed(batches.values())]
                return _json({"object": "list", "data": newest_first, "has_more": False})
            case "GET", [name]:
                return _json(batches[name].shown())
            case "POST", [name, "cancel"]:
                self._batches.cancel(batches[name])
                return _json(batches[name].shown())
        return None

    def _create_batch(self, call: Call) -> Answer:
        if self._chat.credit_gone:
            return refusing.credit_gone()
        asked = json.loads(call.body)
        if not isinstance(asked, dict):
            raise ValueError("The body of the request is no JSON object.")
        return _json(self._batches.create(asked).shown())


def _json(value: Any) -> Answer:
    return answer(200, as_json(value))


def _not_found(call: Call) -> Answer:
    return refusing.error(404, f"Invalid URL ({call.method} {call.path}).", _INVALID)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "coursework"}


def _form(media: bytes, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart form: name to file name and content. Raises ValueError if it is none."""
    boundary = _parameter(media.decode("latin-1"), "boundary")
    if not boundary:
        raise ValueError("The body of the request is no multipart form.")
    parts = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")]
        said = next((value for name, _, value in lines if name.strip().lower() == "content-disposition"), "")
        parts[_parameter(said, "name")] = (_parameter(said, "filename") or "upload", content)
    return parts


def _parameter(value: str, name: str) -> str:
    """A parameter of a header's value, for example the boundary in a Content-Type."""
    message = Message()
    message["Content-Disposition"] = value.strip()
    return str(message.get_param(name, "", "Content-Disposition"))
