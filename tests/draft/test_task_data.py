"""Tasks on passages: what each shows, and which solutions are right as far as a program can tell."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.curate import Curator, Material, Origin
from pipeline.draft.task_data import Settings
from pipeline.recipe import Checks
from pipeline.records import Draft, Record
from tests.draft.test_multi_hop import MILL

LABELS = ("bread", "ships")


def draft(task: str, answer: str, question: str = "Do this with the text.", context: str = MILL.text) -> Draft:
    return Draft(
        kind="writing_task" if task in ("title", "sentence") else "reading_task", question=question, answer=answer,
        passage=MILL.id, field=task, fact="f", context=context, labels=LABELS if task == "routing" else (), request="r",
    )  # fmt: skip


def end(one: Draft):
    material = Material({MILL.id: MILL}, lambda key: Origin("m", "p"))
    with Curator(material, Checks(language_odds=None)) as curator:
        (found,) = curator.curate([one])
    return found


@pytest.mark.parametrize(
    "one",
    [
        draft("keywords", "mill, rye, Monday"),
        draft("extraction", "The mill grinds rye every Monday."),
        draft("routing", "bread", "Is this about bread or ships?"),
        draft("title", "The mill and its wheel"),
        draft("sentence", "The mill grinds rye every Monday.", "Make a sentence of these words.", "mill, rye, Monday"),
    ],
    ids=lambda one: one.field,
)
def test_a_right_solution_is_a_record(one):
    assert isinstance(end(one), Record), end(one)


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (draft("keywords", "mill, ferry"), "keyword_not_in_passage"),
        (draft("extraction", "The mill grinds rye on Mondays."), "not_copied"),
        (draft("routing", "trains", "Is this about bread or ships?"), "unknown_label"),
        (draft("routing", "bread", "Is this about bread?"), "label_not_named"),
        (draft("title", "A history of northern ferries"), "title_from_elsewhere"),
        (draft("sentence", "The mill grinds rye every Monday.", context="mill, oak"), "keyword_not_used"),
        (draft("sentence", "The old mill grinds rye.", context="mill, rye"), "not_copied"),
    ],
)
def test_a_wrong_one_is_rejected_with_its_fault(one, cause):
    assert end(one).cause == cause


@pytest.mark.parametrize(
    "said", [{"tasks": ["routing"]}, {"labels": ["a", "b"]}, {"tasks": ["routing"], "labels": ["a"]}]
)
def test_routing_and_labels_go_together(said):
    with pytest.raises(ValidationError, match="routing among tasks"):
        Settings(**said)
