"""Asking a teacher over real sockets: what is retried, what is given up, what stops everything."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from pipeline.errors import KeyRefused, RecipeError, TeacherError
from pipeline.teacher.embedded import MODEL
from pipeline.teacher.endpoint import OPENAI_URL, Address, find_teacher, open_endpoint
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import Terms, ask
from pipeline.teacher.request import Request
from tests.teacher.scripted import Answer, ScriptedServer, completion, error

TERMS = Terms(in_flight=4, tries=3, deadline_seconds=2)


def requests(count: int) -> list[Request]:
    return [Request("kind", "model", "s", f"u{number}", {"type": "object"}, 0.5, 100) for number in range(count)]


def asked(folder, script, count=1, terms=TERMS):
    """Ask `count` requests of a scripted server; the server, and what the ledger then holds."""
    wanted = requests(count)
    with ScriptedServer(script) as server, Ledger(folder) as ledger:
        ledger.enlist(wanted)

        async def all_of_them():
            endpoint = open_endpoint(Address("model", server.url, "secret"))
            try:
                await ask(wanted, endpoint, ledger, terms, lambda: None)
            finally:
                await endpoint.close()

        try:
            asyncio.run(all_of_them())
        finally:
            server.replies = [ledger.get(one.key) for one in wanted]
            server.failures = list(ledger._db.execute("SELECT cause, detail FROM failures"))
    return server


def test_the_request_asks_for_json_by_schema_and_the_reply_is_kept_as_it_came(tmp_path):
    server = asked(tmp_path, lambda body, number: completion('{"a": 1}'))
    (body,) = server.bodies
    assert body["response_format"]["json_schema"] == {"name": "kind", "strict": True, "schema": {"type": "object"}}
    assert body["max_tokens"] == 100
    assert server.headers[0]["authorization"] == "Bearer secret"
    (reply,) = server.replies
    assert reply.body.encode() == completion('{"a": 1}').body
    assert (reply.model, reply.input_tokens, reply.output_tokens) == ("scripted-1", 10, 5)


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down", retry_after="0"),
        error(500, "oops"),
        error(503, "busy"),
        Answer(200, b"<html>"),
        Answer(200, b'{"choices": []}'),
    ],
)
def test_a_passing_fault_is_asked_again(tmp_path, fault):
    server = asked(tmp_path, lambda body, number: fault if number == 0 else completion("{}"))
    assert len(server.bodies) == 2
    assert server.replies[0] is not None


def test_retry_after_is_obeyed(tmp_path):
    begun = time.monotonic()
    asked(tmp_path, lambda body, number: error(429, "wait", retry_after="1") if number == 0 else completion("{}"))
    assert time.monotonic() - begun >= 1


def test_a_request_that_fails_every_time_is_noted_and_the_others_go_on(tmp_path):
    def script(body, number):
        return error(500, "always") if body["messages"][1]["content"] == "u1" else completion("{}")

    server = asked(tmp_path, script, count=3, terms=Terms(4, 2, 2))
    assert [reply is not None for reply in server.replies] == [True, False, True]
    ((cause, detail),) = server.failures
    assert cause == "http_500"
    assert "always" in detail


def test_a_request_the_endpoint_will_not_take_is_not_asked_again(tmp_path):
    server = asked(tmp_path, lambda body, number: error(400, "context too long"))
    assert len(server.bodies) == 1
    assert server.failures[0][0] == "request_rejected"


def test_a_hanging_request_has_a_deadline(tmp_path):
    def script(body, number):
        if number == 0:
            time.sleep(3)
        return completion("{}")

    server = asked(tmp_path, script, terms=Terms(1, 2, 0.5))
    assert server.replies[0] is not None
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (error(401, "bad key"), KeyRefused, "OPENAI_API_KEY"),
        (error(429, "You exceeded your quota", "insufficient_quota"), KeyRefused, "credit"),
        (error(404, "The model `m` does not exist", "model_not_found"), TeacherError, "teacher.model"),
    ],
)
def test_what_no_request_can_survive_stops_the_run_after_a_handful_of_calls(tmp_path, answer, kind, said):
    with pytest.raises(kind, match=said):
        asked(tmp_path, lambda body, number: answer, count=200)


def test_replies_received_before_the_stop_are_kept(tmp_path):
    def script(body, number):
        if number < 3:
            return completion("{}")
        time.sleep(0.3)
        return error(401, "bad key")

    with pytest.raises(KeyRefused):
        asked(tmp_path, script, count=50, terms=Terms(1, 2, 2))
    with Ledger(tmp_path) as ledger:
        assert len(ledger.answered()) == 3


def test_a_server_that_is_not_there_is_a_noted_failure(tmp_path):
    async def attempt(ledger):
        endpoint = open_endpoint(Address("model", "http://127.0.0.1:9/v1", "k"))
        await ask(requests(1), endpoint, ledger, Terms(1, 2, 5), lambda: None)
        await endpoint.close()

    with Ledger(tmp_path) as ledger:
        ledger.enlist(requests(1))
        asyncio.run(attempt(ledger))
        ((cause,),) = ledger._db.execute("SELECT cause FROM failures")
    assert cause == "no_connection"


class TestWhichTeacherIsMeant:
    def test_nothing_set_means_the_embedded_one(self):
        assert find_teacher("", "", {}).model == MODEL
        assert find_teacher("", "", {}).embedded

    def test_a_key_means_openai(self):
        assert find_teacher("m", "", {"OPENAI_API_KEY": "k"}) == Address("m", OPENAI_URL, "k")

    def test_a_server_of_ones_own_needs_no_key_and_the_recipe_outranks_the_environment(self):
        found = find_teacher("m", "http://here/v1", {"OPENAI_BASE_URL": "http://there/v1"})
        assert (found.base_url, found.key) == ("http://here/v1", "none")

    def test_a_named_model_without_key_is_not_silently_played_by_the_stand_in(self):
        with pytest.raises(RecipeError, match="neither OPENAI_API_KEY nor a base_url"):
            find_teacher("gpt", "", {})

    def test_a_key_without_model_says_where_to_name_it(self):
        with pytest.raises(RecipeError, match="--model"):
            find_teacher("", "", {"OPENAI_API_KEY": "k"})


def test_the_embedded_teacher_refuses_a_schema_it_has_no_rule_for():
    from pipeline.teacher.embedded import EmbeddedTeacher
    from pipeline.teacher.endpoint import RequestRejected

    with pytest.raises(RequestRejected, match="no rule"):
        asyncio.run(EmbeddedTeacher().send(requests(1)[0]))


def test_request_bodies_are_plain_json():
    assert json.loads(json.dumps(requests(1)[0].body()))["model"] == "model"
