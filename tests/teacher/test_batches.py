"""The batch lane at a rehearsed endpoint: what is sent, what comes back however odd, and what it is charged."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CannotWrite, KeyRefused, TeacherError
from pipeline.recipe import Budget as Caps
from pipeline.recipe import Cap
from pipeline.teacher.batches import Jobs, calls, lines, open_lane, service
from pipeline.teacher.batches.lines import Result, is_whole, member, read_results, request_line
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address
from pipeline.teacher.ledger import Cost, Ledger
from pipeline.teacher.prices import Price
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from pipeline.teacher.request import Request
from pipeline.teacher.speech import Format, Speech

KEY = "canary-5d02"
DAY = 86_400.0
PRICE = Price(1.0, 4.0)
PATH = "/v1/chat/completions"


def asked(number: int) -> Request:
    return Request("k", "m", "Be brief.", f"question {number} é", {"type": "object"}, 0.7, 300, subject=str(number))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(service, "LOOKS", (0.01, 0.01))
    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Runs:
    """Runs of the lane one after the other, each with the ledger opened anew."""

    def __init__(self, folder, url: str, caps: Caps | None = None, tries: int = 4) -> None:
        self.folder = folder
        self.caps = caps or Caps()
        self.tries = tries
        self.address = Address("m", url, KEY)
        self.clock = Clock()
        self.said: list[str] = []

    def once(self, requests: list[Request] | None = None):
        """Collect, then send what has no reply and does not wait; returns the lane."""
        with Ledger(self.folder, self.clock) as ledger:
            lane = open_lane(self.address, ledger, PRICE, self.tries, 5.0)

            async def go() -> None:
                try:
                    await lane.collect(self.said.append)
                    budget = Budget(self.caps, PRICE, ledger, self.clock)
                    left = [r for r in requests or [] if not ledger.has(r.key) and r.key not in lane.given_up]
                    await lane.submit([r for r in left if not lane.jobs.holds(r)], budget, self.said.append)
                finally:
                    await lane.close()

            asyncio.run(go())
        return lane

    def until_all_in(self, requests: list[Request]) -> int:
        for number in range(1, 100):
            self.once(requests)
            with Ledger.look(self.folder) as ledger:
                if all(ledger.has(request.key) for request in requests):
                    return number
        raise AssertionError(self.said)

    def spent(self, since: float = 0.0):
        with Ledger.look(self.folder) as ledger:
            return ledger.spent(since)

    def waiting(self) -> int:
        with Ledger.look(self.folder) as ledger:
            return Jobs(ledger).waiting()

    def body(self, request: Request) -> str:
        with Ledger.look(self.folder) as ledger:
            return ledger.get(request.key).body


def fixed(**more) -> Rehearsal:
    return Rehearsal(fixed=True, **({"batch_seconds": 0} | more))


def client(server) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)


def sizes(server) -> list[int]:
    """How many requests each batch holds: by its file while that is there, else by the endpoint's count."""
    with client(server) as teacher:

        def size(batch) -> int:
            try:
                return len(teacher.files.content(batch.input_file_id).content.splitlines())
            except openai.NotFoundError:
                return batch.request_counts.total

        return [size(batch) for batch in reversed(list(teacher.batches.list()))]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r")]))
def test_the_body_of_a_result_is_kept_as_it_stands_in_the_line(body, escaped, separators):
    text = json.dumps({"é": 1, "body": body}, ensure_ascii=escaped, separators=separators)
    line = f' {{"id": "x", "custom_id": "k", "error": null , "response": {{"status_code": 200, "body":{text} }} }}\n'
    _, found = next(read_results([line.encode("utf-8", "surrogatepass")]))
    if found is None:  # a lone surrogate written as it is: no UTF-8, so no JSON
        with pytest.raises(ValueError, match=r"UTF-8|surrogate"):
            orjson.loads(line)
    else:
        assert found == Result("k", 200, text)


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_a_line_that_is_no_result_stops_nothing(line):
    assert all(found is None for _, found in read_results([line, b"\n"]))


def test_a_line_too_deep_to_read_stops_nothing():
    deep = b'{"custom_id": "k", "response": {"status_code": 200, "body": ' + b"[" * 5000 + b"]" * 5000 + b"}}"
    assert list(read_results([deep])) == [(deep, None)]


def test_of_a_member_said_twice_the_last_counts_as_it_does_for_every_reader():
    text = '{"a": 1, "b": {"a": 2}, "a": [3] }'
    start, end = member(text, 0, "a")
    assert text[start:end] == "[3]"
    with pytest.raises(KeyError):
        member(text, 0, "c")


def test_a_request_goes_out_under_its_key_and_as_the_endpoint_wants_it_put():
    speech = Speech(Format.OBJECT, "max_tokens", temperature=False)
    line = orjson.loads(request_line(asked(1), speech, "/v1/chat/completions"))
    assert line["custom_id"] == asked(1).key
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert line["body"] == orjson.loads(speech.body(asked(1)))


def test_a_file_that_stops_inside_a_line_or_has_too_few_is_not_whole():
    line = json.dumps({"custom_id": "k", "response": None, "error": {"code": "x", "message": "y"}}).encode()
    assert is_whole(io.BytesIO(line + b"\n" + line), 2)
    assert is_whole(io.BytesIO(b""), 0)
    assert not is_whole(io.BytesIO(line + b"\n" + line[:-3]), 1)
    assert not is_whole(io.BytesIO(line + b"\n"), 2)


def test_a_reply_is_kept_byte_for_byte(tmp_path):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed()) as server:
        runs = Runs(tmp_path, server.url)
        runs.until_all_in(requests)
        with client(server) as teacher:
            batch = next(iter(teacher.batches.list()))
            output = teacher.files.content(batch.output_file_id).text
    assert all(f'"body": {runs.body(request)}' in output for request in requests)


def test_files_keep_to_the_limits_on_requests_and_on_bytes(tmp_path, monkeypatch):
    requests = [asked(number) for number in range(11)]
    with Rehearsing(fixed(batch_seconds=60)) as server:
        monkeypatch.setattr(lines, "MOST_REQUESTS", 4)
        Runs(tmp_path / "a", server.url).once(requests)
        assert sizes(server) == [4, 4, 3]
        monkeypatch.setattr(lines, "MOST_BYTES", 3 * len(request_line(requests[0], Speech(), PATH)) + 10)
        Runs(tmp_path / "b", server.url).once(requests)
        assert sizes(server)[3:] == [3, 3, 3, 2]


def test_shuffled_missing_doubled_unknown_and_failed_results_lose_nothing_and_buy_nothing_twice(tmp_path):
    requests = [asked(number) for number in range(60)]
    odd = {f"batch_{name}": 0.2 for name in ("missing", "duplicated", "unknown", "errors")}
    with Rehearsing(fixed(**odd)) as server:
        runs = Runs(tmp_path, server.url, tries=20)
        runs.until_all_in(requests)
        counts = server.counts()
    assert (counts["bought_twice"], counts["good"]) == (0, 60)
    told = " ".join(runs.said)
    assert all(what in told for what in ("batch_missing", "repeated", "that nobody asked for", "http_500")), told
    # What a finished batch left out may have been billed: its worst case stays charged. A 500 was not.
    assert runs.spent().requests == 60 + counts["batch_lines"]["missing"]


def test_an_expired_batch_is_harvested_and_only_the_rest_is_sent_again_and_charged(tmp_path):
    requests = [asked(number) for number in range(40)]
    with Rehearsing(fixed(batch_expired=0.4)) as server:
        runs = Runs(tmp_path, server.url, tries=1)
        runs.once(requests)
        runs.once(requests)
        sent = sizes(server)
        assert sent[0] == 40 > sent[1] > 0
        assert runs.waiting() == sent[1]
        runs.until_all_in(requests)
        assert server.counts()["bought_twice"] == 0
    assert runs.spent().requests == 40


def test_a_cancelled_batch_is_harvested_and_the_rest_sent_again(tmp_path):
    requests = [asked(number) for number in range(60)]
    with Rehearsing(fixed(batch_seconds=1.2)) as server, client(server) as teacher:
        runs = Runs(tmp_path, server.url)
        runs.once(requests)
        batch = next(iter(teacher.batches.list()))
        while teacher.batches.retrieve(batch.id).request_counts.completed < 5:
            pass
        teacher.batches.cancel(batch.id)
        while teacher.batches.retrieve(batch.id).status == "cancelling":
            pass
        runs.once(requests)
        first, second = sizes(server)
        assert (first, second) == (60, runs.waiting())
        assert 0 < second <= 55
        assert runs.spent().requests == 60


def test_a_pending_batch_stays_reserved_for_every_later_run(tmp_path):
    requests = [asked(number) for number in range(6)]
    with Rehearsing(fixed(batch_seconds=60)) as server:
        runs = Runs(tmp_path, server.url, Caps(life=Cap(requests=6)))
        runs.once(requests)
        worst = runs.spent()
        runs.once([*requests, asked(7)])
        assert server.counts()["calls"]["/v1/files"] == 1
    assert runs.spent() == worst
    assert worst.requests == runs.waiting() == 6
    assert worst.usd == pytest.approx(sum(PRICE.worst(request).usd for request in requests))


def test_what_a_batch_cost_falls_on_the_day_it_was_sent(tmp_path):
    requests = [asked(number) for number in range(5)]
    with Rehearsing(fixed()) as server:
        runs = Runs(tmp_path, server.url, Caps(day=Cap(requests=5)))
        runs.once(requests)
        runs.clock.now += DAY
        runs.once(requests)
        today = runs.clock.now - runs.clock.now % DAY
        assert runs.spent().requests == 5
        assert runs.spent(today).requests == 0
        runs.once([asked(number) for number in range(5, 12)])
        assert sizes(server) == [5, 5]


def test_a_batch_that_was_written_down_and_never_sent_is_sent_once(tmp_path):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed()) as server:
        with Ledger(tmp_path) as ledger:
            Jobs(ledger).begin(server.url, Speech().written(), requests, [Cost(9, 9.0)] * 3)
        runs = Runs(tmp_path, server.url)
        runs.once(requests)
        assert sizes(server) == [3]
        runs.until_all_in(requests)
    assert runs.spent().requests == 3


def test_a_batch_whose_creation_was_never_heard_of_is_found_by_its_name(tmp_path):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed()) as server:
        with Ledger(tmp_path) as ledger:
            jobs = Jobs(ledger)
            job = jobs.asking(jobs.begin(server.url, Speech().written(), requests, [Cost(9, 9.0)] * 3), "file-x")
        content = b"".join(request_line(request, Speech(), PATH) for request in requests)
        with client(server) as teacher:
            for name in ("another", job.name, "a third"):
                file = teacher.files.create(file=("x.jsonl", content), purpose="batch")
                teacher.batches.create(
                    input_file_id=file.id,
                    endpoint=PATH,
                    completion_window="24h",
                    metadata={"coursework": name},
                )
        runs = Runs(tmp_path, server.url)
        runs.once(requests)
        assert len(sizes(server)) == 3
        assert runs.until_all_in(requests) == 1
    assert "batch_000002" in runs.said[0]


@pytest.mark.parametrize("seed", range(1, 5))
def test_whichever_call_breaks_off_one_batch_is_created_and_its_replies_are_collected(tmp_path, seed):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed(reset=0.5, seed=seed)) as server:
        runs = Runs(tmp_path, server.url, tries=1)
        for _ in range(60):
            with contextlib.suppress(TeacherError):
                runs.until_all_in(requests)
                break
        counts = server.counts()
    assert counts["call_faults"]["reset"] > 0
    assert counts["batch_lines"] == {"sound": 3}
    assert runs.spent().requests == 3


def test_a_batch_too_large_for_the_account_is_sent_in_ever_smaller_ones_until_none_is_left(tmp_path):
    requests = [asked(number) for number in range(9)]
    with Rehearsing(fixed(batch_too_large=True)) as server:
        runs = Runs(tmp_path, server.url)
        for _ in range(4):
            runs.once(requests)
        assert [int(line.split("of ")[1].split()[0]) for line in runs.said] == [9, 4, 2]
        with pytest.raises(TeacherError, match="Enqueued token limit"):
            runs.once(requests)
    assert (runs.waiting(), runs.spent().requests) == (0, 0)


def test_a_batch_refused_as_too_large_is_held_against_the_account_for_a_week(tmp_path):
    requests = [asked(number) for number in range(9)]
    with Rehearsing(fixed(batch_too_large=True)) as server:
        runs = Runs(tmp_path, server.url)
        runs.once(requests)
        runs.once()
    with Rehearsing(fixed(batch_seconds=60)) as server, Ledger(tmp_path, runs.clock) as ledger:
        with ledger.transaction() as db:  # the same account, at another port of this machine
            db.execute("UPDATE batches SET server = ?", (server.url,))
        jobs = Jobs(ledger)
        assert jobs.room(server.url) == 4
        runs.clock.now += 8 * DAY
        assert jobs.room(server.url) is None


def test_an_endpoint_that_refuses_the_reply_format_is_asked_in_a_weaker_one(tmp_path):
    requests = [asked(number) for number in range(9)]
    with Rehearsing(fixed(formats="json_object", limit_name="max_tokens")) as server:
        runs = Runs(tmp_path, server.url)
        runs.until_all_in(requests)
        assert len(sizes(server)) <= 4
    with Ledger.look(tmp_path) as ledger:
        assert Speech.read(ledger.speech(runs.address.name)) == Speech(Format.OBJECT, "max_tokens")
    assert runs.spent().requests == 9


def test_a_line_that_is_refused_waits_for_a_later_run_and_holds_up_no_other(tmp_path):
    good = Request("k", "m", "", "<topic>\nletters\n</topic>\n<field>\ncooking\n</field>\nReply.", {}, 0.7, 300)
    bad = asked(1)
    with Rehearsing(Rehearsal(batch_seconds=0, formats="ignore")) as server:
        runs = Runs(tmp_path, server.url)
        runs.once([good, bad])
        lane = runs.once([good, bad])
        assert lane.given_up == {bad.key}
        assert sizes(server) == [2]
        runs.once([good, bad])
        assert sizes(server) == [2, 1]
    assert runs.spent().requests == 2  # one reply, one reserved


def test_a_whole_batch_refused_alike_stops_the_run_and_says_how(tmp_path):
    with Rehearsing(Rehearsal(batch_seconds=0, formats="ignore")) as server:
        runs = Runs(tmp_path, server.url)
        requests = [asked(number) for number in range(8)]
        with pytest.raises(TeacherError, match="all 8 requests of a batch failed alike"):
            for _ in range(6):  # the refusal speaks of a schema, so weaker formats are tried before
                runs.once(requests)
    assert runs.spent().requests == 0


def test_a_lost_batch_stays_charged_and_is_sent_again_once_it_can_bring_nothing_more(tmp_path):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed(batch_seconds=60)) as server:
        runs = Runs(tmp_path, server.url)
        runs.once(requests)
        server.reset()
        with pytest.raises(TeacherError, match="whose key made it"):
            runs.once(requests)
        assert sizes(server) == []
        runs.clock.now += 2 * DAY + 1
        runs.once(requests)
        assert sizes(server) == [3]
    assert runs.spent().requests == 6


def test_a_batch_at_another_server_is_left_there_and_its_requests_are_not_sent_again(tmp_path):
    requests = [asked(number) for number in range(3)]
    with Rehearsing(fixed(batch_seconds=60)) as first, Rehearsing(fixed()) as second:
        Runs(tmp_path, first.url).once(requests)
        runs = Runs(tmp_path, second.url)
        runs.once(requests)
        assert second.counts()["calls"] == {}
    assert first.url in runs.said[0]


@contextlib.contextmanager
def answering(status: int, body: bytes):
    """The base URL of a server that says the same to every POST."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b"404 page not found", "answered 404: 404 page not found. .* needs teacher.mode: online"),
        (405, b'{"detail": "Method Not Allowed"}', "answered 405: Method Not Allowed. .* teacher.mode: online"),
        (400, f'{{"error": "bad {KEY}"}}'.encode(), r"answered 400: bad \[key\]\."),
        (200, b"{}", "not understood"),
        (200, b'{"id": ', "not understood"),
        (200, b'"ok"', "not understood"),
    ],
)
def test_an_endpoint_without_batches_is_told_from_one_that_fails_and_nothing_stays_reserved(
    tmp_path, status, body, told
):
    with answering(status, body) as url:
        runs = Runs(tmp_path, url, tries=2)
        with pytest.raises(TeacherError, match=told):
            runs.once([asked(1)])
    assert runs.spent().requests == 0


def test_a_refused_key_stops_the_run_and_is_told_to_nobody(tmp_path):
    with Rehearsing(fixed(key_refused=True)) as server:
        runs = Runs(tmp_path, server.url)
        with pytest.raises(KeyRefused) as refused:
            runs.once([asked(1)])
    assert KEY not in str(refused.value)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*"))


def test_an_endpoint_that_cannot_be_reached_ends_the_run_and_the_next_one_begins_anew(tmp_path):
    runs = Runs(tmp_path, "http://127.0.0.1:9/v1", tries=2)
    with pytest.raises(TeacherError, match="run the same command again"):
        runs.once([asked(1)])
    assert (runs.waiting(), runs.spent().requests) == (0, 0)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    with Rehearsing(fixed()) as server, Ledger(tmp_path) as ledger:
        lane = open_lane(Address("m", server.url, KEY), ledger, PRICE, 1, 5.0)
        monkeypatch.setattr(Ledger, "folder", tmp_path / "gone")
        with pytest.raises(CannotWrite, match="gone"):
            asyncio.run(lane.submit([asked(1)], Budget(Caps(), Price(0.0, 0.0), ledger), print))
        assert server.counts()["calls"] == {}
