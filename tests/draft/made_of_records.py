"""What tests of drafters that are made from records share: parents, the ground they stand on, a teacher to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from pipeline.curate import Curator, Material, Origin, end_of
from pipeline.draft import Drafter
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import Manner, Prompt
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.teacher.completion import read_completion
from pipeline.teacher.embedded import complete
from pipeline.teacher.request import Reply
from pipeline.teacher.speech import Speech
from tests.conftest import ROOT

TEXT = (
    "Vinegar damages the seal of the lid, so nobody should boil it in a kettle. A worn seal costs four euros and can be"
    " changed without tools. A repair takes ten working days on average. A kettle that was used cannot be returned, but"
    " it can be repaired. A clear refusal is kinder than a vague promise. If the filter is torn, order a new one."
)
PASSAGE = Passage(
    id="p", document="a.md", document_sha256="0", heading=("Care",), start=0, end=len(TEXT), pages=((0, 1),), text=TEXT
)
FACTS = {
    "How long does a repair take on average?": "A repair takes ten working days on average.",
    "What becomes of a kettle that was used?": "A kettle that was used cannot be returned, but it can be repaired.",
    "How much does a worn seal cost?": "A worn seal costs four euros and can be changed without tools.",
    "Why should nobody boil vinegar in a kettle?": (
        "Vinegar damages the seal of the lid, so nobody should boil it in a kettle."
    ),
    "Which is kinder, a clear refusal or a vague promise?": "A clear refusal is kinder than a vague promise.",
    "What should you do if the filter is torn?": "If the filter is torn, order a new one.",
}


def parent(question: str, answer: str, **more) -> Record:
    values = dict(
        id=content_id("parent", question), kind="document", question=question, answer=answer, quote=answer,
        source="a.md", page=1, span=(0, 1), passage="p", fact=content_id(answer), model="m", prompt="p", request="r",
    )  # fmt: skip
    return Record(**(values | more))


PARENTS = [parent(question, answer) for question, answer in FACTS.items()]


def ground(records: Sequence[Record] = PARENTS, folder: Path = ROOT, **more) -> Ground:
    values = dict(
        passages=[PASSAGE], persona=None, prompt=lambda name: Prompt(ROOT / "prompts" / f"{name}.jinja"),
        manner=Manner("m", 0.0, 2048), folder=folder, language="en", salt="s", unseen=0.1, records=records,
    )  # fmt: skip
    return Ground(**(values | more))


def asked(drafter: Drafter, say: Mapping[str, str] | str | None = None) -> dict[str, Reply]:
    """The replies to all that a drafter asks: the embedded teacher's, or `say`, by the parent's id where it differs."""
    replies: dict[str, Reply] = {}
    for stage in range(drafter.stages):
        for request in drafter.requests(stage, replies.get):
            completion = complete(orjson.loads(Speech().body(request)))
            text = say if isinstance(say, str) else (say or {}).get(request.subject)
            if text is not None:
                completion["choices"][0]["message"]["content"] = text
            replies[request.key] = read_completion(request.key, orjson.dumps(completion))
    return replies


def drafts(drafter: Drafter, say: Mapping[str, str] | str | None = None) -> list[Draft | Rejection]:
    """What those replies hold."""
    return list(drafter.drafts(asked(drafter, say).get))


def fate(draft: Draft, parents: Sequence[Record] = PARENTS, opinions=None, **more) -> str:
    """The cause of its rejection, its flags, or `record`."""
    material = Material(
        {"p": PASSAGE}, lambda key: Origin("t", "p"), parents={one.id: one for one in parents}, opinions=opinions or {},
        **more,
    )  # fmt: skip
    end = end_of(draft, Curator(material, Checks(language_odds=None)).findings(draft), material)
    return ", ".join(end.flags) or "record" if isinstance(end, Record) else end.cause
