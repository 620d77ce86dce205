"""The report is one page that asks no other for anything, and shows what others wrote as text and never as markup."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime

from lxml import html

from pipeline.funnel import Funnel
from pipeline.report.page import page
from pipeline.runlog.facts import Cost, End, Facts
from pipeline.runlog.shown import Cluster, Pages, Pair, Sample, Shown, Silent
from pipeline.teacher.spending import Charge, Spending

HOSTILE = "<script>alert('1')</script> & \"quotes\" {{ 7 * 7 }} \u202eevil"


def funnel(train: int = 40) -> Funnel:
    return Funnel(
        planned=10, answered=9, bought=4, drafts=50, rejections=Counter({"near_duplicate": 4, "cut_answer": 2}),
        published={"train": train, "rephrased": 4, "withheld": 0}, flags=Counter({"similar_question": 3}),
    )  # fmt: skip


def facts(**changes) -> Facts:
    spent = Charge(requests=9, tokens=1200, usd=0.42)
    values = dict(
        run="2026-11-29T02-30-00Z", recipe="tiny", path="recipes/tiny.yaml", folder="outputs/tiny", teacher=HOSTILE,
        began=datetime(2026, 11, 29, 2, 30, tzinfo=UTC), seconds=61.5, end=End(code=0, cause="done"), funnel=funnel(),
        cost=Cost(replies=spent, lost=Charge(), account=Spending(replies=spent, today=spent)),
        budget={"run": {"usd": 2.0}, "day": {"tokens": 5000}}, awaiting={"0001.jsonl": 44}, said=[HOSTILE],
        versions={"coursework": "1"},
    )  # fmt: skip
    return Facts(**(values | changes))


def sample(name: str) -> Sample:
    return Sample(id=name, kind="document", question=HOSTILE, answer="A pause.", quote=HOSTILE, source="a.pdf", page=3,
                  flags=("similar_question:x",), score=0.4)  # fmt: skip


SHOWN = Shown(
    records=44, by_kind={"document": 44}, question_words={5: 20, 9: 20, 40: 4}, answer_words={3: 44},
    documents=(Pages(document=HOSTILE, records=44, by_page={1: 44, 2: 0}),), silent_in_all=1, passages=5,
    silent=(Silent(document="a.pdf", page=2, heading="On pauses", beginning=HOSTILE),),
    random=(sample("r1"),), doubtful=(sample("r2"),), pairs_in_all=3,
    pairs=(Pair(earlier=sample("r3"), later=sample("r4"), alike=93.5),),
    similar=(Cluster(questions=(HOSTILE, "b", "c"), size=3),), repeated=(Cluster(questions=("d",), size=4),),
    question_openings={"what is the": 9}, remarks=("in voice 12 answers",),
)  # fmt: skip


def shown(one: Facts, previous: Facts | None = None, what: Shown = SHOWN) -> html.HtmlElement:
    return html.fromstring(page(one, previous, what, "coursework run recipes/tiny.yaml"))


def text(element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_what_others_wrote_is_shown_as_text():
    found = shown(facts())
    assert not found.xpath("//script") and not found.xpath("//*[@onload or @onerror or @onclick]")
    assert text(found).count("<script>alert('1')</script>") >= 6 and "{{ 7 * 7 }}" in text(found)


def test_the_page_asks_no_other_for_anything():
    drawn = page(facts(), None, SHOWN, "x")
    assert "default-src 'none'" in drawn
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#)", drawn) and "@import" not in drawn and "url(" not in drawn


def test_funnel_cost_pages_and_silence_are_all_there():
    said = text(shown(facts()))
    for part in ("drafts 50 6 rejected, 44 records", "44 lines await", "0.42 USD", "this run, usd", "On pauses",
                 "93.5", "3 similar questions", "in voice 12 answers", "page 3", "similar_question"):  # fmt: skip
        assert part in said, part
    assert len(shown(facts()).xpath("//meter")) == 2
    assert [one.get("class") for one in shown(facts()).xpath("//*[@class='pages']/span")] == [None, "none"]


def test_what_changed_since_the_last_run_is_told_and_nothing_else():
    rows = shown(facts(), facts(funnel=funnel(train=35))).xpath("//table[.//th='before']//tr[td]")
    assert [text(row) for row in rows] == ["rows: train 35 40 +5"]
    assert "Nothing has changed." in text(shown(facts(), facts()))
    assert "Since the run" not in text(shown(facts()))


def test_a_run_that_failed_says_why_and_a_bare_one_still_makes_a_page():
    failed = facts(end=End(code=75, cause="budget", problem="The budget of day is used up.", remedy="Run it tomorrow."))
    assert "Ended with exit code 75: budget. The budget of day is used up. Run it tomorrow." in text(shown(failed))
    bare = facts(funnel=None, cost=None, budget={}, said=[], awaiting={}, teacher="")
    assert "none was asked" in text(shown(bare, None, Shown()))
