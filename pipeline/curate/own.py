"""Checks that only some kinds of record have, by the name under which a kind asks for them in `pipeline/kinds.py`.

Each entry makes the check of what drafts are checked against; the check then gives its word on each draft of a shard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.curate.computed import computed, sums
from pipeline.curate.contexts import left_out
from pipeline.curate.dialogues import first_alone
from pipeline.curate.evolved import asks_anew, keeps_limits
from pipeline.curate.examined import examined
from pipeline.curate.findings import Finding
from pipeline.curate.hops import NeedsAll
from pipeline.curate.novelty import Novelty, for_text, label_of_set
from pipeline.curate.pairs import worse
from pipeline.curate.reasoned import reasoned
from pipeline.curate.retold import retold
from pipeline.curate.sizes import size
from pipeline.curate.tasks import solved
from pipeline.recipe import Checks
from pipeline.records import Draft

if TYPE_CHECKING:
    from pipeline.curate import Material

Make = Callable[["Material", Checks], Callable[[Sequence[Draft]], Iterable[Finding | Sequence[Finding]]]]

OWN: dict[str, Make] = {
    "left_out": lambda material, checks: (
        lambda drafts: (left_out(draft, material, checks.corpus_overlap) for draft in drafts)
    ),
    "size": lambda material, checks: lambda drafts: (size(draft, material.wanted) for draft in drafts),
    "solved": lambda material, checks: (
        lambda drafts: (solved(draft, material.passages.get(draft.passage)) for draft in drafts)
    ),
    "needs_all": lambda material, checks: NeedsAll(material.passages).findings,
    "computed": lambda material, checks: lambda drafts: map(computed, drafts),
    "sums": lambda material, checks: lambda drafts: map(sums, drafts),
    "novelty": lambda material, checks: Novelty(checks.novelty, material.examples).findings,
    "for_text": lambda material, checks: lambda drafts: map(for_text, drafts),
    "examined": lambda material, checks: examined(material.examined, material.language),
    "label": lambda material, checks: lambda drafts: map(label_of_set, drafts),
    "worse": worse,
    "retold": retold,
    "reasoned": reasoned,
    "first_alone": lambda material, checks: lambda drafts: map(first_alone, drafts),
    "asks_anew": asks_anew,
    "keeps_limits": lambda material, checks: lambda drafts: map(keeps_limits, drafts),
}
