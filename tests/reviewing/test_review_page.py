"""The review page in a real browser: a person judges by keyboard, and the sheet on disk is what was judged."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser import chromium_or_skip, page
from tests.commands import coursework as command
from tests.conftest import ROOT
from tests.victims import make_workspace, outputs


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """A dataset of the embedded teacher, with one sheet of some hundred lines."""
    folder = make_workspace(tmp_path_factory.mktemp("review"))
    coursework(folder, "run", "recipes/tiny.yaml")
    return folder


def coursework(folder: Path, *arguments: str, code: int = 0) -> str:
    done = command(folder, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def address(workspace):
    server = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "review", "recipes/tiny.yaml", "--no-browser"], cwd=workspace,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Where the tests themselves run in the background Ctrl-C is switched off, and that would be handed down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    try:
        first = server.stdout.readline()
        yield re.search(r"http://\S+", first).group()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0


def on_disk(workspace: Path) -> list[dict]:
    lines = (outputs(workspace) / "review" / "0001.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line]


def settled(workspace: Path, count: int) -> list[dict]:
    """The sheet once so many lines are judged: the page is answered before the browser goes on."""
    end = time.monotonic() + 60
    while sum(bool(line["review"]) for line in on_disk(workspace)) < count and time.monotonic() < end:
        time.sleep(0.1)
    return on_disk(workspace)


def until(tab, expression: str) -> None:
    """Asked from here again and again: the page's own policy lets no text be run in it."""
    end = time.monotonic() + 60
    while not tab.evaluate(expression):
        assert time.monotonic() < end, expression
        time.sleep(0.02)


def press(tab, key: str, say: str) -> None:
    """Press a key and wait until the page says that it was written."""
    tab.keyboard.press(key)
    until(tab, f"document.getElementById('notice').textContent.includes({say!r})")
    tab.evaluate("document.getElementById('notice').textContent = ''")


def test_fifty_records_are_judged_by_keyboard_and_one_is_edited(workspace, address):
    before = on_disk(workspace)
    assert len(before) > 60
    with page(viewport={"width": 1200, "height": 800}) as tab:
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("request", lambda request: problems.append(request.url) if "127.0.0.1" not in request.url else None)
        tab.goto(address)
        tab.wait_for_selector("nav li[aria-current=true]")
        first = tab.inner_text("main h1")
        assert first == before[0]["question"]
        expected = []
        for number in range(50):
            key, said = ("d", "drop") if number % 7 == 3 else ("k", "keep")
            press(tab, key, f"review {said}")
            expected.append(said)
        tab.keyboard.press("e")
        tab.fill("textarea[name=answer]", "It is what a person wrote by hand, “with care”.")
        press(tab, "Control+Enter", "answer It is what")
        tab.screenshot(path=str(workspace / "page.png"))
        assert not problems
    after = settled(workspace, 50)
    assert [line["review"] for line in after[:50]] == expected
    assert after[50]["answer"] == "It is what a person wrote by hand, “with care”."
    assert [line | {"review": "", "answer": ""} for line in after] == [
        line | {"review": "", "answer": ""} for line in before
    ]
    assert [line["answer"] for line in after[51:]] == [line["answer"] for line in before[51:]]
    coursework(workspace, "check", "outputs/tiny")


def test_filters_fix_undo_and_the_quote_lit_in_its_passage(workspace, address):
    with page() as tab:
        tab.goto(address)
        tab.wait_for_selector("nav li[aria-current=true]")
        tab.fill("#words", "listen")
        until(tab, "!document.getElementById('count').textContent.includes(' 0 shown')")
        shown = tab.eval_on_selector_all("nav li", "items => items.map(item => item.textContent.toLowerCase())")
        assert shown
        tab.keyboard.press("Escape")
        quote = tab.evaluate("current.line.quote || ''")
        assert " ".join(tab.inner_text("#passage mark").split()) == " ".join(quote.split())
        identity = tab.evaluate("current.line.id")
        tab.keyboard.press("f")
        tab.fill("textarea", "say\\nwhose   pause")
        press(tab, "Control+Enter", "review fix: say")
        fixed = next(line for line in on_disk(workspace) if line["id"] == identity)
        assert fixed["review"] == "fix: say\\nwhose pause"
        tab.select_option("#state", "fix")
        until(tab, f"current && current.line.id === {identity!r}")
        press(tab, "u", "(empty)")
        assert next(line for line in on_disk(workspace) if line["id"] == identity)["review"] == ""


def test_a_line_changed_in_an_editor_meanwhile_is_shown_beside_what_was_wanted(workspace, address):
    path = outputs(workspace) / "review" / "0001.jsonl"
    with page() as tab:
        tab.goto(address)
        tab.wait_for_selector("nav li[aria-current=true]")
        identity, answer = tab.evaluate("[current.line.id, current.line.answer]")
        aside = path.with_suffix(".swp")
        lines = [
            line | {"answer": "From the editor."} if line["id"] == identity else line for line in on_disk(workspace)
        ]
        aside.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        aside.replace(path)
        press(tab, "k", "changed elsewhere")
        assert "From the editor." in tab.inner_text(".conflict")
        tab.click("text=Write mine into it")
        until(tab, "document.getElementById('notice').textContent.includes('review keep')")
    after = next(line for line in on_disk(workspace) if line["id"] == identity)
    assert (after["review"], after["answer"]) == ("keep", "From the editor.") and answer != "From the editor."


REFUSED = (
    ({"token": "wrong"}, 404),
    ({"headers": {"Host": "evil.example"}}, 421),
    ({"headers": {"Origin": "http://evil.example"}}, 403),
    ({"headers": {"Content-Type": "text/plain"}}, 404),
    ({"body": b"{"}, 400),
    ({"body": b'{"sheet": "../ledger", "id": "x", "mark": "y", "changes": {"review": "keep"}}'}, 400),
    ({"body": b'{"sheet": "0001.jsonl", "id": "x", "mark": "y", "changes": {"id": "z"}}'}, 400),
    ({"body": b'{"sheet": "0001.jsonl", "id": "x", "mark": "y", "changes": {"answer": " "}}'}, 400),
    ({"body": b'{"sheet": "0001.jsonl", "id": "x", "mark": "y", "changes": {"review": "maybe"}}'}, 400),
    ({}, 410),
)
"""What is asked otherwise than the page asks, and the status that answers it."""


def test_whoever_has_not_the_secret_or_asks_for_what_is_not_theirs_is_refused(workspace, address):
    before = (outputs(workspace) / "review" / "0001.jsonl").read_bytes()
    assert [(change, answered(address, change)) for change, _ in REFUSED] == list(REFUSED)
    assert (outputs(workspace) / "review" / "0001.jsonl").read_bytes() == before


def answered(address: str, change: dict) -> int:
    """The status of the answer to a change of a line that is wrong in this."""
    place = urlsplit(address)
    asked = {"body": b'{"sheet": "0001.jsonl", "id": "x", "mark": "y", "changes": {"review": "keep"}}'} | change
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    headers = {"Content-Type": "application/json"} | asked.get("headers", {})
    path = f"/{asked['token']}/line" if "token" in asked else f"{place.path}line"
    connection.request("POST", path, asked["body"], headers)
    return connection.getresponse().status


def test_what_was_judged_on_the_page_is_what_the_next_run_goes_by(workspace):
    chromium_or_skip()  # whoever has none has judged nothing above
    judged = on_disk(workspace)
    coursework(workspace, "run", "recipes/tiny.yaml")
    rows = [json.loads(line) for file in (outputs(workspace) / "dataset").glob("*.jsonl")
            for line in file.read_text(encoding="utf-8").split("\n") if line]  # fmt: skip
    by_id = {row["id"]: row for row in rows}
    assert not [line["id"] for line in judged if line["review"] == "drop" and line["id"] in by_id]
    edited = [line["id"] for line in judged if line["answer"] == "From the editor."]
    assert all(by_id[name]["edited"] for name in edited if name in by_id) and edited
