"""Batches at the rehearsal, asked for through OpenAI's own client: how they go, and each way they surprise."""

from __future__ import annotations

import contextlib
import json
import time

import openai
import pytest

from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from tests.teacher.calling import ask, call, numbered, questions

CHAT = "/v1/chat/completions"


def line(number: int, **more) -> dict:
    return {"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": numbered(number)} | more


def jsonl(lines: list[dict]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def client(server) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)


def begun(teacher: openai.OpenAI, content: bytes, **more):
    file = teacher.files.create(file=("in.jsonl", content), purpose="batch")
    return teacher.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h", **more)


def ended(teacher: openai.OpenAI, batch, seen: list[str] | None = None):
    end = time.monotonic() + 10
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        assert time.monotonic() < end
        time.sleep(0.01)
        batch = teacher.batches.retrieve(batch.id)
        if seen is not None and batch.status not in seen:
            seen.append(batch.status)
    return batch


def read(teacher: openai.OpenAI, name: str | None) -> list[dict]:
    return [json.loads(one) for one in teacher.files.content(name).text.splitlines()] if name else []


def outcome(settings: Rehearsal, lines: list[dict]) -> tuple:
    """The batch when it ended, the lines of its output file, of its error file, and the counts."""
    with Rehearsing(settings) as server, client(server) as teacher:
        batch = ended(teacher, begun(teacher, jsonl(lines)))
        return batch, read(teacher, batch.output_file_id), read(teacher, batch.error_file_id), server.counts()


def names(lines: list[dict]) -> list[str]:
    return [one["custom_id"] for one in lines]


def fixed(**more) -> Rehearsal:
    return Rehearsal(fixed=True, batch_seconds=0, **more)


def test_a_chat_completion_is_one_to_openais_client():
    with Rehearsing() as server, client(server) as teacher:
        reply = teacher.chat.completions.create(**questions())
        assert json.loads(reply.choices[0].message.content)["questions"]
        assert reply.usage.total_tokens > 0
        assert [model.id for model in teacher.models.list()] == ["rehearsal"]
        assert teacher.models.retrieve("any").id == "any"


def test_a_batch_passes_through_its_states_and_answers_as_single_requests_would():
    lines = [line(0, body=questions("astronomy")), line(1, body=questions("cooking"))]
    seen: list[str] = []
    with Rehearsing(Rehearsal(batch_seconds=0.6)) as server, client(server) as teacher:
        batch = begun(teacher, jsonl(lines), metadata={"run": "7"})
        assert (batch.status, batch.metadata) == ("validating", {"run": "7"})
        batch = ended(teacher, batch, seen)
        results = read(teacher, batch.output_file_id)
        singles = {one["custom_id"]: ask(server, one["body"]).content for one in lines}
        counts = server.counts()
        listed = teacher.batches.list().data
    assert seen[-3:] == ["in_progress", "finalizing", "completed"]
    assert batch.error_file_id is None
    assert batch.request_counts.to_dict() == {"total": 2, "completed": 2, "failed": 0}
    assert batch.created_at <= batch.in_progress_at <= batch.finalizing_at <= batch.completed_at
    said = {one["custom_id"]: one["response"]["body"]["choices"][0]["message"]["content"] for one in results}
    assert said == singles
    assert all(one["response"]["status_code"] == 200 and one["error"] is None for one in results)
    assert [one.id for one in listed] == [batch.id]
    # Asked again one by one: the same bodies were bought twice.
    assert (counts["good"], counts["bought_twice"], counts["batch_lines"]) == (4, 2, {"sound": 2})


def test_results_come_shuffled_unless_told_otherwise():
    lines = [line(number) for number in range(30)]
    _, shuffled, _, _ = outcome(fixed(), lines)
    _, ordered, _, _ = outcome(fixed(batch_in_order=True), lines)
    assert names(ordered) == names(lines)
    assert names(shuffled) != names(lines)
    assert sorted(names(shuffled)) == sorted(names(lines))


def test_an_expired_batch_gives_what_is_done_and_names_the_rest():
    batch, results, errors, counts = outcome(fixed(batch_expired=0.4), [line(number) for number in range(40)])
    assert batch.status == "expired"
    assert batch.expired_at
    assert 0 < len(errors) < 40
    assert sorted(names(results) + names(errors)) == sorted(f"c{number}" for number in range(40))
    assert {(one["error"]["code"], one["response"]) for one in errors} == {("batch_expired", None)}
    assert counts["billed"] == len(results)


def test_results_can_be_missing_doubled_or_a_strangers():
    lines = [line(number) for number in range(60)]
    settings = fixed(batch_missing=0.2, batch_duplicated=0.2, batch_unknown=0.2)
    batch, results, errors, counts = outcome(settings, lines)
    asked, came = set(names(lines)), names(results)
    assert (batch.status, errors) == ("completed", [])
    assert asked - set(came)
    assert {name for name in came if came.count(name) > 1} & asked
    assert set(came) - asked
    assert counts["batch_lines"] == {"missing": len(asked - set(came)), "sound": len(asked & set(came))}
    assert counts["bought_twice"] == 0


def test_lines_that_fail_are_in_the_error_file_with_their_status():
    batch, results, errors, _ = outcome(fixed(batch_errors=0.3), [line(number) for number in range(40)])
    assert batch.status == "completed"
    assert batch.request_counts.failed == len(errors) > 0
    assert {one["response"]["status_code"] for one in errors} == {500}
    assert len(results) + len(errors) == 40


def test_a_line_that_the_endpoint_would_refuse_fails_alone():
    lines = [line(0), line(1, body=numbered(1, max_tokens=5))]
    _, results, errors, _ = outcome(fixed(limit_name="max_completion_tokens"), lines)
    assert names(results) == ["c0"]
    assert errors[0]["response"]["body"]["error"]["code"] == "unsupported_parameter"
    _, results, errors, _ = outcome(Rehearsal(batch_seconds=0), [line(0)])
    assert (results, errors[0]["response"]["status_code"]) == ([], 400)


def test_replies_in_a_batch_are_spoilt_in_the_shares_of_single_ones():
    _, results, _, counts = outcome(fixed(truncated=0.5), [line(number) for number in range(40)])
    spoilt = 0
    for one in results:
        try:
            json.loads(one["response"]["body"]["choices"][0]["message"]["content"])
        except ValueError:
            spoilt += 1
    assert 8 <= spoilt <= 32
    assert counts["batch_lines"] == {"sound": 40 - spoilt, "truncated": spoilt}
    assert counts["good"] == 40 - spoilt


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        (jsonl([line(0), line(0)]), "duplicate_custom_id", 2),
        (jsonl([line(0)]) + b"{\n", "invalid_json_line", 2),
        (b"", "invalid_json_line", 1),
        (jsonl([line(0, url="/v1/embeddings")]), "invalid_request", 1),
        (jsonl([{"custom_id": "a"}]), "invalid_json_line", 1),
        (jsonl([line(0, custom_id=[1])]), "invalid_request", 1),
    ],
)
def test_one_bad_line_fails_the_whole_batch(content, code, where):
    with Rehearsing(fixed()) as server, client(server) as teacher:
        batch = ended(teacher, begun(teacher, content))
        assert (batch.status, batch.output_file_id) == ("failed", None)
        assert [(one.code, one.line) for one in batch.errors.data] == [(code, where)]
        assert server.counts()["billed"] == 0


def test_a_batch_beyond_the_account_fails_its_validation():
    batch, _, _, counts = outcome(fixed(batch_too_large=True), [line(0)])
    assert (batch.status, batch.errors.data[0].code) == ("failed", "token_limit_exceeded")
    assert counts["billed"] == 0


def test_a_cancelled_batch_keeps_what_was_done():
    with Rehearsing(Rehearsal(fixed=True, batch_seconds=2)) as server, client(server) as teacher:
        batch = begun(teacher, jsonl([line(number) for number in range(100)]))
        while teacher.batches.retrieve(batch.id).request_counts.completed < 5:
            time.sleep(0.01)
        assert teacher.batches.cancel(batch.id).status == "cancelling"
        batch = ended(teacher, batch)
        done = read(teacher, batch.output_file_id)
        assert batch.status == "cancelled"
        assert 5 <= len(done) == batch.request_counts.completed < 100
        assert server.counts()["billed"] == len(done)
        with pytest.raises(openai.BadRequestError, match="Cannot cancel"):
            teacher.batches.cancel(batch.id)


def test_a_batch_whose_creation_was_answered_by_a_reset_is_there_all_the_same():
    with Rehearsing(fixed(reset=0.5)) as server, client(server) as teacher:
        file = None
        while file is None:
            with contextlib.suppress(openai.APIConnectionError):
                file = teacher.files.create(file=("in.jsonl", jsonl([line(0)])), purpose="batch")
        lost = 0
        for _ in range(12):
            try:
                teacher.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
            except openai.APIConnectionError:
                lost += 1
        listed = None
        while listed is None:
            with contextlib.suppress(openai.APIConnectionError):
                listed = teacher.batches.list().data
    assert 0 < lost < 12
    assert len(listed) == 12


def test_files_and_batches_that_are_not_there_are_404_and_forms_that_are_none_400():
    with Rehearsing() as server:
        for path in ("/files/file-9", "/files/file-9/content", "/batches/batch_9", "/batches/batch_9/x/y"):
            assert call(server.url, "GET", path).status == 404
        assert call(server.url, "POST", "/batches/batch_9/cancel").status == 404
        assert call(server.url, "POST", "/files", b"x").status == 400
        form = {"content-type": 'multipart/form-data; boundary="b"'}
        assert call(server.url, "POST", "/files", b"--b\r\n\r\nx\r\n--b--\r\n", **form).status == 400
        for asked in (b"", b"[]", b"{}", b'{"input_file_id": "file-9"}'):
            assert call(server.url, "POST", "/batches", asked).status == 400


def test_an_upload_comes_back_byte_for_byte():
    content = bytes(range(256)) + b"\r\n--b\r\n" + b"\r\n"
    with Rehearsing() as server, client(server) as teacher:
        file = teacher.files.create(file=("a ü.jsonl", content), purpose="batch")
        assert (file.bytes, file.purpose, file.status) == (len(content), "batch", "processed")
        assert teacher.files.content(file.id).content == content
        assert teacher.files.retrieve(file.id).id == file.id


def test_no_batch_begins_once_the_credit_is_gone():
    with Rehearsing(fixed(credit_gone_from=1)) as server, client(server) as teacher:
        ask(server, numbered(1))
        with pytest.raises(openai.RateLimitError, match="quota"):
            begun(teacher, jsonl([line(0)]))
