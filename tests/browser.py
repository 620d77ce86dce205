"""A real Chromium, as Debian has it, for tests of what a person sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest


def chromium_or_skip() -> str:
    """Where it is; whoever has none skips."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or pytest.skip("no Chromium is installed (apt-get install chromium)")


@contextmanager
def page(args: Sequence[str] = (), **context) -> Iterator:
    """A page of a headless browser, started with some more `args`; whoever has none skips."""
    chromium = chromium_or_skip()
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *args])
        try:
            found = browser.new_context(**context).new_page()
            found.set_default_timeout(60_000)
            yield found
        finally:
            browser.close()
