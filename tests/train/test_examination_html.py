"""The examination's page in a browser: it filters, it asks nobody for anything, and what a model says stays text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import browser
from tests.train.made_up_course import course_rows
from tests.train.test_examination_findings import examined
from train.dataset import read_dataset
from train.examination.asking import Heard
from train.examination.findings import example, judge
from train.examination.html import html
from train.examination.record import Wanted
from train.examination.slices import questions_of
from train.generation import Answer

EVIL = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">\x1b[2J"


@pytest.fixture
def drawn(dataset: Path, tmp_path: Path) -> Path:
    """A page on which the base says what a page must not run, and the student refuses everything."""
    data = read_dataset(dataset)
    refusal = data.manifest.refusals[0]
    found = examined(data, lambda row: EVIL, lambda row: refusal)
    questions = questions_of(data, Wanted())
    count = sum(map(len, questions.values()))
    said = {"base": [Answer(EVIL, "limit")] * count, "student": [Answer(refusal, "end")] * count}
    asked = judge(data, questions, {side: Heard(answers, {}, None) for side, answers in said.items()})  # type: ignore[misc]
    path = tmp_path / "examination.html"
    path.write_text(html(found, [example(one) for one in asked], {}), encoding="utf-8")
    return path


def test_the_page_names_no_other_place(drawn: Path) -> None:
    text = drawn.read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", text)
    assert text.count("<svg ") >= 4
    assert "\x1b" not in text


def test_answers_are_filtered_by_slice_and_by_right_or_wrong(drawn: Path) -> None:
    rows = course_rows(concepts=3)
    with browser.page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(drawn.as_uri())
        total = sum(map(len, rows.values()))
        assert page.locator(".told").text_content().startswith(f"100 of {total} shown")
        page.select_option("select[name=slice]", "off_topic")
        page.select_option("select[name=student]", "right")
        assert page.locator("article.answer:visible").count() == len(rows["off_topic"])
        page.select_option("select[name=student]", "wrong")
        assert page.locator("article.answer:visible").count() == 0
        page.select_option("select[name=slice]", "rephrased")
        page.select_option("select[name=tag]", "refused")
        assert page.locator("article.answer:visible").count() == len(rows["rephrased"])
        page.fill("input[name=words]", rows["rephrased"][0].question)
        assert page.locator("article.answer:visible").count() == 1
        page.click("button[type=reset]")
        page.wait_for_function(f"document.querySelector('.told').textContent.startsWith('100 of {total}')")
        page.click("button.more")
        assert page.locator("article.answer:visible").count() == min(200, total)
        assert page.title() == "Examination of told"
        assert asked == [drawn.as_uri()]


def test_on_a_phone_nothing_sticks_out(drawn: Path) -> None:
    with browser.page(viewport={"width": 360, "height": 800}) as page:
        page.goto(drawn.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 360
