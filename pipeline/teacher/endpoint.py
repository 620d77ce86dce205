"""The door to the teacher: one request in, one raw reply out, or a fault that says whether to ask again."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from pipeline.errors import RecipeError
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.speech import Speech

OPENAI_URL = "https://api.openai.com/v1"
_SECRET = re.compile(r"key|token|secret|sig|code|pass", re.IGNORECASE)
_DEPLOYMENT = re.compile(r"/deployments/[^/]+/?$")


class Endpoint(Protocol):
    """Whatever answers chat-completion requests."""

    name: str
    """What a person is told the teacher is."""
    speech: Speech
    """What it was found to understand so far."""

    async def send(self, request: Request) -> Reply:
        """Raises TryFailed, RequestRejected, or TeacherError where no request can succeed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True)
class Address:
    """Where the teacher is and how to speak to it. An empty `base_url` means the embedded teacher."""

    model: str
    base_url: str
    key: str

    @property
    def embedded(self) -> bool:
        """No server is meant."""
        return not self.base_url

    @property
    def local(self) -> bool:
        """The server is on this machine or in a private network, so nobody sends a bill."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ip_address(host).is_private
        except ValueError:
            return host == "localhost" or host.endswith(".local")

    @property
    def name(self) -> str:
        """Model and server, for a person and for what is remembered of the endpoint."""
        if self.embedded:
            return "the embedded teacher (rules, not a language model)"
        return f"{self.model} at {self.place}"

    @property
    def place(self) -> str:
        """The base URL without what nobody else may read: some people write a password or a key into it."""
        parts = urlsplit(self.base_url)
        query = "&".join(
            f"{name}=[key]" if _SECRET.search(name) else f"{name}{is_}{value}"
            for name, is_, value in (part.partition("=") for part in parts.query.split("&"))
        )
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))

    @property
    def completions_url(self) -> str:
        """Where completions are asked for; a query such as Azure's api-version stays."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions"))

    @property
    def azure(self) -> bool:
        """It is Azure OpenAI, which differs from the protocol in a few places."""
        return (urlsplit(self.base_url).hostname or "").endswith(".azure.com")

    @property
    def batches_url(self) -> str:
        """Root of the file and batch calls; Azure has them beside its deployments, not in one."""
        parts = urlsplit(self.base_url)
        path = _DEPLOYMENT.sub("", parts.path) if self.azure else parts.path
        return urlunsplit(parts._replace(path=path.rstrip("/")))

    @property
    def batched_path(self) -> str:
        """What the requests of a batch are addressed to."""
        return "/chat/completions" if self.azure else "/v1/chat/completions"

    @property
    def headers(self) -> dict[str, str]:
        """Who is asking. Azure OpenAI wants the key under a name of its own."""
        return {"api-key": self.key} if self.azure else {"Authorization": f"Bearer {self.key}"}

    def redacted(self, text: str) -> str:
        """The text without the key; some servers quote the one they refuse."""
        return text.replace(self.key, "[key]") if len(self.key) > 4 else text

    def redacted_bytes(self, line: bytes) -> bytes:
        """As `redacted`, of what came over the wire."""
        return line.replace(self.key.encode(), b"[key]") if len(self.key) > 4 else line


def find_teacher(model: str, base_url: str, environment: Mapping[str, str]) -> Address:
    """Which teacher the recipe and the environment mean: a real endpoint, or the embedded stand-in.

    With neither key nor base URL it is the embedded one, unless a model is named: then the person
    expects a real teacher, and rule-made text in its place would be a silent failure. Raises RecipeError.
    """
    key = environment.get("OPENAI_API_KEY", "").strip()
    url = base_url or environment.get("OPENAI_BASE_URL", "").strip()
    if not key and not url:
        if model:
            raise RecipeError(
                f"teacher.model is {model!r}, but there is neither OPENAI_API_KEY nor a base_url.",
                remedy="Set the key (or OPENAI_BASE_URL for a server of your own), or leave the model empty for the"
                " embedded teacher.",
            )
        from pipeline.teacher.embedded import MODEL

        return Address(MODEL, "", "")
    if not model:
        raise RecipeError(
            f"a teacher is set ({url or 'OPENAI_API_KEY'}), but no model is named.",
            remedy="Name it as teacher.model in the recipe or with --model.",
        )
    return Address(model, url or OPENAI_URL, key or "none")


def open_endpoint(address: Address, remembered: str | None = None) -> Endpoint:
    """The endpoint at an address; nothing is sent yet. `remembered` is what it was found to understand before."""
    if address.embedded:
        from pipeline.teacher.embedded import EmbeddedTeacher

        return EmbeddedTeacher()
    from pipeline.teacher.http import HttpEndpoint

    return HttpEndpoint(address, Speech.read(remembered) if remembered else None)


def environment() -> Mapping[str, str]:
    """The environment variables of this process: the one place where secrets are read."""
    return os.environ
