"""Drafts questions of the natures and difficulties asked for, by the rules that read facts off a passage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.teacher.embedded import document_causes as causes
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_parts as parts
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded.document_reference import leans_on_its_neighbours, stands_alone
from pipeline.teacher.embedded.document_rules import RULES, Rule
from pipeline.teacher.embedded.document_statements import Statement, is_finite_lead, statement
from pipeline.teacher.embedded.documents import confused, different, is_definite, row_fact, without_connective

_WANTED = re.compile(r"^(\d+) x (\w+), (\w+)$", re.MULTILINE)
_NATURE: dict[Rule, str] = {
    causes.reason: "why",
    causes.aim: "why",
    causes.consequence: "why",
    causes.means: "how",
    causes.manner: "how",
    parts.effect_on: "how",
    natures.comparison: "comparison",
    natures.contrast: "comparison",
    causes.advice: "scenario",
}
"""What the questions of a rule are, where they are not factual."""
_HOW = re.compile(r"\bhow\b|\bin what way\b|\bby what means\b", re.IGNORECASE)
_MEDIUM = frozenset({"comparison", "scenario"})
"""A case has to be recognised, or two things weighed; all else is answered almost in the passage's words."""


class _Fact(NamedTuple):
    nature: str
    quote: str
    answer: str
    ranked: list[tuple[float, str]]

    @property
    def difficulty(self) -> str:
        return "medium" if self.nature in _MEDIUM else "easy"


def passage_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the passage for what the slot `wanted` lists, none that the slot `asked` has; what no rule finds is not
    there.
    """
    passage = slots["passage"]
    if not reading.is_english(passage):
        return {"facts": []}
    most = _wordings(schema)
    taken = [line.casefold() for line in slots.get("asked", "").splitlines()]
    facts = list(_facts(passage))
    found: list[dict[str, Any]] = []
    for number, nature, difficulty in _WANTED.findall(slots["wanted"]):
        fit = (one for one in facts if one.nature == nature and difficulty in ("any", one.difficulty))
        left = int(number)
        for fact in fit:
            if not left:
                break
            questions = different([one for one in fact.ranked if not _is_taken(one[1], taken)], most)
            if not questions:
                continue
            left -= 1
            taken += [question.casefold() for question in questions]
            found.append({
                "nature": nature, "difficulty": fact.difficulty,
                "quote": fact.quote, "answer": fact.answer, "questions": list(questions),
            })  # fmt: skip
    return {"facts": found}


def _is_taken(wording: str, taken: Sequence[str]) -> bool:
    return any(confused(wordings.finished(wording), other) for other in taken)


def _wordings(schema: Mapping[str, Any]) -> int:
    item = schema.get("properties", {}).get("facts", {}).get("items", {})
    return int(item.get("properties", {}).get("questions", {}).get("maxItems", 4))


def _facts(passage: str) -> Iterator[_Fact]:
    """What every sentence and table row says, once for each nature in which it can be asked."""
    proper = reading.proper_nouns(passage)
    for sentence in reading.sentences(passage):
        answer = without_connective(sentence.text)
        read = statement(answer, proper) if stands_alone(answer) and not sentence.item else None
        if read is None or leans_on_its_neighbours(read):
            continue
        for nature, ranked in _by_nature(read).items():
            if named := [(rank, wording) for rank, wording in ranked if is_definite(wording, answer)]:
                yield _Fact(nature, sentence.text, answer, named)
    for row in reading.table_rows(passage):
        if told := row_fact(row, proper):
            yield _Fact("scenario", row.text, told[0], told[1])


def _by_nature(read: Statement) -> dict[str, list[tuple[float, str]]]:
    ranked: dict[str, list[tuple[float, str]]] = {}
    for weight, rule in RULES:
        if rule is parts.completion:
            continue
        nature = _NATURE.get(rule, "factual")
        for place, wording in enumerate(rule(read)):
            if nature != "factual" or not _HOW.match(wording):
                ranked.setdefault(nature, []).append((weight + place, wording))
    if read.imperative and is_finite_lead(read.lead):
        situation = reading.joined(read.lead)
        ranked["scenario"] += [(weight, said) for weight, said in enumerate(wordings.scenario(situation))]
    return ranked
