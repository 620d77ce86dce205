"""A student that a llama.cpp server holds, asked by the OpenAI protocol in the form that it was taught."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from pipeline.errors import InputError, UsageError
from train.chat.turns import Turn
from train.generation import Answer
from train.generation import Generation as Rules
from train.rendering import Rendering

KEY = "LLAMA_API_KEY"
"""The variable from which `llama-server` itself takes its key."""
SECONDS_TO_CONNECT, SECONDS_WITHOUT_A_WORD = 5, 300


class LlamaServer:
    """A voice behind an address. It needs neither torch nor the student's weights on this machine."""

    def __init__(self, url: str, rendering: Rendering) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._rendering = rendering
        self._client = _client(self.url)
        self._model = self._its_model()

    def fitting(self, turn: Turn, rules: Rules) -> Turn:
        """The turn as it is: only the server knows how much it can hold, and it says so."""
        return turn

    def stream(self, turn: Turn, rules: Rules) -> Generator[str, None, Answer]:
        """The answer in pieces. Raises InputError with the server's reason if there is none."""
        whole = said = ""
        ended = False
        with self._faults(), self._asked(turn, rules) as events:
            for event in events:
                piece, reason = _read(event)
                ended = ended or reason == "stop"
                whole += piece
                # Whether a blank is the last one is known when more comes.
                if len(text := whole.strip()) > len(said):
                    yield text[len(said) :]
                    said = text
        return Answer(said, "end" if ended else "limit")

    def _asked(self, turn: Turn, rules: Rules) -> Any:
        """A chat goes as turns, for the file brings its template along; a plain prompt goes as it is."""
        asked: dict[str, Any] = {
            "model": self._model,
            "stream": True,
            "max_tokens": rules.max_new_tokens,
            "temperature": rules.temperature,
            "top_p": rules.top_p,
            "seed": rules.seed,
            # What a server adds by itself, a student was not examined with.
            "extra_body": {"top_k": rules.top_k, "min_p": 0, "repeat_penalty": rules.repetition_penalty},
        }
        rendering = self._rendering
        if rendering.form == "plain":
            prompt = rendering.prompt_of(None, turn.question, turn.context, turn.earlier)
            return self._client.completions.create(prompt=prompt, **asked)
        if turn.system is not None:
            rendering = rendering.model_copy(update={"system": turn.system})
        turns = rendering.turns(turn.question, turn.context, turn.earlier)
        return self._client.chat.completions.create(messages=turns, **asked)

    def _its_model(self) -> str:
        try:
            with self._faults():
                return next((str(model.id) for model in self._client.models.list()), "")
        except InputError as fault:
            raise UsageError(
                fault.problem, remedy="Start one with: llama-server --model student.gguf --port 8080"
            ) from fault

    @contextmanager
    def _faults(self) -> Iterator[None]:
        import httpx2
        import openai

        try:
            yield
        except openai.APIStatusError as fault:
            raise InputError(f"The server at {self.url} refuses ({fault.status_code}): {_reason(fault)}") from fault
        except (openai.APIConnectionError, httpx2.TransportError) as fault:
            raise InputError(f"The server at {self.url} does not answer: {fault.__cause__ or fault}.") from fault
        except (openai.OpenAIError, JSONDecodeError) as fault:
            raise InputError(f"The server at {self.url} gave no answer: {fault}.") from fault


def _client(url: str) -> Any:
    import openai

    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--server {url}: not an address.", remedy="Write it as http://127.0.0.1:8080.")
    patience = openai.Timeout(SECONDS_WITHOUT_A_WORD, connect=SECONDS_TO_CONNECT)
    return openai.OpenAI(
        base_url=f"{url}/v1",
        api_key=os.environ.get(KEY) or "none",
        max_retries=0,
        # Without the environment no proxy stands between this machine and itself.
        http_client=openai.DefaultHttpxClient(trust_env=False, timeout=patience),
    )


def _read(event: Any) -> tuple[str, str | None]:
    """What an event adds, and why the answer ends with it if it does."""
    if not event.choices:
        return "", None
    (first, *_) = event.choices
    piece = first.text if hasattr(first, "text") else first.delta.content
    return piece or "", first.finish_reason


def _reason(fault: Any) -> str:
    body = fault.body if isinstance(fault.body, dict) else {}
    return str(body.get("message") or fault.message)
