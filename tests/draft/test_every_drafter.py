"""Every drafter of the registry, by the sample that shows it: offline, again, without reply formats, and spoilt."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import import_module
from itertools import chain

import pytest

from pipeline.errors import TryAgainLater
from pipeline.kinds import DRAFTERS
from pipeline.run import Outcome
from pipeline.teacher.embedded import complete
from pipeline.teacher.rehearsal import Rehearsal
from pipeline.teacher.rehearsal.running import Rehearsing
from pipeline.teacher.speech import Speech
from tests.draft.drafters_page import PAGE, settings_of
from tests.draft.samples_of_drafters import SAMPLES, Workspace

NAMES = sorted(set(SAMPLES) & set(DRAFTERS))


def test_every_drafter_of_the_registry_has_a_sample():
    assert set(SAMPLES) == set(DRAFTERS), "add a sample of the drafter to tests/draft/samples_of_drafters.py"


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """Runs the sample of a drafter with the embedded teacher, once for all tests of this file."""

    @cache
    def run(name: str) -> tuple[Workspace, Outcome]:
        workspace = Workspace.of(name, tmp_path_factory.mktemp(name))
        return workspace, workspace.run()

    return run


def own_ends(workspace: Workspace, model: str = ""):
    """Records and rejections that the drafter itself brought."""
    with workspace.history(model) as (drafters, history):
        own = {item.request for drafter in workspace.own(drafters) for item in drafter.drafts(history.told)}
    records, rejections = workspace.ends()
    return [one for one in records if one.request in own], [one for one in rejections if one.request in own]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_offline_and_what_it_drafts_passes_the_checks(name, drafted):
    workspace, outcome = drafted(name)
    records, rejections = own_ends(workspace)
    assert {record.kind for record in records} == SAMPLES[name].gives
    assert {one.cause for one in rejections} <= SAMPLES[name].loses, rejections
    assert outcome.funnel.adds_up
    assert not [line for line in workspace.said if "does not add up" in line]


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_asks_nothing_and_changes_nothing(name, drafted):
    workspace, first = drafted(name)
    again = workspace.run()
    assert (again.funnel.bought, again.changed) == (0, False)
    assert again.funnel.planned == again.funnel.answered == first.funnel.planned


@pytest.mark.parametrize("name", NAMES)
def test_an_endpoint_that_knows_no_reply_formats_is_told_all_in_the_prompt(name, drafted):
    workspace, _ = drafted(name)
    with workspace.history() as (drafters, history):
        requests = list(chain.from_iterable(history.plan(workspace.own(drafters))))
    assert requests
    for request in requests:
        body = json.loads(Speech().body(request))
        plain = {name: value for name, value in body.items() if name != "response_format"}
        replied = [complete(one)["choices"][0]["message"]["content"] for one in (body, plain)]
        assert json.loads(replied[0]).keys() == json.loads(replied[1]).keys(), request.kind


SPOILT = Rehearsal(
    truncated=0.1, length_stop=0.1, fences=0.1, preface=0.1, think=0.05, wrong_schema=0.05, empty=0.05, refusal=0.02,
    duplicate=0.05, too_many=0.1, error_500=0.05, retry_after=0.01,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_of_spoilt_replies_no_draft_is_lost_without_a_cause(name, tmp_path, monkeypatch):
    workspace = Workspace.of(name, tmp_path)
    with Rehearsing(SPOILT) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for _ in range(5):
            try:
                outcome = workspace.run(model="m")
                break
            except TryAgainLater:
                continue
        assert outcome.funnel.adds_up
        asked = server.counts()["requests"]
        assert workspace.run(model="m").funnel.bought == 0
        assert server.counts()["requests"] == asked
    records, rejections = workspace.ends()
    assert all(one.cause and one.detail and one.kind for one in rejections)
    ended = {one.request for one in (*records, *rejections)}
    with workspace.history("m") as (drafters, history):
        planned = list(chain.from_iterable(history.plan(drafters)))
        followed = {request.subject.rpartition(":rest")[0] for request in planned if ":rest" in request.subject}
        drafting = {item.request for drafter in drafters for item in drafter.drafts(history.told)}
    silent = [one for one in planned if one.key not in ended and one.subject not in followed and one.key in drafting]
    assert not silent


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_stand_on_the_page_with_a_record_of_each_kind(name):
    """What is said of a setting is said once, in the code; `make docs` writes the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    assert settings_of(name) in page, "run `make docs`"
    part = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)\n```", part, re.DOTALL)]
    assert {one["kind"] for one in examples} == SAMPLES[name].gives, "run `make docs`"
    assert all(field.description for field in import_module(DRAFTERS[name].home).Settings.model_fields.values())
