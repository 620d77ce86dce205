"""The rules that read a fact off a sentence, with how directly each asks for what the sentence says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.teacher.embedded import document_amounts as amounts
from pipeline.teacher.embedded import document_causes as causes
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_parts as parts
from pipeline.teacher.embedded.document_statements import Statement

Rule = Callable[[Statement], list[str]]
COMPLETION_RANK = 7.0
RULES: tuple[tuple[float, Rule], ...] = (
    (0, natures.definition),
    (0, natures.identity),
    (0, causes.reason),
    (0.1, amounts.amount),
    (0.1, causes.hours),
    (0, causes.aim),
    (0, causes.means),
    (0, causes.advice),
    (0, causes.consequence),
    (0.2, natures.comparison),
    (0.4, causes.occasion),
    (0.6, parts.object_part),
    (0.7, causes.manner),
    (0.8, natures.contrast),
    (1.2, parts.action),
    (2.0, parts.effect_on),
    (2.4, causes.outcome),
    (2.6, parts.effect),
    (3.0, parts.subject_part),
    (COMPLETION_RANK, parts.completion),
)
"""Each rule with the rank of its first wording."""


def ranked_wordings(sentence: Statement) -> Iterator[tuple[float, str]]:
    """Every wording that a rule offers for the sentence, with its rank: lower is more direct."""
    for weight, rule in RULES:
        for place, wording in enumerate(rule(sentence)):
            yield weight + place, wording
