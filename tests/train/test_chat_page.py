"""The chat page in a real browser and over plain HTTP: what a visitor sees, and what a visitor cannot do."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError, UsageError
from tests.browser import page
from tests.conftest import ROOT
from tests.train.made_up_course import REFUSAL, course_rows
from tests.train.talking import Scripted, chat_of
from train.chat.hearing import BYTES
from train.chat.retrieval import Document
from train.chat.serving import address_of, need_gradio, open_door, uploads_for_a_while
from train.chat.turns import Chat, Turn
from train.generation import Generation
from train.taught import Taught

pytest.importorskip("gradio", reason="the chat page needs coursework[chat]")
pytest.importorskip("bm25s", reason="the chat page needs coursework[chat]")

KETTLE = Document(text="The kettle holds <b>one</b> litre.", source="manual.pdf", page=3)
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def serving(chat: Chat, hear: Callable[[Path], str] | None = None, beside: bool = False) -> Iterator[str]:
    """The page in a thread of this process, as `coursework chat` serves it."""
    import uvicorn

    from train.chat.page import build_page
    from train.chat.serving import application

    need_gradio()
    with open_door(0) as door, uploads_for_a_while():
        app = application(build_page(chat, hear, beside))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        try:
            yield address_of(door)
        finally:
            server.should_exit = True
            thread.join(30)


def fetched(address: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, bytes, Any]:
    door = http.client.HTTPConnection("127.0.0.1", int(address.rsplit(":", 1)[1].strip("/")), timeout=60)
    door.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = door.getresponse()
    return reply.status, reply.read(), reply.headers


def parrot(turn: Turn, rules: Generation) -> Sequence[str]:
    if turn.question == "crash":
        raise ZeroDivisionError("secret place /home/somebody")
    if turn.question == "refuse":
        raise InputError("There is no room.")
    if turn.question == "long":
        return ["and on "] * 400
    if turn.question == "attack":
        return ['<img src="http://192.0.2.1/a.png" onerror="document.title=1">', " ![b](http://192.0.2.1/b.png)"]
    return [f"{rules.decoding} {rules.temperature:g}: ", turn.question]


class Watched:
    """A tab that remembers every address beyond this machine and every fault of its scripts."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab = tab
        self.faults: list[str] = []
        tab.on("request", lambda asked: self._note(asked.url))
        tab.on("pageerror", lambda fault: self.faults.append(str(fault)))
        tab.goto(address)
        tab.wait_for_selector("#question textarea")

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.faults.append(url)

    def ask(self, question: str) -> None:
        self.tab.locator("#question textarea").fill(question)
        self.tab.locator("#question textarea").press("Enter")

    def see(self, text: str, where: str = "#student") -> None:
        self.tab.locator(where).get_by_text(text).last.wait_for()


@pytest.fixture
def tab() -> Iterator[Any]:
    with page(viewport={"width": 1200, "height": 900}, args=MICROPHONE, permissions=["microphone"]) as found:
        yield found


def test_a_visitor_asks_sees_the_base_beside_draws_and_stops(tab: Any) -> None:
    student = Scripted(parrot, pause=0.02)
    base = Scripted(lambda turn, rules: ["Blah."])
    taught = Taught(documents=(KETTLE,), examples=("Which example?",), imitates=("Ada Lovelace",))
    with serving(chat_of(student, base, taught)) as address:
        watched = Watched(tab, address)
        assert tab.get_by_text("each stands alone").is_visible()
        assert tab.get_by_text("It imitates the voice of Ada Lovelace").is_visible()
        tab.get_by_text("Which example?").click()
        tab.wait_for_function("document.querySelector('#question textarea').value === 'Which example?'")
        watched.ask("Hello there")
        watched.see("greedy 0: Hello there")
        assert tab.locator("#question textarea").input_value() == ""
        assert not tab.locator("#base").is_visible()

        tab.locator("#beside input").click()
        tab.get_by_label("creative").click()
        tab.wait_for_function("document.querySelector('#temperature input[type=number]').value === '1'")
        tab.locator("#lookup input").click()
        watched.ask("What does the kettle hold?")
        watched.see("creative 1: What does the kettle hold?")
        watched.see("Blah.", "#base")
        watched.see("manual.pdf, page 3")
        tab.locator("#student").get_by_text("manual.pdf, page 3").click()
        watched.see("The kettle holds <b>one</b> litre.")
        assert student.turns[-1].documents == (KETTLE,)

        for number in range(3):  # what is asked at once after a stop was once taken and never answered
            watched.ask("long")
            watched.see("and on and on")
            tab.locator("#question button.stop-button, #question .stop-button").first.click()
            tab.wait_for_function("!document.querySelector('#question .stop-button')")
            watched.ask(f"Again {number}")
            watched.see(f"creative 1: Again {number}")
        watched.see("and on and on")
        assert student.closed == len(student.turns)

        tab.get_by_role("button", name="New chat").click()
        tab.wait_for_function("!document.querySelector('#student').innerText.includes('Again')")
    assert watched.faults == []


def test_an_answer_is_text_whatever_it_says_and_a_fault_shows_no_traceback(tab: Any) -> None:
    with serving(chat_of(Scripted(parrot))) as address:
        watched = Watched(tab, address)
        assert not tab.locator("#beside").is_visible()
        watched.ask("attack")
        watched.see("![b](http://192.0.2.1/b.png)")
        assert tab.locator("#student img[src^='http://192']").count() == 0
        watched.ask("refuse")
        watched.see("There is no room.")
        watched.ask("crash")
        watched.see("Something went wrong here")
        assert "somebody" not in tab.content()
        watched.ask("after all")
        watched.see("greedy 0: after all")
    assert watched.faults == []


def test_a_spoken_question_is_heard_and_no_sound_is_kept(tab: Any) -> None:
    sounds: list[Path] = []

    def hear(sound: Path) -> str:
        sounds.append(sound)
        if len(sounds) == 2:
            raise InputError("That was no speech.")
        return f"{sound.read_bytes()[:4].decode()} of a beep"

    with serving(chat_of(Scripted(parrot)), hear) as address:
        watched = Watched(tab, address)
        tab.get_by_text("Speak").click()
        for _ in range(2):
            tab.get_by_role("button", name="Record", exact=True).click()
            tab.wait_for_timeout(700)
            tab.get_by_role("button", name="Stop", exact=True).first.click()
            until(lambda: len(sounds) > _)
        tab.get_by_text("That was no speech.").wait_for()
        assert tab.locator("#question textarea").input_value() == "RIFF of a beep"
        assert not any(sound.exists() for sound in sounds)
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        assert [found for found in folder.rglob("*") if found.is_file()] == []
    assert not folder.exists()
    assert watched.faults == []


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(chat_of(Scripted(parrot))) as found:
        yield found


def test_only_this_machine_reaches_the_page_and_no_other_page_does(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")
    status, body, headers = fetched(address, "/")
    assert status == 200
    assert b"fonts.googleapis" not in body
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert fetched(address, "/", Host="evil.example")[0] == 403
    assert fetched(address, "/config", Origin="http://evil.example")[0] == 403
    assert fetched(address, "/config", Origin="null")[0] == 403
    assert fetched(address, "/config", Origin=address.rstrip("/"))[0] == 200


def test_nothing_of_this_machine_can_be_read_and_no_other_one_asked(address: str) -> None:
    for path in ("/etc/passwd", str(ROOT / "pyproject.toml"), "../../../etc/passwd"):
        assert fetched(address, f"/gradio_api/file={path}")[0] in (403, 404)
    assert fetched(address, "/gradio_api/proxy=http://127.0.0.1:1/")[0] >= 400
    for path in ("/docs", "/openapi.json", "/monitoring", "/gradio_api/mcp"):
        assert fetched(address, path)[0] >= 400
    assert json.loads(fetched(address, "/gradio_api/info")[1]) == {"named_endpoints": {}, "unnamed_endpoints": {}}


def test_an_upload_over_the_limit_is_refused(address: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
    kind = "multipart/form-data; boundary=x"
    sent = {size: head + bytes(size) + b"\r\n--x--\r\n" for size in (1000, BYTES + 1000)}
    replies = {
        size: fetched(address, "/gradio_api/upload", "POST", body, Content_Type=kind)[0] for size, body in sent.items()
    }
    assert replies == {1000: 200, BYTES + 1000: 413}


def test_settings_of_gradio_in_the_environment_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_SERVER_NAME"):
        monkeypatch.setenv(name, "/")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    need_gradio()
    assert {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")} == {
        "GRADIO_ANALYTICS_ENABLED": "False"
    }


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="--port"):
            open_door(other.getsockname()[1])


@pytest.mark.slow
def test_the_verb_serves_a_trained_student_until_ctrl_c(trained: Path, tab: Any) -> None:
    rows = course_rows(concepts=3)["train"]
    taught = next(row for row in rows if not row.refusal)
    server = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "chat", str(trained), "--no-browser", "--port", "0", "--base"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=trained, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Where the tests themselves run in the background Ctrl-C is switched off, and that would be handed down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        watched = Watched(tab, found.group())
        watched.ask(taught.question)
        watched.see(taught.answer)
        watched.see("cut off after", "#base")
        watched.ask(next(row.question for row in rows if row.refusal))
        watched.see(REFUSAL)
        assert watched.faults == []
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0
    assert said == "It ends with Ctrl-C. Only this machine reaches it.\n"
