"""Answers questions from passages beside them by rule: the sentence that holds what the question is about, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from pipeline.records import normalised
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded.document_reference import stands_alone
from pipeline.teacher.embedded.documents import without_connective
from pipeline.words import subject_words

_LEAST = 0.8
"""Share of what a question is about, by rarity among the sentences, that the sentence holds which answers it."""
_ASKING = subject_words(
    "account achieved advice answer applies asked can case cause circumstances conclusion condition consequence define "
    "describe difference doubted effect else end example explain explanation fact favour follows friend gain general "
    "good happens idea imagine kind lies like mean means meant moment name next person picture point purpose question "
    "reason recommended reply respond response result right say sensible situation someone somebody sort speaks step "
    "suppose term thing use way whether wordings would you"
)
"""Words that questions are asked with, whatever they are about."""
_TERM = r"(?:an? )?((?:[\w“”’-]+ ){0,2}[\w“”’-]+)"
_DEFINING = re.compile(
    rf"(?:what (?:is|are)|how would you define|what is meant by) {_TERM}\?$|what does {_TERM} mean\?$", re.IGNORECASE
)
_SUBJECT = re.compile(r"^on the subject of [^,]+, ", re.IGNORECASE)


def in_context_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The sentence of what is `shown` that holds nearly all that the question is about, if one alone does."""
    sentences = [one.text for one in reading.sentences(slots["shown"])]
    question = _SUBJECT.sub("", slots["question"])
    asked = _DEFINING.match(question)
    found = _definition(asked[1] or asked[2], sentences) if asked else _one_that_holds(question, sentences)
    if not found or not stands_alone(without_connective(found)):
        return {"answers": [{"answered": False, "answer": "", "quote": ""}]}
    return {"answers": [{"answered": True, "answer": without_connective(found), "quote": found}]}


def _definition(term: str, sentences: Sequence[str]) -> str:
    """The sentence that says what the term is or means."""
    says = re.compile(rf"(?:an? |the )?{re.escape(term)} (?:is|are|means)\b", re.IGNORECASE)
    return next((sentence for sentence in sentences if says.match(sentence)), "")


def _one_that_holds(question: str, sentences: Sequence[str]) -> str:
    ranked = sorted(zip(_shares(question, sentences), sentences, strict=True), reverse=True)
    (best, found), (second, _) = [*ranked, *[((0.0, 0), "")] * 2][:2]
    return found if best[0] >= _LEAST and best != second else ""


def _shares(question: str, sentences: Sequence[str]) -> list[tuple[float, int]]:
    """Of each sentence how much it holds of what the question is about, and how many of its words of any sort."""
    words = [subject_words(sentence) for sentence in sentences]
    frequency = Counter(word for held in words for word in held)
    about = subject_words(question) - _ASKING
    weights = {word: log((2 + len(sentences)) / (1 + frequency[word])) for word in sorted(about)}
    whole = sum(weights.values()) or 1.0
    every = set(normalised(question).split())
    return [
        (sum(weights[word] for word in weights if word in held) / whole, len(every & set(normalised(sentence).split())))
        for held, sentence in zip(words, sentences, strict=True)
    ]
