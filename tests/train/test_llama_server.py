"""A student behind a llama.cpp server is asked in the form that it was taught, and streams its answer."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError, UsageError
from tests.train.talking import LlamaStub, spoken
from train.chat.llama_server import LlamaServer
from train.chat.retrieval import Document
from train.chat.turns import Pieces, Turn
from train.generation import Generation
from train.rendering import Rendering

PLAIN = Rendering(form="plain", prompt_format="Question: {question}\nAnswer:", context_format="{context}\n\n{prompt}")
CHAT = PLAIN.model_copy(update={"form": "chat", "system": "Be brief."})
GREEDY = Generation(max_new_tokens=20)
TURN = Turn("Who?", documents=(Document(text="It was me.", source="a.pdf"),), earlier=("Hello?", "Hello."))


def test_a_plain_student_gets_its_prompt_as_text_and_answers_in_pieces() -> None:
    with LlamaStub(spoken(" It", " was", " me", ".", "\n")).running() as server:
        pieces = Pieces(LlamaServer(server.url, PLAIN).stream(TURN, GREEDY))
        assert list(pieces) == ["It", " was", " me", "."]
    assert (pieces.answer.text, pieces.answer.stopped_by) == ("It was me.", "end")
    assert server.paths == ["/v1/completions"]
    (body,) = server.bodies
    assert body["prompt"] == "It was me.\n\nQuestion: Hello?\nAnswer: Hello.\n\nQuestion: Who?\nAnswer:"
    assert (body["temperature"], body["max_tokens"], body["stream"]) == (0, 20, True)
    assert (body["top_k"], body["min_p"], body["repeat_penalty"]) == (0, 0, 1)
    assert body["model"] == "student.gguf"


def test_a_student_with_a_chat_template_gets_turns_and_the_server_renders_them() -> None:
    with LlamaStub(spoken("I.", chat=True)).running() as server:
        voice = LlamaServer(server.url + "/v1/", CHAT)
        assert Pieces(voice.stream(TURN, GREEDY)).whole().text == "I."
        assert Pieces(voice.stream(Turn("Who?", system=""), GREEDY)).whole().text == "I."
    assert server.paths == ["/v1/chat/completions"] * 2
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "It was me.\n\nHello?"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Who?"},
    ]
    assert server.bodies[1]["messages"] == [{"role": "user", "content": "Who?"}]


def test_a_draw_goes_with_its_temperature_and_seed() -> None:
    rules = Generation(decoding="creative", temperature=0.5, top_p=0.8, seed=7, max_new_tokens=9)
    with LlamaStub(spoken("x", reason="length")).running() as server:
        answer = Pieces(LlamaServer(server.url, PLAIN).stream(TURN, rules)).whole()
    assert answer.stopped_by == "limit"
    body = server.bodies[0]
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.5, 0.8, 7)


def test_whoever_stops_listening_stops_the_server() -> None:
    with LlamaStub([*spoken("one")[:1], *(["...", *spoken("more")[:1]] * 50)]).running() as server:
        pieces = LlamaServer(server.url, PLAIN).stream(TURN, GREEDY)
        assert next(pieces) == "one"
        pieces.close()
        assert server.broken_off.wait(10)


def test_a_refusal_is_told_in_the_server_s_words_and_the_key_in_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_API_KEY", "canary-key")
    refusing = LlamaStub(['{"error": {"message": "the request exceeds the context size", "code": 400}}'], 400)
    refused = pytest.raises(InputError, match=r"refuses \(400\): .*exceeds the context size")
    with refusing.running() as server, refused as fault:
        Pieces(LlamaServer(server.url, PLAIN).stream(TURN, GREEDY)).whole()
    assert server.keys == ["Bearer canary-key"]
    assert "canary" not in str(fault.value)


@pytest.mark.parametrize(
    "lines",
    [
        ['data: {"error": {"message": "out of memory", "code": 500}}'],
        ["data: {nonsense"],
    ],
)
def test_a_stream_that_breaks_is_a_sentence(lines: list[str]) -> None:
    with LlamaStub([*spoken("It")[:1], *lines]).running() as server, pytest.raises(InputError, match="The server at"):
        Pieces(LlamaServer(server.url, PLAIN).stream(TURN, GREEDY)).whole()


def test_a_stream_that_ends_without_a_reason_was_cut() -> None:
    with LlamaStub(spoken("It")[:1]).running() as server:
        assert Pieces(LlamaServer(server.url, PLAIN).stream(TURN, GREEDY)).whole().stopped_by == "limit"


def test_an_address_where_nobody_answers_is_said_before_the_chat_begins() -> None:
    with LlamaStub([]).running() as server:
        url = server.url
    with pytest.raises(UsageError, match=r"does not answer.*llama-server --model"):
        LlamaServer(url, PLAIN)
    with pytest.raises(UsageError, match="not an address"):
        LlamaServer("localhost:8080", PLAIN)


def test_no_proxy_stands_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with LlamaStub(spoken("It")).running() as server:
        assert Pieces(LlamaServer(server.url, PLAIN).stream(TURN, GREEDY)).whole().text == "It"
