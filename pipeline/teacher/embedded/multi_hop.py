"""Drafts questions over two or three passages by rule: a statement of each, asked for together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from pipeline.teacher.embedded import document_causes as causes
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_parts as parts
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded.document_reference import (
    content_words,
    is_self_contained,
    leans_on_its_neighbours,
    stands_alone,
)
from pipeline.teacher.embedded.document_rules import Rule
from pipeline.teacher.embedded.document_statements import statement
from pipeline.teacher.embedded.documents import is_definite, without_connective

_RULES: tuple[Rule, ...] = (natures.definition, causes.reason, causes.aim, causes.occasion, parts.object_part)
"""Those whose questions can be asked in one breath with another, the best first."""
_INDIRECT = re.compile(r"can you (?:say|explain) (.+)")
_MOST = 6
"""Statements looked at in each passage."""


class _Told(NamedTuple):
    """A statement, and how to ask for it."""

    sentence: str
    inside: str
    """The same as part of a longer sentence."""
    direct: str
    indirect: str
    """What "can you say" is followed by."""
    defined: str
    """The term that it defines, if it does."""


def multi_hop_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Questions that each ask for a statement of every passage; statements with most words in common go together."""
    passages = [text for name, text in sorted(slots.items()) if name.startswith("passage_")]
    facts, most = _limits(schema)
    if not all(map(reading.is_english, passages)):
        return {"facts": []}
    told = [list(_statements(passage))[:_MOST] for passage in passages]
    groups = sorted(filter(_belong_together, product(*told)), key=_rank)
    found: list[dict[str, Any]] = []
    used: set[str] = set()
    for group in groups:
        if len(found) < facts and not used & {one.sentence for one in group}:
            questions = [wordings.finished(wording) for wording in _wordings(group)]
            questions = [question for question in questions if is_self_contained(question)][:most]
            if questions:
                used |= {one.sentence for one in group}
                quotes = [one.sentence for one in group]
                found.append({"quotes": quotes, "answer": _answer(group), "questions": questions})
    return {"facts": found}


def _limits(schema: Mapping[str, Any]) -> tuple[int, int]:
    facts = schema.get("properties", {}).get("facts", {})
    questions = facts.get("items", {}).get("properties", {}).get("questions", {})
    return int(facts.get("maxItems", 2)), int(questions.get("maxItems", 3))


def _statements(passage: str) -> Iterator[_Told]:
    """What the passage states that can be asked for in few words, by the order of the rules."""
    proper = reading.proper_nouns(passage)
    found: list[tuple[int, _Told]] = []
    for sentence in reading.sentences(passage):
        text = without_connective(sentence.text)
        read = statement(text, proper) if stands_alone(text) and not sentence.item else None
        if read is None or leans_on_its_neighbours(read) or read.lead or read.imperative:
            continue
        for rank, rule in enumerate(_RULES):
            asked = rule(read)
            indirect = next((said[1] for one in asked if (said := _INDIRECT.match(one))), "")
            if not indirect or not is_definite(asked[0], text):
                continue
            inside = reading.joined(reading.uncapitalised(reading.tokens(text.rstrip(".")), proper))
            term = reading.joined(read.clause.subject) if rule is natures.definition else ""
            found.append((rank, _Told(sentence.text, inside, asked[0], indirect, term)))
            break
    return (one for _, one in sorted(found, key=lambda pair: pair[0]))


def _belong_together(group: Sequence[_Told]) -> bool:
    """Whether each shares a word with another."""
    words = [_stems(one.sentence) for one in group]
    return all(any(one & other for other in words if other is not one) for one in words)


def _stems(sentence: str) -> set[str]:
    return {word[:5] for word in content_words(sentence) if len(word) > 3}


def _rank(group: Sequence[_Told]) -> tuple[bool, int]:
    """Definitions go together; else the more words are shared the better."""
    shared = set.intersection(*(_stems(one.sentence) for one in group))
    return not all(one.defined for one in group), -len(shared)


def _answer(group: Sequence[_Told]) -> str:
    first, *rest = group
    start = first.sentence.rstrip(".")
    if len(group) == 2 and all(one.defined for one in group):
        return f"{start}, while {rest[0].inside}."
    return f"{'; '.join((start, *(one.inside for one in rest)))}."


def _wordings(group: Sequence[_Told]) -> list[str]:
    if len(group) == 2 and all(one.defined for one in group):
        one, other = (re.sub(r"^(?:an?|the) ", "", told.defined) for told in group)
        return [
            f"what is the difference between {one} and {other}",
            f"how would you tell {one} and {other} apart",
            f"what sets {one} apart from {other}",
            f"if you compare {one} with {other}, what do you find",
        ]
    direct, indirect = [told.direct for told in group], [told.indirect for told in group]
    return [
        f"{', '.join(direct[:-1])}, and {direct[-1]}",
        f"can you say {_listed(indirect)}",
        f"if someone asked you {_listed(indirect)}, what would you answer",
        f"{'; '.join(direct)}",
    ]


def _listed(clauses: Sequence[str]) -> str:
    return f"{', '.join(clauses[:-1])}, and {clauses[-1]}"
