"""Another version of a question and its answer, by rule: the passage's own words, another wording, another question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.records import normalised
from pipeline.teacher.embedded.bank import shuffled
from pipeline.teacher.embedded.documents import document_questions
from pipeline.teacher.embedded.personas import persona_answers
from pipeline.teacher.embedded.refusals import false_premise_questions, near_topic_questions, off_topic_questions

_MANY = {"properties": {"facts": {"maxItems": 99, "items": {"properties": {"questions": {"maxItems": 99}}}}}}
_OF_THE_QUESTION = re.compile(r"\b(?:question|asks?|asked|wording|worded|rephrase|reword)", re.IGNORECASE)


def fixed(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as the quote has it, or the persona's next best; else, or if the words speak of the question, another
    wording of that. Where no rule knows one the record comes back as it was."""
    names = ("question", "answer", "quote")
    version = {name: slots[name] for name in names if name in slots}
    answer = _other_answer(slots) if "answer" in slots else ""
    if answer and not _OF_THE_QUESTION.search(slots["wrong"]):
        version["answer"] = answer
    else:
        version["question"] = _other_question(slots)
    return {"versions": [version]}


def _other_answer(slots: Mapping[str, str]) -> str:
    """Another answer to the same question; empty if no rule knows one."""
    if "persona" in slots:
        twice = f"1. {slots['question']}\n2. {slots['question']}"
        given = persona_answers({"persona": slots["persona"], "questions": twice}, {})["answers"]
        others = [one["answer"] for one in given]
    else:
        others = [" ".join(slots.get("quote", "").split())]
    return next((other for other in others if other and normalised(other) != normalised(slots["answer"])), "")


def _other_question(slots: Mapping[str, str]) -> str:
    asked = normalised(slots["question"])
    others = [other for other in _questions(slots) if normalised(other) != asked]
    late = others[len(others) // 2 :]  # the first of them were asked already, most likely
    return shuffled(late, asked)[0] if late else slots["question"]


def _questions(slots: Mapping[str, str]) -> Iterator[str]:
    """What else might be asked."""
    if "passage" in slots:
        facts = document_questions(slots, _MANY)["facts"]
        yield from (question for fact in facts if fact["quote"] == slots.get("quote") for question in fact["questions"])
    elif "field" in slots:
        yield from off_topic_questions(slots, {})["questions"]
        for of_kind, name in ((near_topic_questions, "aspect"), (false_premise_questions, "premise")):
            yield from of_kind({**slots, name: slots["field"]}, {})["questions"]
