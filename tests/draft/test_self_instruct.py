"""Tasks grow round by round from seeds, by a draw that never changes under a teacher's late reply."""

from __future__ import annotations

import json

import pytest

from pipeline.draft.self_instruct import CHOICES, InstructDrafter, Settings, build, read_seeds
from pipeline.errors import InputError
from pipeline.records import Draft, Record, Rejection
from tests.conftest import ROOT
from tests.draft.test_math import embedded, ground, reply

SETTINGS = Settings(seeds="seed_tasks.jsonl", requests=6, tasks=6)


def drafter(**more) -> InstructDrafter:
    (found,) = build(SETTINGS, ground(ROOT / "samples").__class__(**(vars(ground(ROOT / "samples")) | more)))
    return found


def accepted(number: int) -> Record:
    return Record(
        id=f"r{number}", kind="self_instruct", question=f"Do task {number}.", answer="Done.", source="open",
        fact=f"f{number}", model="m", prompt="p", request="r",
    )  # fmt: skip


def asked(one: InstructDrafter) -> list:
    return list(one.requests(0, lambda key: None))


def test_the_embedded_teachers_tasks_are_read_with_their_inputs_and_labels():
    one = drafter()
    requests = asked(one)
    replies = {request.key: embedded(request) for request in requests}
    drafts = list(one.drafts(replies.get))
    assert all(isinstance(draft, Draft) for draft in drafts)
    chosen = [draft for draft in drafts if draft.field == "classification"]
    assert chosen and all(draft.answer in draft.labels and draft.context for draft in chosen)
    assert any(draft.field == "open" and not draft.context for draft in drafts)
    assert 0 < sum(request.kind == CHOICES for request in requests) < len(requests)


def test_later_rounds_show_some_tasks_of_earlier_ones_and_more_records_change_few_requests():
    first = drafter(round=2, records=[accepted(number) for number in range(40)])
    shown = [sum("Do task" in line for line in request.user.splitlines()) for request in asked(first)]
    assert shown == [2] * 6
    assert not any("Do task" in request.user for request in asked(drafter()))
    more = drafter(round=2, records=[accepted(number) for number in range(42)])
    same = {request.key for request in asked(first)} & {request.key for request in asked(more)}
    assert len(same) >= 3


def test_what_teachers_write_for_no_input_is_no_input_and_a_task_without_output_is_a_rejection():
    one = drafter()
    request = next(request for request in asked(one) if request.kind != CHOICES)
    tasks = [{"instruction": "Tell a joke.", "input": "<noinput>", "output": "No."}, {"instruction": "x", "output": ""}]
    good, bad = one.drafts({request.key: reply(request, {"tasks": tasks})}.get)
    assert isinstance(good, Draft) and good.context == ""
    assert isinstance(bad, Rejection) and bad.cause == "wrong_shape"


@pytest.mark.parametrize("line", ['{"instruction": "Do it."}', "{", '{"instruction": "Do it.", "instances": []}'])
def test_a_line_that_is_no_seed_is_named(line):
    good = json.dumps({"instruction": "Do it.", "instances": [{"output": "Done."}]})
    with pytest.raises(InputError, match=r"s\.jsonl:2: "):
        read_seeds(f"{good}\n{line}\n".encode(), "s.jsonl")


def test_the_seeds_of_the_paper_are_read(shared):
    seeds = read_seeds((shared / "data" / "self_instruct_seed_tasks.jsonl").read_bytes(), "seeds")
    assert len(seeds) == 175 and sum(seed.is_classification for seed in seeds) == 26
