"""Chat completions: who is turned away, which fault a request meets, and what it is answered."""

from __future__ import annotations

import json
from typing import Any

from pipeline.teacher.rehearsal import refusing
from pipeline.teacher.rehearsal.completions import (
    Completion,
    NoAnswer,
    embedded_completion,
    fixed_completion,
    spoilt,
    tokens,
)
from pipeline.teacher.rehearsal.connection import Answer, answer, as_json
from pipeline.teacher.rehearsal.conveying import conveyed, turned_away
from pipeline.teacher.rehearsal.counts import Counts, Pace
from pipeline.teacher.rehearsal.drawing import SOUND, Lots, draw, identity
from pipeline.teacher.rehearsal.settings import ANSWER_FAULTS, CALL_FAULTS, Rehearsal

_AT_ONCE = frozenset({"too_many", "unavailable_503"})
"""Faults that a real endpoint answers with at its door, before any work."""


class Chat:
    """The requests of one rehearsal. Its state is the counts, the pace and the number of the last request."""

    def __init__(self, settings: Rehearsal, counts: Counts) -> None:
        self._settings = settings
        self._counts = counts
        self._pace = Pace(settings.requests_per_minute) if settings.requests_per_minute else None
        self._requests = 0
        self._lots = Lots({name: getattr(settings, name) for name in (*CALL_FAULTS, *ANSWER_FAULTS)})
        self._line_lots = Lots({name: getattr(settings, name) for name in ANSWER_FAULTS})
        self._fixed = fixed_completion()
        self._fixed_answer = answer(200, as_json(self._fixed))
        self._fixed_tokens = tokens(self._fixed)
        self._reads = not settings.fixed or (
            settings.refuses_a_format or settings.limit_name != "either" or settings.no_temperature
        )

    def answer(self, raw: bytes) -> Answer:
        """The answer to one request, and an entry in the counts."""
        self._requests += 1
        refused = self._at_the_door()
        body: dict[str, Any] = {}
        if refused is None and self._reads:
            try:
                body = read_body(raw)
            except ValueError as fault:
                refused = "not_a_request", refusing.error(400, str(fault), "invalid_request_error")
            else:
                refused = refusing.refused_field(self._settings, body)
        if refused is None:
            return self._drawn(name_of(body) if self._reads else identity(raw), body)
        outcome, reply = refused
        reply.ended = self._counts.request(outcome)
        return reply

    @property
    def credit_gone(self) -> bool:
        """The account is empty from this request on."""
        return 0 < self._settings.credit_gone_from <= self._requests

    def line(self, name: bytes, meeting: int, body: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
        """The outcome, status and reply for one line of a batch, met for the `meeting`th time."""
        refused = refusing.refused_field(self._settings, body)
        if refused is not None:
            outcome, reply = refused
            return outcome, reply.status, json.loads(reply.body)
        fault = self._line_lots.at(draw(self._settings.seed, name, meeting, "fault"))
        try:
            completion = self._completion(name, meeting, body)
        except NoAnswer as none:
            return "no_rule", 400, json.loads(refusing.error(400, str(none), "invalid_request_error").body)
        return fault, 200, spoilt(completion, fault)

    def _at_the_door(self) -> tuple[str, Answer] | None:
        settings = self._settings
        if settings.key_refused:
            return "key_refused", refusing.key_refused()
        if self.credit_gone:
            return "credit_gone", refusing.credit_gone()
        if self._pace is not None:
            wait = self._pace.wait()
            if wait > 0:
                return "beyond_pace", refusing.beyond_pace(wait, settings.requests_per_minute)
        if settings.model_unknown:
            return "model_unknown", refusing.model_unknown()
        return None

    def _drawn(self, name: bytes, body: dict[str, Any]) -> Answer:
        settings = self._settings
        meeting = self._counts.meeting(name)
        fault = self._lots.at(draw(settings.seed, name, meeting, "fault")) if self._lots else SOUND
        try:
            reply = turned_away(fault, settings) or self._served(fault, name, meeting, body)
        except NoAnswer as none:
            fault, reply = "no_rule", refusing.error(400, str(none), "invalid_request_error")
        if fault not in _AT_ONCE:
            reply.delay = settings.latency
            if settings.jitter:
                reply.delay += settings.jitter * draw(settings.seed, name, meeting, "jitter")
        reply.ended = self._counts.request(fault, name)
        return reply

    def _served(self, fault: str, name: bytes, meeting: int, body: dict[str, Any]) -> Answer:
        if self._settings.fixed and fault == SOUND:
            self._counts.bill(self._fixed_tokens)
            return Answer(self._fixed_answer.head, self._fixed_answer.body)
        said = spoilt(self._completion(name, meeting, body), fault)
        return conveyed(answer(200, as_json(said)), fault, self._settings)

    def _completion(self, name: bytes, meeting: int, body: dict[str, Any]) -> Completion:
        if self._settings.fixed:
            completion = self._fixed
        else:
            completion = embedded_completion(self._heard(body), f"{name.hex()}-{meeting}")
        self._counts.bill(tokens(completion))
        return completion

    def _heard(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body as the embedded teacher is to understand it: with the reply schema that is obeyed, or none."""
        heard = {key: value for key, value in body.items() if key != "response_format"}
        if self._settings.formats == "ignore":
            return heard
        if refusing.format_of(body) == "json_object+schema":
            return heard | {"response_format": {"json_schema": {"schema": body["response_format"]["schema"]}}}
        return body


def read_body(raw: bytes) -> dict[str, Any]:
    """The body of a chat completion. Raises ValueError if it is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("The body of the request is not JSON.") from None
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not body["messages"]:
        raise ValueError("The body of the request has no messages.")
    return body


def name_of(body: dict[str, Any]) -> bytes:
    """The identity of a body that was read: one for a request and a line of a batch, in any order of keys."""
    return identity(json.dumps(body, sort_keys=True).encode())
