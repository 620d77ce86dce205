"""The endpoints people use, each played with its own habits: what it refuses, how it says so, what it adds."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import KeyRefused, TeacherError
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import ALIKE, Terms
from pipeline.teacher.request import Reply
from tests.teacher.scripted import Answer, ScriptedServer, completion, error
from tests.teacher.test_asking import ask, asked, failures, form, pool_for, requests

ONE_BY_ONE = Terms(in_flight=1, tries=2, deadline_seconds=5)


def said(status: int, body: object) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def openai(body: dict, number: int) -> Answer:
    """A reasoning model: the old name of the limit and any temperature but its own are refused."""
    if "max_tokens" in body:
        return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "unsupported_parameter")
    if body.get("temperature", 1) != 1:
        return error(400, "Unsupported value: 'temperature' does not support 0.5 with this model.", "unsupported_value")
    return completion("{}")


def vllm(body: dict, number: int) -> Answer:
    """Takes everything, and says its reasoning beside the answer."""
    message = {"role": "assistant", "content": "{}", "reasoning_content": "Let me see.", "tool_calls": []}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    return completion("{}", choices=[choice], usage=usage)


def llama_cpp_python(body: dict, number: int) -> Answer:
    """Answers 500 to json_schema, in the words of its validator; takes json_object with a schema."""
    if form(body) == "json_schema":
        detail = (
            "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text'"
        )
        return said(500, {"error": {"message": detail, "type": "internal_server_error", "param": None, "code": None}})
    return completion("{}")


def llama_server(body: dict, number: int) -> Answer:
    """llama.cpp's own: 503 while the model is loaded; adds its timings."""
    if number == 0:
        return said(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})
    return completion("{}", timings={"prompt_n": 10, "predicted_per_second": 31.4}, system_fingerprint="b1")


def ollama(body: dict, number: int) -> Answer:
    """Ignores what it does not know, and may wrap what it was asked for as JSON."""
    return completion("<think>\nhm\n</think>\n\n```json\n{}\n```", system_fingerprint="fp_ollama")


def lm_studio(body: dict, number: int) -> Answer:
    """Takes json_schema or text, and says an error as a bare string."""
    if form(body).startswith("json_object"):
        return said(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})
    return completion("{}", stats={})


def open_router(body: dict, number: int) -> Answer:
    """Keeps the connection alive with blanks before the answer, and adds the cost."""
    answer = completion("{}", provider="Someone", usage={"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.001})
    return Answer(200, b"\n         \n\n" + answer.body)


@pytest.mark.parametrize(
    ("habits", "calls", "format"),
    [
        (openai, 6, "json_schema"),
        (vllm, 5, "json_schema"),
        (llama_cpp_python, 6, "json_object+schema"),
        (llama_server, 6, "json_schema"),
        (ollama, 5, "json_schema"),
        (lm_studio, 5, "json_schema"),
        (open_router, 5, "json_schema"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_request_is_answered_and_what_is_refused_is_asked_once(tmp_path, habits, calls, format):
    server = asked(tmp_path, habits, count=5, terms=ONE_BY_ONE)
    assert len(server.bodies) == calls
    assert all((reply.input_tokens, reply.output_tokens) == (10, 5) for reply in server.replies)
    assert server.pool.endpoint.speech.format == format
    assert set(server.targets) == {"/v1/chat/completions"}, "a list of models proves nothing, and is not asked for"


def test_azure_is_spoken_to_at_its_deployment_with_its_version_and_its_header(tmp_path, monkeypatch):
    with ScriptedServer(lambda body, number: completion("{}")) as server, Ledger(tmp_path) as ledger:
        monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
        base = "http://res.openai.azure.com/openai/deployments/gpt-4o"
        ask(pool_for(f"{base}?api-version=2024-10-21", ledger), requests(2))
        assert server.targets == [f"{base}/chat/completions?api-version=2024-10-21"] * 2
        assert all(one["api-key"] == "secret-key" and "authorization" not in one for one in server.headers)
        assert ledger.replies() == 2


FILTERED = {
    "Azure": said(
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure's content management policy.",
                "type": None, "param": "prompt", "code": "content_filter", "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
    ),
    "OpenRouter": said(
        403,
        {
            "error": {
                "code": 403, "message": "Your chosen model requires moderation and your input was flagged",
                "metadata": {"reasons": ["violence"], "flagged_input": "u1", "provider_name": "Someone"},
            }
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("habit", FILTERED)
def test_a_question_that_a_filter_takes_offence_at_has_a_cause_of_its_own_and_stops_no_other(tmp_path, habit):
    def script(body, number):
        return FILTERED[habit] if body["messages"][1]["content"] == "u1" else completion("{}")

    server = asked(tmp_path, script, count=3, terms=ONE_BY_ONE)
    assert [reply is not None for reply in server.replies] == [True, False, True]
    assert [cause for cause, _ in server.failures] == ["filtered_request"]


def in_disguise(code: object, message: str) -> Answer:
    return said(200, {"error": {"code": code, "message": message}, "user_id": "u"})


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (in_disguise(502, "Provider returned error"), "http_502"),
        (in_disguise(429, "Rate limited upstream"), "http_429"),
        (in_disguise("odd", "Something"), "not_a_completion"),
        (completion("", choices=[{"finish_reason": "error", "error": {"code": 502}, "message": {"content": ""}}]),
         "broken_off"),
    ],
)  # fmt: skip
def test_an_error_that_open_router_sends_with_200_is_an_error(tmp_path, fault, cause):
    server = asked(tmp_path, lambda body, number: completion("{}") if number else fault, terms=ONE_BY_ONE)
    assert isinstance(server.replies[0], Reply)
    assert [found for found, _ in server.failures] == [cause]


HOPELESS = {
    "OpenAI, no credit": (error(429, "You exceeded your current quota", "insufficient_quota"), KeyRefused, "credit"),
    "OpenRouter, no credit": (in_disguise(402, "Insufficient credits"), KeyRefused, "credit"),
    "OpenRouter, no key": (said(401, {"error": {"code": 401, "message": "No auth"}}), KeyRefused, "OPENAI_API_KEY"),
    "Azure, no key": (error(401, "Access denied due to invalid subscription key", "401"), KeyRefused, "OPENAI_API_KEY"),
    "Azure, no deployment": (error(404, "The API deployment does not exist.", "DeploymentNotFound"), TeacherError,
                             "teacher.model"),
    "vLLM, no model": (said(404, {"object": "error", "message": "The model `m` does not exist.", "code": 404}),
                       TeacherError, "The model `m` does not exist"),
    "Ollama, no model": (said(404, {"error": {"message": "model 'm' not found, try pulling it first"}}), TeacherError,
                         "try pulling it first"),
}  # fmt: skip


@pytest.mark.parametrize("habit", HOPELESS)
def test_what_no_request_can_survive_is_told_in_the_endpoints_words_after_one_call(tmp_path, habit):
    answer, kind, words = HOPELESS[habit]
    calls = []
    with pytest.raises(kind, match=words):
        asked(tmp_path, lambda body, number: calls.append(number) or answer, count=100, terms=ONE_BY_ONE)
    assert len(calls) == 1


def test_a_base_url_without_v1_at_lm_studio_is_told_in_its_words(tmp_path):
    unexpected = said(200, {"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"})
    with pytest.raises(TeacherError, match="Unexpected endpoint or method"):
        asked(tmp_path, lambda body, number: unexpected, count=100, terms=ONE_BY_ONE)
    with Ledger(tmp_path) as ledger:
        assert len(failures(ledger)) <= ALIKE
