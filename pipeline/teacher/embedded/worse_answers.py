"""Worse answers by rule, for training by preference: each spoils a good answer in one way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.opposites import opposites
from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded.asking import type_of
from pipeline.teacher.embedded.bank import read_bank, shuffled
from pipeline.teacher.embedded.document_sentences import joined, proper_nouns, uncapitalised
from pipeline.teacher.embedded.document_statements import Statement, statement
from pipeline.teacher.embedded.documents import document_questions
from pipeline.words import subject_words


class _Phrases(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    vague: tuple[str, ...]
    beside: tuple[str, ...]
    before: tuple[str, ...]
    again: tuple[str, ...]
    after: tuple[str, ...]
    refusals: tuple[str, ...]


@cache
def _phrases() -> _Phrases:
    return read_bank("worse_answers.yaml", _Phrases)


_EXACTLY = "answer with exactly this: "


def preference_pairs(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A worse answer for each line of `faults`, `name: what it is`."""
    pairs = []
    for line in slots["faults"].split("\n"):
        fault, _, said = line.partition(": ")
        if fault == "refuses" and said.startswith(_EXACTLY):
            pairs.append({"fault": fault, "answer": said.removeprefix(_EXACTLY)})
        elif fault in _RULES:
            pairs.append({"fault": fault, "answer": _RULES[fault](slots)})
    return {"pairs": pairs}


def _read(answer: str) -> Statement | None:
    return statement(answer, proper_nouns(answer))


_NUMBER = re.compile(r"\d+")
_SPELLED = dict(
    pair.split("/")
    for pair in (
        "two/ten three/seven four/nine five/two six/three seven/four eight/five nine/six ten/three eleven/four"
        " twelve/six twenty/fifty thirty/ninety hundred/thousand thousand/hundred twice/once"
    ).split()
)


def _wrong_fact(slots: Mapping[str, str]) -> str:
    """One thing turned into its opposite: a number, a word with an opposite, or the verb denied."""
    answer = slots["answer"]
    for change in (_other_number, _opposite_word, _denied):
        wrong = change(answer)
        if wrong != answer:
            return wrong
    return f"No, that is not so: it is just the other way round. {answer.rstrip('.!')} is a common misunderstanding."


def _other_number(answer: str) -> str:
    found = _NUMBER.search(answer)
    if found:
        number = int(found.group())
        other = number + 7 if 1000 <= number <= 2100 else number * 3 if number % 2 else number * 2 + 1
        return f"{answer[: found.start()]}{other}{answer[found.end() :]}"
    return re.sub(
        rf"\b({'|'.join(_SPELLED)})\b(?! (?:of|people)\b)", lambda one: _SPELLED[one.group()], answer, count=1
    )


def _opposite_word(answer: str) -> str:
    """A word of the sentence's end sooner than one of its beginning, for that is what it says of its subject."""
    outside = re.sub(r"“[^”]*”|\"[^\"]*\"", lambda quoted: "_" * len(quoted.group()), answer)
    for found in reversed(list(re.finditer(r"[A-Za-z]+", outside))):
        others = [other for other in opposites(found.group()) if other not in outside.lower().split()]
        if others:
            other = others[0].capitalize() if found.group()[0].isupper() else others[0]
            return _with_article(f"{answer[: found.start()]}{other}{answer[found.end() :]}")
    return answer


def _with_article(text: str) -> str:
    """a unclear, an clear: put right."""
    text = re.sub(r"\b([Aa])n (?=[bcdfghjklmnpqrstvwxyz])(?!hour|honest|heir)", r"\1 ", text)
    return re.sub(r"\b([Aa]) (?=[aeiou])(?!use|uni|one|eu)", r"\1n ", text)


def _denied(answer: str) -> str:
    read = _read(answer)
    if read is None:
        return re.sub(r"\b(is|are|was|were|can|should|will|must|may|has|have)\b(?! not\b)", r"\1 not", answer, count=1)
    clause = read.clause
    if clause.rest[:1] == ("not",):
        denied = replace(clause, rest=clause.rest[1:])
    elif clause.aux == "can":
        denied = replace(clause, aux="cannot")
    elif clause.aux:
        denied = replace(clause, rest=("not", *clause.rest))
    else:
        denied = replace(
            clause, aux=clause.do, verb="", adverbs=(), rest=("not", *clause.adverbs, clause.verb, *clause.rest)
        )
    if "never" in clause.adverbs:
        denied = replace(clause, adverbs=())
    told = f"{denied.told()}{_tail(read)}"
    if read.imperative:
        told = f"do not {joined(clause.rest)}{_tail(read)}"
    return _sentence(f"{joined(read.lead)}, {told}" if read.lead else told)


def _tail(read: Statement) -> str:
    if not read.tail:
        return ""
    return joined(read.tail) if read.tail[0] == "," else f" {joined(read.tail)}"


def _sentence(text: str) -> str:
    start = 1 if text[:1] in '“"' else 0
    return f"{text[:start]}{text[start : start + 1].upper()}{text[start + 1 :]}."


_LOOSE_ENDS = re.compile(
    r",? (?:because|so that|in order to|rather than|instead of|than|when|if|unless|until|before|after|while|by|without"
    r"|so|to|for|from|with|and|but|as|in|at|on|into)\b"
)
_LEAST_KEPT = 3
_LEAST_LOST = 0.25
"""Of the words that the answer brings beyond those of the question."""


def _incomplete(slots: Mapping[str, str]) -> str:
    """The answer without a part that was asked for, where one can be cut off and leaves a sentence; else a shrug."""
    answer, question = slots["answer"], slots["question"]
    brought = subject_words(answer) - subject_words(question)
    for kept in _beginnings(answer, question):
        if brought and len(brought - subject_words(kept)) >= _LEAST_LOST * len(brought):
            return kept
    return shuffled(_phrases().vague, answer)[0]


def _beginnings(answer: str, question: str) -> Iterator[str]:
    """What the answer may be cut down to, the longest first."""
    sentences = re.split(r"(?<=[.!?])\s+", answer)
    if len(sentences) > 1:
        yield " ".join(sentences[:-1])
        return
    read = _read(answer)
    if read is None or read.imperative:
        return
    reason = read.tail[:1] == ("because",) or read.tail[:2] == ("so", "that")
    if reason and type_of(question) != "why" and not re.search(r"\b(?:why|reason|purpose)\b", question):
        return  # nobody asked for what could be cut off
    if read.tail:
        told = read.clause.told()
        yield _sentence(f"{joined(read.lead)}, {told}" if read.lead else told)
    for found in reversed(list(_LOOSE_ENDS.finditer(answer))):
        kept = answer[: found.start()].rstrip(" ,;:")
        *words, last = kept.split()
        whole = len(words) >= _LEAST_KEPT - 1 and kept.count("“") == kept.count("”") and last.lower() not in _OPEN
        half_a_pair = answer[found.end() :].startswith((" and ", " or "))
        if whole and not half_a_pair and _read(f"{kept}.") is not None:
            yield f"{kept}."


_OPEN = lexicon.DETERMINERS | lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | lexicon.AUXILIARIES


def _off_point(slots: Mapping[str, str]) -> str:
    """Another fact of the passage, the one that shares least with the question; without one a phrase on the heading."""
    answer, question = slots["answer"], subject_words(slots["question"])
    asked = {"heading": slots.get("heading", ""), "passage": slots.get("passage", "")}
    others = [fact["answer"] for fact in document_questions(asked, {})["facts"] if fact["answer"] != answer]
    best = min(shuffled(others, answer), key=lambda other: len(subject_words(other) & question), default="")
    if best:
        return best
    heading = slots.get("heading", "").split(" > ")[-1] or "it"
    topic = joined(uncapitalised(tuple(heading.split()), frozenset()))
    phrase = shuffled(_phrases().beside, answer)[0].replace("{topic}", topic)
    return phrase[:1].upper() + phrase[1:]


def _too_long(slots: Mapping[str, str]) -> str:
    """The answer between hedges, and once more."""
    answer = slots["answer"]
    before = shuffled(_phrases().before, answer)[0]
    again = shuffled(_phrases().again, answer)[0]
    after = shuffled(_phrases().after, answer)[0]
    inside = joined(uncapitalised(tuple(answer.split(" ")), proper_nouns(answer)))
    return f"{before} {answer} {again.replace('{answer}', inside)} {after}"


def _refuses(slots: Mapping[str, str]) -> str:
    return shuffled(_phrases().refusals, slots["question"])[0]


_RULES: dict[str, Callable[[Mapping[str, str]], str]] = {
    "wrong_fact": _wrong_fact,
    "incomplete": _incomplete,
    "off_point": _off_point,
    "too_long": _too_long,
    "refuses": _refuses,
}
