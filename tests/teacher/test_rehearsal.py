"""What a client meets at the rehearsal, over real sockets: sound replies, faults, refusals and counts."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from email.utils import parsedate_to_datetime

import pytest

from pipeline.errors import UsageError
from pipeline.teacher.embedded import complete
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.completions import FIXED_FACTS
from pipeline.teacher.rehearsal.running import Rehearsing
from pipeline.teacher.rehearsal.settings import ANSWER_FAULTS, CALL_FAULTS
from tests.teacher.calling import ask, call, numbered, questions, wired


def sound(body: dict) -> str:
    return complete(body)["choices"][0]["message"]["content"]


def until(condition, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestASoundReply:
    def test_says_what_the_embedded_teacher_says(self):
        with Rehearsing() as server:
            reply = ask(server, questions())
        assert reply.status == 200
        assert reply.content == sound(questions())
        assert len(json.loads(reply.content)["questions"]) == 4
        assert reply.choice["finish_reason"] == "stop"
        usage = reply.json["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0

    def test_comes_after_the_latency_and_at_most_the_jitter(self):
        with Rehearsing(Rehearsal(latency=0.2, jitter=0.2, fixed=True)) as server:
            took = []
            for number in range(4):
                begun = time.monotonic()
                ask(server, numbered(number))
                took.append(time.monotonic() - begun)
        assert min(took) >= 0.2
        assert max(took) - min(took) > 0.01

    def test_is_the_canned_one_where_that_was_asked_for(self):
        with Rehearsing(Rehearsal(fixed=True)) as server:
            facts = json.loads(ask(server, numbered(1)).content)["facts"]
        assert [(fact["quote"], *fact["questions"], fact["answer"]) for fact in facts] == list(FIXED_FACTS)

    def test_is_given_to_a_request_without_a_schema_as_an_endpoint_that_ignores_formats_gives_it(self):
        with Rehearsing(Rehearsal(formats="ignore")) as server:
            reply = ask(server, questions())
        assert json.loads(reply.content)["questions"]

    def test_obeys_a_schema_wherever_the_format_holds_it(self):
        schema = {"type": "object", "properties": {"questions": {"type": "array", "maxItems": 2}}}
        with Rehearsing() as server:
            reply = ask(server, questions(response_format={"type": "json_object", "schema": schema}))
        assert len(json.loads(reply.content)["questions"]) == 2


class TestASpoiltReply:
    def replied(self, fault: str):
        with Rehearsing(Rehearsal(**{fault: 1.0})) as server:
            reply = ask(server, questions())
            counts = server.counts()
        assert reply.status == 200
        assert counts["outcomes"] == {fault: 1}
        assert counts["billed"] == 1
        return reply, counts["good"]

    def test_truncated_stops_half_way_and_says_stop(self):
        reply, good = self.replied("truncated")
        assert sound(questions()).startswith(reply.content)
        assert 0 < len(reply.content) < len(sound(questions()))
        assert (reply.choice["finish_reason"], good) == ("stop", 0)

    def test_length_stop_keeps_whole_items_before_the_cut(self):
        reply, good = self.replied("length_stop")
        whole = json.loads(sound(questions()))["questions"]
        assert all(json.dumps(item) in reply.content for item in whole[:-1])
        assert json.dumps(whole[-1]) not in reply.content
        assert whole[-1][:5] in reply.content
        assert (reply.choice["finish_reason"], good) == ("length", 0)

    @pytest.mark.parametrize(
        ("fault", "begins", "ends"),
        [("fences", "```json\n{", "}\n```"), ("think", "<think>", "}"), ("preface", "Sure!", "think.")],
    )
    def test_wrapped_json_is_whole_inside(self, fault, begins, ends):
        reply, good = self.replied(fault)
        assert reply.content.startswith(begins)
        assert reply.content.endswith(ends)
        assert sound(questions()) in reply.content
        assert good == 1

    def test_wrong_schema_is_json_of_another_shape(self):
        reply, good = self.replied("wrong_schema")
        assert "questions" not in json.loads(reply.content)
        assert good == 0

    def test_empty_refusal_and_content_filter_hold_no_text(self):
        assert self.replied("empty")[0].content == ""
        assert self.replied("content_filter")[0].choice["finish_reason"] == "content_filter"
        refused, good = self.replied("refusal")
        assert refused.content is None
        assert "can't help" in refused.choice["message"]["refusal"]
        assert good == 0

    def test_duplicate_gives_every_question_twice(self):
        reply, _ = self.replied("duplicate")
        once = json.loads(sound(questions()))["questions"]
        assert json.loads(reply.content)["questions"] == once + once

    def test_no_usage_and_other_model_leave_the_text_alone(self):
        bare, _ = self.replied("no_usage")
        assert "usage" not in bare.json
        assert bare.content == sound(questions())
        other, _ = self.replied("other_model")
        assert other.json["model"] != complete(questions())["model"]

    @pytest.mark.parametrize("fault", ANSWER_FAULTS)
    def test_every_fault_differs_from_the_canned_reply(self, fault):
        with Rehearsing(Rehearsal(fixed=True)) as server:
            whole = ask(server, numbered(1)).json
        with Rehearsing(Rehearsal(fixed=True, **{fault: 1.0})) as server:
            assert ask(server, numbered(1)).json | {"created": 0} != whole | {"created": 0}


class TestAFaultOfTransport:
    @pytest.mark.parametrize(
        ("form", "value"), [("seconds", "7"), ("negative", "-5"), ("huge", "99999999999"), ("words", "soon")]
    )
    def test_too_many_says_when_to_come_back(self, form, value):
        with Rehearsing(Rehearsal(too_many=1.0, retry_after=7, retry_after_form=form)) as server:
            reply = ask(server, questions())
            assert server.counts()["billed"] == 0
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (429, "rate_limit_exceeded", value)

    def test_retry_after_can_be_a_date_or_absent(self):
        for form, least, most in (("date", 20, 31), ("past-date", -100_000, 0)):
            with Rehearsing(Rehearsal(too_many=1.0, retry_after=30, retry_after_form=form)) as server:
                said = ask(server, questions()).headers["retry-after"]
            assert least <= parsedate_to_datetime(said).timestamp() - time.time() <= most
        with Rehearsing(Rehearsal(unavailable_503=1.0, retry_after_form="none")) as server:
            reply = ask(server, questions())
        assert reply.status == 503
        assert "retry-after" not in reply.headers

    def test_error_500_comes_after_the_latency_and_too_many_at_once(self):
        for fault, waits in (("error_500", True), ("too_many", False)):
            with Rehearsing(Rehearsal(latency=0.3, **{fault: 1.0})) as server:
                begun = time.monotonic()
                assert ask(server, questions()).status in (429, 500)
                assert (time.monotonic() - begun >= 0.3) is waits

    def test_reset_breaks_the_connection_inside_the_body(self):
        with Rehearsing(Rehearsal(reset=1.0)) as server:
            wire = wired(server, questions())
            received = b""
            with pytest.raises(ConnectionResetError):
                while piece := wire.recv(65536):
                    received += piece
            until(lambda: server.counts()["undelivered"] == 1)
            assert server.counts()["good"] == 0
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert 0 < len(body) < int(head.lower().partition(b"content-length: ")[2].split()[0])

    @pytest.mark.parametrize(("fault", "heard"), [("hang_before", b""), ("hang_after", b"HTTP/1.1 200 OK")])
    def test_a_hang_lasts_until_the_client_leaves(self, fault, heard):
        with Rehearsing(Rehearsal(**{fault: 1.0})) as server:
            wire = wired(server, questions())
            wire.settimeout(0.3)
            received = b""
            with pytest.raises(TimeoutError):
                while True:
                    received += wire.recv(65536)
            assert received.startswith(heard)
            assert received.partition(b"\r\n\r\n")[2] == b""
            assert bool(received) is bool(heard)
            assert server.counts()["in_flight"] == 1
            wire.close()
            until(lambda: server.counts()["in_flight"] == 0)
            counts = server.counts()
        assert (counts["undelivered"], counts["billed"], counts["good"]) == (1, 1, 0)

    def test_drip_outlasts_a_timeout_between_bytes_and_ends_whole(self):
        with Rehearsing(Rehearsal(drip=1.0, drip_seconds=0.001)) as server:
            wire = wired(server, questions())
            pieces = []
            while not pieces or len(b"".join(pieces).partition(b"\r\n\r\n")[2]) < 300:
                pieces.append(wire.recv(65536))
            wire.close()
            assert len(pieces) > 30
            reply = ask(server, questions())
            assert reply.content == sound(questions())
            assert server.counts()["good"] == 1

    def test_cut_body_is_half_the_json_with_a_length_that_fits(self):
        with Rehearsing(Rehearsal(cut_body=1.0)) as server:
            reply = ask(server, questions())
        assert int(reply.headers["content-length"]) == len(reply.body)
        with pytest.raises(json.JSONDecodeError):
            _ = reply.json


class TestWhatTheEndpointRefuses:
    def test_a_key_for_every_call(self):
        with Rehearsing(Rehearsal(key_refused=True)) as server:
            assert ask(server, questions()).status == 401
            assert call(server.url, "GET", "/models").code == "invalid_api_key"
            assert server.counts()["outcomes"] == {"key_refused": 1}

    def test_credit_from_the_nth_request_on(self):
        with Rehearsing(Rehearsal(fixed=True, credit_gone_from=3)) as server:
            replies = [ask(server, numbered(number)) for number in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 429, 429]
        assert replies[2].code == "insufficient_quota"

    def test_a_model(self):
        with Rehearsing(Rehearsal(model_unknown=True)) as server:
            assert ask(server, questions()).code == "model_not_found"
            assert call(server.url, "GET", "/models/m").status == 404
            assert call(server.url, "GET", "/models").json["data"] == []

    def test_its_list_of_models_but_no_request(self):
        with Rehearsing(Rehearsal(models_fail=True, fixed=True)) as server:
            assert call(server.url, "GET", "/models").status == 500
            assert ask(server, numbered(1)).status == 200

    @pytest.mark.parametrize(
        ("formats", "taken"),
        [
            ("json_schema", {"json_schema"}),
            ("json_schema,json_object", {"json_schema", "json_object"}),
            ("json_object+schema", {"json_object+schema"}),
            ("json_object", {"json_object"}),
            ("plain", set()),
            ("ignore", {"json_schema", "json_object+schema", "json_object"}),
        ],
    )
    def test_formats_that_it_does_not_know(self, formats, taken):
        asked = {
            "json_schema": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            "json_object+schema": {"type": "json_object", "schema": {}},
            "json_object": {"type": "json_object"},
        }
        with Rehearsing(Rehearsal(fixed=True, formats=formats)) as server:
            statuses = {name: ask(server, numbered(1, response_format=one)).status for name, one in asked.items()}
            assert ask(server, numbered(1)).status == 200
            assert ask(server, numbered(1, response_format={"type": "text"})).status == 200
        assert statuses == {name: 200 if name in taken else 400 for name in asked}

    def test_formats_with_a_500_as_some_servers_do(self):
        with Rehearsing(Rehearsal(formats="json_object", format_status=500)) as server:
            reply = ask(server, questions())
        assert reply.status == 500
        assert 'must be one of "text", "json_object", but got: "json_schema"' in reply.json["error"]["message"]

    @pytest.mark.parametrize("taken", ["max_tokens", "max_completion_tokens"])
    def test_the_other_name_of_the_limit(self, taken):
        with Rehearsing(Rehearsal(fixed=True, limit_name=taken)) as server:
            for name in ("max_tokens", "max_completion_tokens"):
                reply = ask(server, numbered(1, **{name: 10}))
                assert reply.status == (200 if name == taken else 400)
        with Rehearsing(Rehearsal(limit_name="max_completion_tokens")) as server:
            assert ask(server, questions(max_tokens=10)).code == "unsupported_parameter"

    def test_a_temperature(self):
        with Rehearsing(Rehearsal(fixed=True, no_temperature=True)) as server:
            assert ask(server, numbered(1, temperature=0.7)).code == "unsupported_value"
            assert ask(server, numbered(1, temperature=1)).status == 200

    def test_requests_beyond_its_pace(self):
        with Rehearsing(Rehearsal(fixed=True, requests_per_minute=300)) as server:
            replies = [ask(server, numbered(number)) for number in range(20)]
            refused = [reply for reply in replies if reply.status == 429]
            assert 5 <= len(replies) - len(refused) < 20
            assert refused[0].headers["retry-after"] == "1"
            wait = int(refused[-1].headers["retry-after-ms"]) / 1000
            assert 0 < wait <= 0.2
            time.sleep(wait)
            assert ask(server, numbered(99)).status == 200
            assert server.counts()["outcomes"]["beyond_pace"] == len(refused)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"messages": []}', b'{"messages": 5}', b"[" * 100_000])
    def test_what_is_no_request(self, body):
        with Rehearsing() as server:
            assert ask(server, body).status == 400
            assert server.counts()["outcomes"] == {"not_a_request": 1}

    def test_a_request_that_the_embedded_teacher_has_no_rule_for(self):
        with Rehearsing() as server:
            reply = ask(server, numbered(1))
            assert reply.status == 400
            assert "cannot answer" in reply.json["error"]["message"]
            assert server.counts()["billed"] == 0
            assert ask(server, questions()).status == 200

    def test_half_a_surrogate_pair_is_answered_in_utf_8(self):
        body = questions()
        body["messages"][0]["content"] = (
            "<aspect>\nprices\n</aspect><terms>\nletters \ud83d\n</terms><topic>\nt\n</topic>"
        )
        body["response_format"]["json_schema"]["name"] = "near_topic_questions"
        with Rehearsing() as server:
            reply = ask(server, body)
            assert "\ud83d" in reply.content
            assert reply.body.decode("utf-8")

    def test_streams_and_unknown_paths(self):
        with Rehearsing() as server:
            assert ask(server, questions(stream=True)).status == 400
            assert call(server.url, "POST", "/embeddings", b"{}").status == 404
            assert call(server.url, "GET", "/chat/completions").status == 404
            assert call(server.url, "GET", "").status == 404


class TestWhichFaultIsMet:
    mixed = Rehearsal(fixed=True, too_many=0.3, error_500=0.2, no_usage=0.1)

    def outcomes(self, settings: Rehearsal, order: list[int]) -> dict[int, tuple[int, bool]]:
        with Rehearsing(settings) as server:
            replies = {number: ask(server, numbered(number)) for number in order}
        return {number: (reply.status, b'"usage"' in reply.body) for number, reply in replies.items()}

    def test_does_not_depend_on_the_order_of_arrival(self):
        order = list(range(150))
        first = self.outcomes(self.mixed, order)
        random.Random(1).shuffle(order)
        assert self.outcomes(self.mixed, order) == first

    def test_depends_on_the_seed(self):
        order = list(range(60))
        other = Rehearsal(fixed=True, too_many=0.3, error_500=0.2, no_usage=0.1, seed=1)
        assert self.outcomes(self.mixed, order) != self.outcomes(other, order)

    def test_comes_in_the_shares_that_were_asked_for(self):
        met = list(self.outcomes(self.mixed, list(range(400))).values())
        assert 85 <= met.count((429, False)) <= 155
        assert 50 <= met.count((500, False)) <= 110
        assert 18 <= met.count((200, False)) <= 62

    def test_is_drawn_afresh_when_a_request_comes_again(self):
        with Rehearsing(Rehearsal(fixed=True, too_many=0.5)) as server:
            statuses = [[ask(server, numbered(number)).status for _ in range(8)] for number in range(8)]
            assert all(len(set(met)) == 2 for met in statuses)
            server.reset()
            assert [[ask(server, numbered(number)).status for _ in range(8)] for number in range(8)] == statuses

    def test_meets_calls_besides_completions_too(self):
        with Rehearsing(Rehearsal(unavailable_503=0.5)) as server:
            statuses = {call(server.url, "GET", "/models").status for _ in range(20)}
            counts = server.counts()
        assert statuses == {200, 503}
        assert (counts["calls"], counts["distinct"]) == ({"/v1/models": 20}, 0)
        assert list(counts["call_faults"]) == ["unavailable_503"]
        assert 0 < counts["call_faults"]["unavailable_503"] < 20


class TestCounts:
    def test_a_body_served_good_twice_is_counted_once_as_bought_twice(self):
        with Rehearsing() as server:
            for body in (questions("astronomy"), questions("cooking"), questions("astronomy"), questions("astronomy")):
                ask(server, body)
            counts = server.counts()
        assert (counts["requests"], counts["good"], counts["distinct"], counts["bought_twice"]) == (4, 4, 2, 1)
        assert counts["billed_output_tokens"] == sum(
            complete(questions(field))["usage"]["completion_tokens"]
            for field in ("astronomy", "cooking", "astronomy", "astronomy")
        )

    def test_the_same_body_written_in_another_order_is_the_same_body(self):
        body = questions()
        with Rehearsing() as server:
            ask(server, body)
            ask(server, dict(reversed(body.items())))
            assert server.counts()["distinct"] == 1

    def test_a_reply_that_could_not_be_used_was_not_bought_twice(self):
        with Rehearsing(Rehearsal(truncated=1.0)) as server:
            ask(server, questions())
            ask(server, questions())
            counts = server.counts()
        assert (counts["billed"], counts["good"], counts["bought_twice"]) == (2, 0, 0)

    def test_the_peak_of_requests_in_flight_is_known(self):
        with Rehearsing(Rehearsal(fixed=True, latency=0.6)) as server:
            asking = [threading.Thread(target=ask, args=(server, numbered(number))) for number in range(6)]
            for thread in asking:
                thread.start()
            until(lambda: server.counts()["in_flight"] == 6)
            for thread in asking:
                thread.join()
            ask(server, numbered(9))
            assert server.counts()["peak_in_flight"] == 6
            assert server.counts()["in_flight"] == 0

    def test_a_client_that_leaves_before_the_reply_has_paid_and_got_nothing(self):
        with Rehearsing(Rehearsal(fixed=True, latency=30)) as server:
            wire = wired(server, numbered(1))
            until(lambda: server.counts()["in_flight"] == 1)
            wire.close()
            until(lambda: server.counts()["undelivered"] == 1)
            counts = server.counts()
        assert (counts["billed"], counts["good"], counts["in_flight"]) == (1, 0, 0)

    def test_reset_forgets_everything(self):
        with Rehearsing(Rehearsal(fixed=True)) as server:
            fresh = server.counts()
            ask(server, numbered(1))
            assert server.counts() != fresh
            server.reset()
            assert server.counts() == fresh


class TestSettings:
    def test_shares_beyond_the_whole_are_refused(self):
        with pytest.raises(UsageError, match=r"add up to 1\.2"):
            Rehearsal(too_many=0.6, truncated=0.6)

    @pytest.mark.parametrize("name", [*CALL_FAULTS, *ANSWER_FAULTS, "batch_missing"])
    def test_a_share_below_nothing_is_refused(self, name):
        with pytest.raises(UsageError, match=name):
            Rehearsal(**{name: -0.1})

    def test_a_format_that_no_server_has_is_refused(self):
        with pytest.raises(UsageError, match="json_shema"):
            Rehearsal(formats="json_object,json_shema")

    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(UsageError, match=str(port)), Rehearsing(Rehearsal(port=port)):
                pass
