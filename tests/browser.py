"""A real Chromium, as Debian has it, for tests of what a person sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest


@contextmanager
def page(args: Sequence[str] = (), **context) -> Iterator:
    """A page of a headless browser, started with some more `args`; whoever has none skips."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *args])
        try:
            found = browser.new_context(**context).new_page()
            found.set_default_timeout(60_000)
            yield found
        finally:
            browser.close()
