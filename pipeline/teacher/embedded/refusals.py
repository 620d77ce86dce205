"""Questions to be refused, by rule: off-topic ones from a bank, the others from templates and terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from math import gcd
from typing import Any

from pydantic import BaseModel, ConfigDict
from rapidfuzz.fuzz import ratio

from pipeline.teacher.embedded.bank import most, read_bank, shuffled
from pipeline.words import subject_words


class _NearTopic(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    aspects: dict[str, tuple[str, ...]]
    countable: str
    uncountable: str


@cache
def _off_topic() -> dict[str, tuple[str, ...]]:
    return read_bank("off_topic.yaml", dict[str, tuple[str, ...]])


@cache
def _near_topic() -> _NearTopic:
    return read_bank("near_topic.yaml", _NearTopic)


@cache
def _false_premises() -> dict[str, tuple[str, ...]]:
    return read_bank("false_premise.yaml", dict[str, tuple[str, ...]])


OFF_TOPIC_FIELDS: tuple[str, ...] = tuple(_off_topic())
"""Fields of knowledge that the bank has questions from."""

NEAR_TOPIC_ASPECTS: tuple[str, ...] = tuple(_near_topic().aspects)
"""Aspects that the bank can ask about any term."""

FALSE_PREMISES: tuple[str, ...] = tuple(_false_premises())
"""Kinds of premises that the bank can take for granted about any term."""

# Two questions this alike (0 to 100) differ in hardly more than a letter or two.
_ALIKE = 90

EMPTY = subject_words("good bad better best everyday general basic modern")
"""Words of a topic that say nothing about its subject."""


def off_topic_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Questions of the `field`, none of which shares a subject with the `topic`; none for a field that is not known."""
    topic = subject_words(slots.get("topic", "")) - EMPTY
    field = slots["field"].strip().casefold()
    bank = () if topic & subject_words(field) else _off_topic().get(field, ())
    fit = [question for question in bank if not topic & subject_words(question)]
    return {"questions": shuffled(fit, "off_topic", field)[: most(schema, "questions")]}


def near_topic_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Questions on the `aspect` that name `terms`, spread over templates and terms; none for an unknown aspect."""
    aspect = slots["aspect"].strip().casefold()
    return _about_terms(_near_topic().aspects.get(aspect, ()), slots, schema, "near_topic", aspect)


def false_premise_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Questions that take a `premise` of some kind about `terms` for granted; none for a kind that is not known."""
    premise = slots["premise"].strip().casefold()
    return _about_terms(_false_premises().get(premise, ()), slots, schema, "false_premise", premise)


def _about_terms(
    templates: Sequence[str], slots: Mapping[str, str], schema: Mapping[str, Any], *key: str
) -> dict[str, Any]:
    terms = shuffled(_subjects(slots.get("terms", "")) or _subjects(slots.get("topic", "")), *key)
    chosen: list[str] = []
    for question in _filled(shuffled(templates, *key), terms):
        if len(chosen) == most(schema, "questions"):
            break
        if all(ratio(question, other) < _ALIKE for other in chosen):
            chosen.append(question)
    return {"questions": chosen}


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NUMBERED = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


def answered_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Of each numbered question whether one sentence of the `passages` holds every word that it is about."""
    sentences = [(subject_words(sentence), sentence) for sentence in _SENTENCE_END.split(slots["passages"])]
    found = []
    for number, question in _NUMBERED.findall(slots["questions"]):
        about = subject_words(question)
        words = next((sentence for held, sentence in sentences if about and about <= held), "")
        found.append({"number": int(number), "answered": bool(words), "words": words})
    return {"questions": found}


def _filled(templates: Sequence[str], terms: Sequence[str]) -> Iterator[str]:
    """Every template with a term of its own, then every template with another, until each pair has come."""
    # A step that shares no factor with the number of terms leads every template past every term.
    step = next(size for size in count(len(templates)) if gcd(size, len(terms)) == 1) if terms else 0
    for turn in range(len(terms)):
        for at, template in enumerate(templates):
            yield template.replace("{term}", terms[(at + turn * step) % len(terms)])


def _subjects(text: str) -> list[str]:
    """The lines that can be named as a subject, each once, in the form in which one names a subject."""
    subjects = (_as_subject(line) for line in text.split("\n"))
    return list(dict.fromkeys(subject for subject in subjects if subject))


# A line that opens with one of these, or holds one, is a sentence or half of one.
_OPENS_CLAUSE = re.compile(
    r"(?:how|what|when|where|who|why|which|whether|if|to|do|don't|for|at|in|on|with|without|before|after|under|about|until|while|once)\b",
    re.I,
)
_HOLDS_CLAUSE = re.compile(
    r"\b(?:is|are|was|were|be|has|have|do|does|can|should|will|must|it|you|they|them|that|up|out)\b", re.I
)
_MOST_WORDS = 4


def _as_subject(line: str) -> str:
    """`The open question` as open questions, `Giving feedback` as giving feedback; empty if it is no noun phrase."""
    term = re.sub(r"^(?:[-*•]|\d+[.)])\s+|^(?:the|an?)\s+(?=\w)", "", line.strip(), flags=re.IGNORECASE).strip(" .")
    if not re.search(r"[^\W\d_]{2}", term) or re.search(r"[,;:?!()/]", term) or len(term.split()) > _MOST_WORDS:
        return ""
    if _OPENS_CLAUSE.match(term) or _HOLDS_CLAUSE.search(term):
        return ""
    first, _, rest = term.partition(" ")
    if rest and rest == rest.lower() and first[1:] == first[1:].lower():
        first = first.lower()  # a capital that only began a heading; elsewhere it is a name's
    return _without_number(f"{first} {rest}".strip())


def _without_number(term: str) -> str:
    """The term, its last noun in the plural if it is a single thing that would want an article."""
    before, _, noun = term.rpartition(" ")
    gerund_first = re.match(r"\w{3,}ing ", term) is not None
    if gerund_first or " and " in term or _needs_no_article(noun):
        return term
    return f"{before} {_plural(noun)}".strip()


# Endings of plurals, of activities and of qualities.
_ARTICLELESS = re.compile(
    r"(?:(?<![su])s|ics|ing|ness|ity|ism|asm|ship|ance|ence|ancy|ency|hood|dom|tude|logy|graphy|cy"
    r"|people|men|women|children|feet|teeth|mice)$",
    re.IGNORECASE,
)


def _needs_no_article(noun: str) -> bool:
    named = noun[:1].isupper() or not noun.isascii() or not noun.isalpha()
    if named or noun in _near_topic().uncountable.split():
        return True
    return _ARTICLELESS.search(noun) is not None and noun not in _near_topic().countable.split()


def _plural(noun: str) -> str:
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:s|x|z|ch|sh)$", noun) else f"{noun}s"
