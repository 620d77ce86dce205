"""Answers judged by rule: words, numbers and negations of the answer beside those of the passage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.words import subject_words

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|without|cannot)\b|n't\b|n’t\b", re.IGNORECASE)
_LEAST_WORDS = 0.7


def judged(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Upheld where passage and headings hold the answer's words, all its numbers and its negations."""
    passage, answer = f"{slots.get('heading', '')}\n{slots['passage']}", slots["answer"]
    if " ".join(answer.split()) in " ".join(passage.split()):
        return {"reason": "The passage says so word for word.", "supported": True, "answers": True}
    fault = _strange_number(answer, passage) or _strange_words(answer, passage) or _turned_round(answer, passage)
    answers = bool(subject_words(slots.get("question", "")) & subject_words(f"{answer} {passage}"))
    return {
        "reason": fault or "The passage holds its words and its numbers.",
        "supported": not fault,
        "answers": answers,
    }


def _strange_number(answer: str, passage: str) -> str:
    known = set(_NUMBER.findall(passage))
    strange = [number for number in _NUMBER.findall(answer) if number not in known]
    return f"The passage does not say {strange[0]}." if strange else ""


def _strange_words(answer: str, passage: str) -> str:
    words, known = subject_words(answer), subject_words(passage)
    strange = sorted(words - known)
    if len(words) - len(strange) >= _LEAST_WORDS * len(words):
        return ""
    return f"The passage does not speak of {', '.join(strange[:3])}."


def _turned_round(answer: str, passage: str) -> str:
    """Whether the sentence most like the answer denies what it affirms, or the other way about."""
    words = subject_words(answer)
    nearest = max(_SENTENCE.split(passage), key=lambda sentence: len(words & subject_words(sentence)))
    turned = bool(_NEGATION.search(answer)) != bool(_NEGATION.search(nearest))
    return f"The passage says otherwise: {nearest.strip()[:120]!r}." if turned else ""
