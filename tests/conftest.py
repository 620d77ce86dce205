"""No test reaches beyond this machine: sockets are shut but to loopback."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# Before any library reads them: nothing is fetched, nothing is reported home.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
# Several test processes share the cores: more threads in each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(name, None)


# Its 200 ms for an example are a race with whatever else the machine does.
settings.register_profile("no_race", deadline=None)
settings.load_profile("no_race")


@pytest.fixture(autouse=True, scope="session")
def only_loopback():
    """Any connection elsewhere is an error, whoever makes it."""
    real = socket.socket.connect

    def connect(self, address):
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for {address}")
        return real(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture
def shared():
    """Material outside the repository; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED
