"""Asking a teacher over real sockets: what is retried, what is given up, what stops everything."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import KeyRefused, RecipeError, TeacherError
from pipeline.recipe import Budget, Cap
from pipeline.teacher import faults, pool
from pipeline.teacher.budget import Budget as Accounts
from pipeline.teacher.embedded import MODEL
from pipeline.teacher.endpoint import OPENAI_URL, Address, find_teacher, open_endpoint
from pipeline.teacher.faults import read_retry_after
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pace import Patience, Window
from pipeline.teacher.pool import ALIKE, Pool, Terms
from pipeline.teacher.prices import Price
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from pipeline.teacher.request import Request
from pipeline.teacher.speech import Speech
from tests.teacher.scripted import Answer, ScriptedServer, completion, error

TERMS = Terms(in_flight=4, tries=3, deadline_seconds=2)
FREE = Price(0.0, 0.0)


def requests(count: int) -> list[Request]:
    return [Request("kind", "model", "s", f"u{number}", {"type": "object"}, 0.5, 100) for number in range(count)]


def pool_for(server_url: str, ledger: Ledger, terms: Terms = TERMS, caps: Budget | None = None, price=FREE) -> Pool:
    endpoint = open_endpoint(Address("model", server_url, "secret-key"))
    return Pool(endpoint, ledger, Accounts(caps or Budget(), price, ledger), price, terms)


def ask(pool: Pool, wanted: list[Request], unreadable=lambda reply: None) -> None:
    async def all_of_them():
        try:
            await pool.ask(wanted, lambda: None, unreadable)
        finally:
            await pool.endpoint.close()

    asyncio.run(all_of_them())


def asked(folder, script, count=1, terms=TERMS, unreadable=lambda reply: None):
    """Ask `count` requests of a scripted server; the server, and what the ledger then holds."""
    wanted = requests(count)
    with ScriptedServer(script) as server, Ledger(folder) as ledger:
        server.pool = pool_for(server.url, ledger, terms)
        try:
            ask(server.pool, wanted, unreadable)
        finally:
            server.replies = [ledger.get(one.key) for one in wanted]
            server.failures = failures(ledger)
    return server


def failures(ledger: Ledger) -> list[tuple[str, str]]:
    with sqlite3.connect(ledger.path) as db:
        return list(db.execute("SELECT cause, detail FROM failures ORDER BY id"))


def test_the_request_asks_for_json_by_schema_and_the_reply_is_kept_as_it_came(tmp_path):
    server = asked(tmp_path, lambda body, number: completion('{"a": 1}'))
    (body,) = server.bodies
    assert body["response_format"]["json_schema"] == {"name": "kind", "strict": True, "schema": {"type": "object"}}
    assert body["max_completion_tokens"] == 100
    assert server.headers[0]["authorization"] == "Bearer secret-key"
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
    assert {cause for cause, _ in server.failures} == {"http_500"}
    assert all("always" in detail for _, detail in server.failures)


def test_a_request_the_endpoint_will_not_take_is_not_asked_again(tmp_path):
    server = asked(tmp_path, lambda body, number: error(400, "context too long"))
    assert [form(body) for body in server.bodies] == ["json_schema", "json_object+schema", "json_object", "plain"]
    assert server.failures == [("request_rejected", f"model at {server.url} answered 400: context too long")]
    assert server.pool.endpoint.speech.format == "json_schema"


def test_a_hanging_request_has_a_deadline(tmp_path):
    def script(body, number):
        if number == 0:
            time.sleep(3)
        return completion("{}")

    server = asked(tmp_path, script, terms=Terms(1, 2, 0.5))
    assert server.replies[0] is not None
    assert len(server.bodies) == 2
    assert server.failures[0][0] == "too_slow"


def test_where_nobody_answers_any_more_the_watchdog_stops_the_run_and_replies_before_it_are_kept(tmp_path):
    def script(body, number):
        if number >= 3:
            time.sleep(20)
        return completion("{}")

    server = asked(tmp_path, script, count=200, terms=Terms(2, 5, 600, silence_seconds=0.6))
    assert server.pool.stopping == "the teacher was asked for 0.6 seconds and no reply came"
    assert sum(reply is not None for reply in server.replies) == 3
    assert len(server.bodies) == 5
    assert {cause for cause, _ in server.failures} == {"too_slow"}


def test_the_watchdog_counts_neither_slow_replies_nor_the_waiting_for_ones_own_pace(tmp_path):
    def script(body, number):
        time.sleep(0.3)
        return completion("{}")

    terms = Terms(2, silence_seconds=0.8)
    server = asked(tmp_path, script, count=10, terms=terms)
    assert (server.pool.stopping, len(server.bodies)) == ("", 10)
    terms = Terms(1, requests_per_minute=40, silence_seconds=0.8)  # four at once, then one each second and a half
    server = asked(tmp_path / "slow", lambda body, number: completion("{}"), count=5, terms=terms)
    assert (server.pool.stopping, len(server.bodies)) == ("", 5)


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


def test_a_hopeless_error_costs_at_most_a_handful_of_calls(tmp_path):
    calls = []

    def script(body, number):
        calls.append(number)
        return error(401, "bad key: secret-key")

    with pytest.raises(KeyRefused) as caught:
        asked(tmp_path, script, count=500, terms=Terms(in_flight=64))
    assert len(calls) <= 5
    assert "secret-key" not in str(caught.value)


def test_replies_received_before_the_stop_are_kept(tmp_path):
    def script(body, number):
        if number < 3:
            return completion("{}")
        time.sleep(0.3)
        return error(401, "bad key")

    with pytest.raises(KeyRefused):
        asked(tmp_path, script, count=50, terms=Terms(1, 2, 2))
    with Ledger(tmp_path) as ledger:
        assert ledger.replies() == 3


def test_a_server_that_is_not_there_is_a_noted_failure(tmp_path):
    with Ledger(tmp_path) as ledger:
        ask(pool_for("http://127.0.0.1:9/v1", ledger, Terms(1, 2, 5)), requests(1))
        assert {cause for cause, _ in failures(ledger)} == {"no_connection"}


def test_the_first_replies_failing_alike_stop_the_run_and_say_how(tmp_path):
    with pytest.raises(TeacherError, match=r"cannot be read .no_json."):
        asked(tmp_path, lambda body, number: completion("no"), 100, Terms(2), lambda reply: "no_json")
    with Ledger(tmp_path) as ledger:
        assert ALIKE <= ledger.replies() <= ALIKE + 4


class TestReplyFormat:
    """What an endpoint refuses is given up, and what it takes is remembered."""

    @pytest.mark.parametrize("accepted", ["json_object+schema", "json_object", "plain"])
    @pytest.mark.parametrize("status", [400, 500])
    def test_the_strictest_format_that_is_taken_is_used_from_then_on(self, tmp_path, accepted, status):
        server = asked(tmp_path, lambda body, number: taking(body, accepted, status), count=20, terms=Terms(1))
        assert all(server.replies)
        assert server.pool.endpoint.speech.format == accepted
        formats = [form(body) for body in server.bodies]
        assert set(formats[-19:]) == {accepted}

    def test_an_older_name_of_the_output_limit_is_learnt(self, tmp_path):
        def script(body, number):
            if "max_completion_tokens" in body:
                return error(400, "Unsupported parameter: 'max_completion_tokens'")
            return completion("{}")

        server = asked(tmp_path, script, count=5, terms=Terms(1))
        assert all(server.replies)
        assert server.pool.endpoint.speech.format == "json_schema"
        assert len(server.bodies) == 6

    def test_a_model_that_takes_no_temperature_gets_none(self, tmp_path):
        def script(body, number):
            return error(400, "Unsupported value: 'temperature'") if "temperature" in body else completion("{}")

        assert all(asked(tmp_path, script, count=3, terms=Terms(1)).replies)

    def test_one_bad_request_does_not_weaken_the_format_of_the_others(self, tmp_path):
        def script(body, number):
            return error(400, "too long") if body["messages"][1]["content"] == "u3" else completion("{}")

        server = asked(tmp_path, script, count=6, terms=Terms(1))
        assert server.pool.endpoint.speech.format == "json_schema"
        assert [reply is not None for reply in server.replies] == [True, True, True, False, True, True]


def form(body: dict) -> str:
    asked_for = body.get("response_format", {"type": "plain"})
    return asked_for["type"] + ("+schema" if "schema" in asked_for else "")


def taking(body: dict, accepted: str, status: int) -> Answer:
    order = ["json_schema", "json_object+schema", "json_object", "plain"]
    if order.index(form(body)) < order.index(accepted):
        return error(status, "response_format: input should be 'text'")
    return completion("{}")


class TestBudget:
    """The worst case is charged before sending, so a cap holds whatever comes back."""

    PRICE = Price(0.0, 1000.0)  # a thousandth of a dollar per token written; 0.1 USD at most for each request

    def spend(self, folder, caps: Budget, count: int = 50, usage: bool = True, in_flight: int = 8):
        def script(body, number):
            return completion("{}") if usage else completion("{}", usage=None)

        with ScriptedServer(script) as server, Ledger(folder) as ledger:
            pool = pool_for(server.url, ledger, Terms(in_flight=in_flight), caps, self.PRICE)
            ask(pool, requests(count))
            return len(server.bodies), ledger.spent(), pool.stopping

    def test_no_cap_is_ever_passed_and_real_costs_make_room_again(self, tmp_path):
        calls, spent, why = self.spend(tmp_path, Budget(run=Cap(usd=0.25)))
        assert spent.usd <= 0.25
        assert calls > 2
        assert "0.25 USD a run" in why

    def test_a_reply_without_usage_keeps_its_reservation(self, tmp_path):
        calls, spent, _ = self.spend(tmp_path, Budget(life=Cap(usd=0.35)), usage=False)
        assert calls == 3
        assert spent.usd == pytest.approx(0.3)

    def test_a_cap_on_requests_and_on_tokens(self, tmp_path):
        assert self.spend(tmp_path / "a", Budget(run=Cap(requests=7)))[0] == 7
        _, spent, why = self.spend(tmp_path / "b", Budget(day=Cap(tokens=500)))
        assert spent.tokens <= 500
        assert "500 tokens a day" in why

    def test_the_cap_of_a_life_outlives_the_run(self, tmp_path):
        caps = Budget(life=Cap(requests=5))
        assert self.spend(tmp_path, caps, 3)[0] == 3
        assert self.spend(tmp_path, caps, 50)[0] == 2
        assert self.spend(tmp_path, caps, 50)[0] == 0

    def test_a_cap_in_dollars_without_a_price_is_refused(self, tmp_path):
        with Ledger(tmp_path) as ledger, pytest.raises(RecipeError, match=r"prices\.yaml"):
            Accounts(Budget(run=Cap(usd=1, tokens=10)), Price(None, None), ledger)

    def test_without_a_price_a_cap_on_tokens_stands_in_for_money(self, tmp_path):
        with Ledger(tmp_path) as ledger:
            assert Accounts(Budget(run=Cap(tokens=10)), Price(None, None), ledger)
            with pytest.raises(RecipeError, match="nobody knows the price"):
                Accounts(Budget(), Price(None, None), ledger)

    def test_midnight_utc_turns_the_day_and_a_clock_set_back_does_not(self, tmp_path):
        now = [86_400.0 * 20_000 - 10]
        with Ledger(tmp_path, lambda: now[0]) as ledger:
            accounts = Accounts(Budget(day=Cap(requests=1)), self.PRICE, ledger, lambda: now[0])
            worst = self.PRICE.worst(requests(1)[0])
            assert accounts.allows(worst)
            assert not accounts.allows(worst)
            now[0] -= 86_400
            assert not accounts.allows(worst)
            now[0] += 86_400 + 20
            assert accounts.allows(worst)

    def test_a_clock_set_back_between_two_runs_opens_no_second_budget(self, tmp_path):
        day, worst = 86_400.0, self.PRICE.worst(requests(1)[0])
        caps = Budget(day=Cap(requests=1))
        with Ledger(tmp_path, lambda: 20_000 * day + 100) as ledger:
            ledger.enlist(requests(1), [worst])
        for days in (1, 1000):
            with Ledger(tmp_path) as ledger:
                accounts = Accounts(caps, self.PRICE, ledger, lambda days=days: (20_000 - days) * day + 50)
                assert not accounts.allows(worst)


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-3", None), ("soon", None), ("inf", None), (None, None)]
)
def test_retry_after_is_read_in_seconds_and_what_is_invalid_is_ignored(value, seconds):
    assert read_retry_after(value) == seconds


def test_retry_after_is_read_as_a_date():
    assert 50 < read_retry_after(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert read_retry_after(formatdate(time.time() - 60, usegmt=True)) == 0


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=300))
def test_the_window_stays_between_one_and_its_width(widest, outcomes):
    window = Window(widest)
    for good in outcomes:
        window.went_well() if good else window.was_hasty()
        assert 1 <= window.width <= widest


def test_a_tenth_of_429s_does_not_shrink_the_window_and_a_storm_does():
    window = Window(64)
    for number in range(1000):
        window.was_hasty() if number % 10 == 0 else window.went_well()
    assert window.width == 64
    for _ in range(128):
        window.was_hasty()
    assert window.width < 40
    for _ in range(2000):
        window.went_well()
    assert window.width == 64


def test_patience_follows_the_usual_duration_and_doubles_for_a_slow_request():
    patience = Patience(600)
    assert patience.seconds(0) == 600
    for _ in range(100):
        patience.took(2.0)
    assert patience.seconds(0) == 8.0
    assert patience.seconds(1) == 16.0
    assert patience.seconds(20) == 600


@pytest.mark.parametrize("fault", ["drip", "hang_before", "hang_after"])
def test_a_reply_that_never_ends_is_given_up_at_the_deadline_however_lively_it_looks(tmp_path, fault):
    with Rehearsing(Rehearsal(fixed=True, drip_seconds=0.1, **{fault: 1.0})) as server, Ledger(tmp_path) as ledger:
        ask(pool_for(server.url, ledger, Terms(1, 1, 0.7)), requests(1))
        assert [cause for cause, _ in failures(ledger)] == ["too_slow"]


def test_waiting_for_ones_turn_is_no_failure(tmp_path):
    def script(body, number):
        time.sleep(0.2)
        return completion("{}")

    server = asked(tmp_path, script, count=12, terms=Terms(2, 1, 1.0))  # the last waits longer than a try may take
    assert all(server.replies)
    assert not server.failures


def test_a_retry_after_as_a_date_is_capped_where_ones_own_clock_was_set_back(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "time", lambda: time.time() - 86_400)
    monkeypatch.setattr(pool, "LONGEST_WAIT", 0.2)
    soon = formatdate(time.time() + 1, usegmt=True)
    late = error(429, "slow down", retry_after=soon)
    server = asked(tmp_path, lambda body, number: completion("{}") if number else late)
    assert server.replies[0] is not None


def test_a_rate_limit_spreads_what_is_beyond_its_burst(tmp_path):
    begun = time.monotonic()
    server = asked(tmp_path, lambda body, number: completion("{}"), count=15, terms=Terms(8, requests_per_minute=120))
    assert len(server.bodies) == 15
    assert time.monotonic() - begun > 1.0  # twelve at once, then one each half second


def test_a_limit_on_tokens_spreads_requests_by_what_each_may_take(tmp_path):
    worst = FREE.worst(requests(1)[0]).tokens
    begun = time.monotonic()
    terms = Terms(8, tokens_per_minute=120 * worst)
    server = asked(tmp_path, lambda body, number: completion("{}"), count=15, terms=terms)
    assert len(server.bodies) == 15
    assert time.monotonic() - begun > 1.0  # twelve at once, then one each half second


class TestWhichTeacherIsMeant:
    def test_nothing_set_means_the_embedded_one(self):
        assert find_teacher("", "", {}).model == MODEL
        assert find_teacher("", "", {}).embedded

    def test_a_key_means_openai(self):
        assert find_teacher("m", "", {"OPENAI_API_KEY": "k"}) == Address("m", OPENAI_URL, "k")

    def test_a_server_of_ones_own_needs_no_key_and_the_recipe_outranks_the_environment(self):
        found = find_teacher("m", "http://here/v1", {"OPENAI_BASE_URL": "http://there/v1"})
        assert (found.base_url, found.key) == ("http://here/v1", "none")

    def test_what_is_secret_in_its_address_is_named_nowhere(self):
        address = Address("m", "https://me:canary-1@here.example:8443/v1?api-version=2&api_key=canary-2", "k")
        assert address.name == "m at https://here.example:8443/v1?api-version=2&api_key=[key]"
        assert "canary-2" in address.completions_url

    def test_a_named_model_without_key_is_not_silently_played_by_the_stand_in(self):
        with pytest.raises(RecipeError, match="neither OPENAI_API_KEY nor a base_url"):
            find_teacher("gpt", "", {})

    def test_a_key_without_model_says_where_to_name_it(self):
        with pytest.raises(RecipeError, match="--model"):
            find_teacher("", "", {"OPENAI_API_KEY": "k"})


def test_the_embedded_teacher_refuses_a_schema_it_has_no_rule_for():
    from pipeline.teacher.embedded import EmbeddedTeacher
    from pipeline.teacher.faults import RequestRejected

    with pytest.raises(RequestRejected, match="no rule"):
        asyncio.run(EmbeddedTeacher().send(requests(1)[0]))


def test_request_bodies_are_plain_json():
    assert json.loads(Speech().body(requests(1)[0]))["model"] == "model"
