"""Sample settings of every drafter, on a few sections of the sample document: its tests and its page rest on them.

A drafter that is added is added here too: `test_every_drafter.py` runs it, and `make docs` shows it on its page.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.desk.laid import Laid
from pipeline.desk.said import Desk
from pipeline.draft import Drafter
from pipeline.history import History
from pipeline.kinds import DRAFTERS
from pipeline.material import gather
from pipeline.recipe import load_recipe
from pipeline.records import Record, Rejection
from pipeline.rounds import Rounds
from pipeline.run import Options, Outcome, run
from pipeline.runlog import Log
from pipeline.teacher.endpoint import environment, find_teacher
from pipeline.teacher.ledger import Ledger
from tests.conftest import ROOT


class Sample(NamedTuple):
    """A recipe that shows one drafter."""

    settings: str
    """What stands under its name in the recipe, as YAML; shown in docs/drafters.md."""
    gives: frozenset[str]
    """Kinds of record."""
    beside: str = ""
    """Sections that it needs beside `documents:`; shown too."""
    loses: frozenset[str] = frozenset()
    """Causes for which the checks may reject some of what the embedded teacher drafts for it."""
    files: tuple[str, ...] = ()
    """Of samples/, that its settings name."""
    documents: str = "facts_per_passage: 2, wordings: 2"
    """Under `documents:`, which it draws on or whose records it takes up; empty where it needs none."""
    sections: tuple[int, int] = (1, 4)
    """First and last section of the sample document that it is shown on."""


SAMPLES: dict[str, Sample] = {
    "questions": Sample(
        settings="""\
per_passage: {factual: 4, how: 3, why: {easy: 3, hard: 1}, comparison: 2, scenario: 2}
wordings: 3
attempts: 2""",
        gives=frozenset({"document"}),
        loses=frozenset({"nothing_found", "exact_duplicate"}),  # `documents:` asked some before
    ),
    "multi_hop": Sample(
        settings="within: 1.0\nthree: 0.3\nfacts: 2\nwordings: 3",
        gives=frozenset({"multi_hop"}),
        loses=frozenset({"nothing_found"}),
    ),
    "in_context": Sample(
        settings="share: 1.0\nothers: 2\nleft_out: 0.3",
        gives=frozenset({"in_context", "not_in_context"}),
        loses=frozenset({"not_in_context"}),  # its rules find fewer answers than a reader would
    ),
    "summary": Sample(
        settings="passages: 1\nwordings: 2\nlargest: 2000\nshown_up_to: 700",
        gives=frozenset({"summary", "summary_of_text"}),
    ),
    "task_data": Sample(
        settings="tasks: [keywords, extraction, routing, title, sentence]\nlabels: [listening, questions, speaking]",
        gives=frozenset({"reading_task", "writing_task"}),
        sections=(1, 3),
    ),
    "math": Sample(
        settings="problems: problems.yaml\nvariations: 2\nsimilar: 1",
        gives=frozenset({"math"}),
        files=("problems.yaml",),
        documents="",
    ),
    "self_instruct": Sample(
        settings="seeds: seed_tasks.jsonl\nrequests: 3\ntasks: 5\nrounds: 2",
        gives=frozenset({"self_instruct"}),
        loses=frozenset({"not_novel", "exact_duplicate"}),
        files=("seed_tasks.jsonl",),
        documents="",
    ),
    "tone": Sample(settings="share: 0.5", gives=frozenset({"tone"})),
    "evolve": Sample(
        settings="share: 0.5\nchildren: 2",
        gives=frozenset({"evolve"}),
        loses=frozenset({"exact_duplicate", "wrong_shape"}),  # two wordings of a fact grow alike; some do not grow
    ),
    "dialogue": Sample(
        settings="turns: 3",
        gives=frozenset({"dialogue", "persona_dialogue"}),
        beside="persona: {file: persona.yaml}",
        loses=frozenset({"wrong_shape"}),  # some passages have fewer than two facts that can be asked plainly
    ),
    "reasoning": Sample(
        settings="share: 0.5",
        gives=frozenset({"reasoning"}),
        loses=frozenset({"wrong_shape"}),  # its rules take apart what they can read, and no more
    ),
    "preference": Sample(settings="share: 0.5\npairs_per_record: 2", gives=frozenset({"preference"})),
}

_PERSONA = """\
name: Ada the gardener
living_person: false
voice: Calm and dry. Says the answer first, then one reason that anybody could check with a spade.
phrases: ["Plainly:", "Weeds never read the plan.", "The soil has the last word."]
topics: [old apple trees, compost, slugs]
examples:
  - question: When do you prune?
    answer: In late winter. A tree asleep does not argue with the saw.
questions:
  - {id: garden, prompt: "List 4 questions for a gardener.", count: 4}
constraints: {words: {min: 6, max: 40}}
"""
_RECIPE = """\
name: {name}
meaning: {{enabled: false}}
{documents}
split: {{unseen: 0.2}}
{beside}
drafters:
  {name}:
{settings}
"""


def document(first: int, last: int) -> str:
    """Some of the sample document's second-level sections, under its title."""
    text = (ROOT / "samples" / "good_and_bad_communication.md").read_text(encoding="utf-8")
    title, *sections = text.split("\n## ")
    return "\n## ".join([title.split("\n\n")[0] + "\n", *sections[first - 1 : last - 1]])


@dataclass
class Workspace:
    """A recipe with one drafter, and what its runs made."""

    name: str
    folder: Path
    said: list[str] = field(default_factory=list)
    """By the newest run."""

    @classmethod
    def of(cls, name: str, folder: Path) -> Workspace:
        """The sample recipe of a drafter, written down in a folder."""
        sample = SAMPLES[name]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sample.md").write_text(document(*sample.sections), encoding="utf-8")
        (folder / "persona.yaml").write_text(_PERSONA, encoding="utf-8")
        for file in sample.files:
            shutil.copy(ROOT / "samples" / file, folder)
        settings = "\n".join(f"    {line}" for line in sample.settings.splitlines())
        documents = f"documents: {{files: [sample.md], {sample.documents}}}" if sample.documents else ""
        text = _RECIPE.format(name=name, documents=documents, beside=sample.beside, settings=settings)
        (folder / "recipe.yaml").write_text(text, encoding="utf-8")
        return cls(name, folder)

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs" / self.name

    def run(self, **options) -> Outcome:
        """Raises as `pipeline.run.run` does."""
        self.said = []
        loaded = load_recipe(self.folder / "recipe.yaml")
        return run(loaded, Options(out=self.folder / "outputs", **options), self.said.append, Log())

    def ends(self) -> tuple[list[Record], list[Rejection]]:
        """Every record, published or withheld, and every rejection."""
        with Ledger.look(self.outputs) as ledger:
            laid = Laid(ledger)
            records = list(laid.records(laid.lines).values())
        lines = (self.outputs / "rejected.jsonl").read_bytes().splitlines()
        return records, [Rejection.model_validate_json(line) for line in lines]

    @contextmanager
    def history(self, model: str = "") -> Iterator[tuple[list[Drafter], History]]:
        """The drafters of all rounds, and what they were told."""
        loaded = load_recipe(self.folder / "recipe.yaml")
        address = find_teacher(model, "", environment())
        with Ledger.look(self.outputs) as ledger:
            history = History(ledger, False)
            desk = Desk.read(self.outputs, ledger)
            sources = gather(loaded, lambda line: None)
            yield Rounds(loaded, sources, address.model, history, self.outputs, desk).all(), history

    def own(self, drafters: Sequence[Drafter]) -> list[Drafter]:
        """Those of the drafters that the sample is about."""
        return [drafter for drafter in drafters if type(drafter).__module__ == DRAFTERS[self.name].home]
