"""A server that speaks OpenAI's protocol, as the training stage asks it: a file of a student, or a judge."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.errors import KeyRefused, TeacherError

SECONDS = 300.0
"""For one answer; a judge that thinks takes minutes."""
Reply = TypeVar("Reply")


class Endpoint:
    """One server and model. The key comes from OPENAI_API_KEY; a server of one's own needs none."""

    def __init__(self, url: str | None, model: str) -> None:
        from openai import OpenAI

        self.model = model
        self._url = url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = OpenAI(base_url=self._url, api_key=key, timeout=SECONDS, max_retries=4)

    def complete(self, prompt: str, max_tokens: int) -> str:
        """The greedy continuation of a plain prompt, up to where the server stops."""
        reply = self._asked(
            lambda: self._client.completions.create(
                model=self.model, prompt=prompt, max_tokens=max_tokens, temperature=0.0
            )
        )
        return str(reply.choices[0].text).strip()

    def reply(self, system: str, user: str) -> str:
        """One turn of chat, at temperature 0 where the model lets itself be told."""
        import openai

        messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": user}]

        def ask() -> Any:
            create = self._client.chat.completions.create
            try:
                return create(model=self.model, messages=messages, temperature=0.0)
            except openai.BadRequestError as fault:
                if "temperature" not in str(fault):
                    raise
                return create(model=self.model, messages=messages)

        return str(self._asked(ask).choices[0].message.content or "")

    def _asked(self, ask: Callable[[], Reply]) -> Reply:
        """Asked again by the client where a server is busy; what is left is told as one line."""
        import openai

        try:
            return ask()
        except (openai.AuthenticationError, openai.PermissionDeniedError) as fault:
            raise KeyRefused(
                f"{self._url} refuses the key: {str(fault).rstrip('.')}.", remedy="Set OPENAI_API_KEY."
            ) from fault
        except openai.OpenAIError as fault:
            raise TeacherError(
                f"{self._url} does not answer as {self.model}: {str(fault).rstrip('.')}.",
                remedy="Check the address and the server.",
            ) from fault
