"""Answers questions from passages beside them by rule: the sentence that holds what the question is about, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from pipeline.records import normalised
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded.document_lexicon import NUMERALS
from pipeline.teacher.embedded.document_reference import stands_alone
from pipeline.teacher.embedded.documents import without_connective
from pipeline.words import subject_words

_LEAST = 0.8
"""Share of what a question is about, by rarity among the sentences, that the sentence holds which answers it."""
_ASKING = subject_words(
    "account achieved advice affect answer applies asked bring called can case cause circumstances compare complete "
    "conclusion condition consequence define describe differ difference doubted effect else end example explain "
    "explanation fact favour follows friend gain general good happens idea imagine kind lies like mean means meant "
    "moment name next person picture point purpose question reason recommended reply respond response result right say "
    "sensible sets situation someone somebody something sort statement speaks step suppose term thing use way whether "
    "wordings words would you"
)
"""Words that questions are asked with, whatever they are about."""
_TERM = r"(?:an? )?((?:[\w“”’-]+ ){0,2}[\w“”’-]+)"
_DEFINING = re.compile(
    rf"(?:what (?:is|are)|how would you define|what is meant by|what do people have in mind when they speak of) {_TERM}"
    rf"\?$|what does (?:the term )?{_TERM} mean\?$|can you explain what {_TERM} (?:is|are)\?$",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    r"\b(?:for )?how (?:much|many|long|often|far|far apart|high|deep|wide|tall|old|heavy|soon|large|big)\b|"
    r"\b(?:with)?in (?:what|which|how much) time\b",
    re.IGNORECASE,
)
"""Asks for an amount, which only a sentence that has one can answer."""
_NUMERALS = "|".join(sorted(NUMERALS - {"one", "first", "second", "third"}))
_UNITS = "(?:second|minute|hour|day|week|month|year|cent|euro|dollar|litre|metre|kilogram)s?"
_AMOUNT = re.compile(
    rf"\d|\b(?:{_NUMERALS}|(?:an?|one|each|every)(?: working| full| whole)? {_UNITS}|half|once|twice|nothing"
    r"|free of charge|daily|weekly|monthly|yearly|always|never|rarely|seldom|often)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(r"[“\"](.+?) (?:…|\.\.\.)[”\"]")
"""Of a question that gives the beginning of a sentence and asks for its end."""
_SUBJECT = re.compile(r"^on the subject of [^,]+, ", re.IGNORECASE)


def in_context_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The sentence of what is `shown` that holds nearly all that the question is about, if one alone does."""
    sentences = [one.text for one in reading.sentences(slots["shown"])]
    question = _SUBJECT.sub("", slots["question"])
    found = _found(question, sentences)
    if not found or not stands_alone(without_connective(found)):
        return {"answers": [{"answered": False, "answer": "", "quote": ""}]}
    return {"answers": [{"answered": True, "answer": without_connective(found), "quote": found}]}


def _found(question: str, sentences: Sequence[str]) -> str:
    """The sentence that answers, or nothing."""
    if opening := _OPENING.search(question):
        opened = [sentence for sentence in sentences if sentence.lower().startswith(f"{opening[1].lower()} ")]
        return opened[0] if len(opened) == 1 else ""
    if asked := _DEFINING.match(question):
        return _definition(next(term for term in asked.groups() if term).strip("“”"), sentences)
    if _MEASURE.search(question):
        measuring = [sentence for sentence in sentences if _AMOUNT.search(sentence)]
        return _one_that_holds(_MEASURE.sub(" ", question), measuring)
    return _one_that_holds(question, sentences)


def _definition(term: str, sentences: Sequence[str]) -> str:
    """The sentence that says what the term is or means."""
    says = re.compile(rf"(?:an? |the )?{re.escape(term)} (?:is|are|means)\b", re.IGNORECASE)
    return next((sentence for sentence in sentences if says.match(sentence)), "")


def _one_that_holds(question: str, sentences: Sequence[str]) -> str:
    ranked = sorted(zip(_shares(question, sentences), sentences, strict=True), reverse=True)
    (best, found), (second, _) = [*ranked, *[((0.0, 0), "")] * 2][:2]
    return found if best[0] >= _LEAST and best != second and _about_enough(question, found) else ""


def _about_enough(question: str, found: str) -> bool:
    """Whether the two share more than one word of chance: if the question is about one word only, then what it is asked
    with has to stand there too ("What should a speaker explain?")."""
    asked = subject_words(question)
    shared = asked & subject_words(found)
    return len(asked - _ASKING) > 1 or (len(shared) > 1 and 2 * len(shared) >= len(asked))


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
