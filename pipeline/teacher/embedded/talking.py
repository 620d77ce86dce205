"""Dialogues by rule: the facts of a passage in their order, the later questions leaning on what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.teacher.embedded.bank import shuffled
from pipeline.teacher.embedded.document_sentences import joined, proper_nouns, uncapitalised
from pipeline.teacher.embedded.document_statements import statement
from pipeline.teacher.embedded.documents import document_questions

_DEFAULT_TURNS = 3
_PLAIN = re.compile(
    r"(?:what|why|how|when|which|who|whom|where|for how long|within what time)\b"
    r"(?!.*(?:\bis it that\b|\bwould you\b|[;:]))",
    re.IGNORECASE,
)


def dialogue_turns(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """As many turns as the schema allows, or as the passage has facts that can be asked plainly."""
    passage = slots["dialogue"]
    most = int(schema.get("properties", {}).get("turns", {}).get("maxItems", _DEFAULT_TURNS))
    facts = document_questions({"heading": slots.get("heading", ""), "passage": passage}, {})["facts"]
    asked = [(fact, question) for fact in facts if (question := _plain(fact["questions"]))]
    asked = sorted(asked, key=lambda one: passage.find(one[0]["quote"]))
    start = _start(passage, len(asked), most)
    turns: list[dict[str, str]] = []
    before = ""
    for fact, plain in asked[start : start + most]:
        question = _following(plain, before, fact["answer"], passage) if turns else plain
        turns.append({"question": question, "answer": fact["answer"], "quote": fact["quote"]})
        before = fact["answer"]
    return {"turns": turns if len(turns) > 1 else []}


def _start(passage: str, number: int, most: int) -> int:
    """Where in a long passage the dialogue begins: not always at its beginning."""
    spare = max(0, number - most)
    return int(shuffled([str(at) for at in range(spare + 1)], passage)[0])


def _plain(questions: Sequence[str]) -> str:
    return next((question for question in questions if _PLAIN.match(question)), "")


def _following(question: str, before: str, answer: str, passage: str) -> str:
    """And why ...? With a pronoun where both are about the same thing."""
    inside = joined(uncapitalised(tuple(question.split(" ")), proper_nouns(passage)))
    subject, other = _subject(answer, passage), _subject(before, passage)
    if subject and subject.lower() == other.lower():
        read = statement(answer, proper_nouns(passage))
        person = read is not None and read.clause.is_person
        pronoun = "they" if (read is not None and read.clause.plural) or person else "it"
        if not person:
            inside = re.sub(rf"(?<!\w){re.escape(subject)}(?![\w’'])", pronoun, inside, count=1, flags=re.IGNORECASE)
    return f"And {inside}"


def _subject(answer: str, passage: str) -> str:
    read = statement(answer, proper_nouns(passage))
    return joined(read.clause.subject) if read and not read.imperative else ""
