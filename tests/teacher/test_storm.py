"""Through a storm of faults every record comes, and no good reply is bought twice."""

from __future__ import annotations

import json

from pipeline.asking import Allowance, Asking
from pipeline.draft.documents import DocumentDrafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.history import History
from pipeline.recipe import Budget as Caps
from pipeline.records import Draft, Passage
from pipeline.teacher.budget import Budget
from pipeline.teacher.endpoint import Address, open_endpoint
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import Pool, Terms
from pipeline.teacher.prices import Price
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import RehearsingApart
from tests.conftest import ROOT

FREE = Price(0.0, 0.0)


def passage(number: int) -> Passage:
    text = f"{number}. The keeper winds the clock every Sunday."
    return Passage(
        id=f"p{number}", document="d", document_sha256="0", start=0, end=len(text), pages=((0, 1),), text=text
    )


def drafted(settings: Rehearsal, folder, count: int, in_flight: int = 32):
    """Drafts and rejections of `count` passages from a rehearsal, and what that counted."""
    prompt = Prompt(ROOT / "prompts" / "document_questions.jinja")
    passages = [passage(number) for number in range(count)]
    with RehearsingApart(settings) as server, Ledger(folder) as ledger:
        drafting = DocumentDrafter(passages, 5, 1, prompt, Manner("rehearsal", 0.7, 8192))
        endpoint = open_endpoint(Address("rehearsal", server.url, "none"))
        pool = Pool(endpoint, ledger, Budget(Caps(), FREE, ledger), FREE, Terms(in_flight=in_flight))
        allowance = Allowance.open(Caps(), None, ledger)
        Asking([drafting], History(ledger, False), lambda *counts: None, allowance).run(pool, ledger)
        return list(drafting.drafts(ledger.get)), server.counts()


def facts_by_passage(items) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in items:
        assert isinstance(item, Draft), item
        found.setdefault(item.passage, set()).add(item.quote)
    return found


def test_through_a_storm_every_record_comes_and_no_good_reply_is_bought_twice(tmp_path):
    storm = Rehearsal(
        fixed=True, latency=0.05, too_many=0.10, error_500=0.05, truncated=0.03, hang_before=0.02, reset=0.01
    )
    items, counts = drafted(storm, tmp_path, 150)
    found = facts_by_passage(items)
    assert len(found) == 150
    assert all(len(facts) == 5 for facts in found.values())
    assert counts["bought_twice"] == 0
    assert {"too_many", "error_500", "truncated", "hang_before", "reset"} <= set(counts["outcomes"]), json.dumps(counts)


def test_replies_in_fences_behind_reasoning_and_prefaces_are_read(tmp_path):
    wrapped = Rehearsal(fixed=True, fences=0.3, think=0.3, preface=0.3)
    items, counts = drafted(wrapped, tmp_path, 60)
    assert all(len(facts) == 5 for facts in facts_by_passage(items).values())
    assert counts["requests"] == 60


def test_of_replies_cut_at_the_limit_only_the_rest_is_asked_for(tmp_path):
    items, counts = drafted(Rehearsal(fixed=True, length_stop=0.2), tmp_path, 60)
    found = facts_by_passage([item for item in items if isinstance(item, Draft)])
    assert len(found) == 60
    assert counts["requests"] > 60
    assert counts["bought_twice"] == 0
