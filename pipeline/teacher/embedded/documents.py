"""Drafts questions and answers from a passage by rule, where no language model is at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.bank import most
from pipeline.teacher.embedded.document_reference import (
    content_words,
    is_self_contained,
    leans_on_its_neighbours,
    stands_alone,
)
from pipeline.teacher.embedded.document_rules import COMPLETION_RANK, ranked_wordings
from pipeline.teacher.embedded.document_statements import statement

DEFAULT_FACTS = 8
DEFAULT_WORDINGS = 8
_ALIKE = 88
"""Two wordings of one fact at least this similar (rapidfuzz ratio) are the same wording."""
_CONFUSED = 94
"""Two questions at least this similar that belong to different facts would be taken for one another."""
_EVERY_WORDING = 60
_FEWEST = 3
"""A fact that the rules can ask in fewer wordings than this was probably misread."""


@dataclass(frozen=True)
class Fact:
    """A quote, the answer it gives and the questions it answers."""

    quote: str
    answer: str
    questions: tuple[str, ...]


def document_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the passage with their questions, at most as many of each as the reply schema allows.

    A sentence that no rule reads safely gives no fact, so a passage may well give none.
    """
    most_facts, most_wordings = _limits(schema)
    passage = slots.get("passage", "")
    if not reading.is_english(passage):
        return {"facts": []}
    heading = [part.strip() for part in slots.get("heading", "").split(" > ") if part.strip()]
    facts = _distinct(_facts(passage, heading, most_wordings))
    best = sorted(range(len(facts)), key=lambda at: (-len(facts[at].questions), at))[:most_facts]
    chosen = [facts[at] for at in sorted(best)]
    return {"facts": [{"quote": f.quote, "answer": f.answer, "questions": list(f.questions)} for f in chosen]}


def reworded_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """More wordings of one fact of the passage: those that the rules know beside the ones shown."""
    heading = [part.strip() for part in slots.get("heading", "").split(" > ") if part.strip()]
    known = slots.get("known", "").splitlines()
    facts = _distinct(_facts(slots["passage"], heading, _EVERY_WORDING))
    same = (fact for fact in facts if (fact.quote, fact.answer) == (slots["quote"], slots["fact"]))
    questions = next((fact.questions for fact in same), ())
    new = [question for question in questions if all(fuzz.ratio(question, other) < _ALIKE for other in known)]
    return {"questions": new[: most(schema, "questions")]}


def _limits(schema: Mapping[str, Any]) -> tuple[int, int]:
    facts = schema.get("properties", {}).get("facts", {})
    item = facts.get("items", {})
    if "$ref" in item:
        item = schema.get("$defs", {}).get(item["$ref"].rsplit("/", 1)[-1], {})
    questions = item.get("properties", {}).get("questions", {})
    return int(facts.get("maxItems", DEFAULT_FACTS)), int(questions.get("maxItems", DEFAULT_WORDINGS))


def _facts(passage: str, heading: list[str], most: int) -> Iterator[Fact]:
    proper = reading.proper_nouns(passage)
    topic = _topic(heading, proper)
    for sentence in reading.sentences(passage):
        named = reading.named_item(sentence.text) if sentence.item else None
        found = _step(sentence, named, topic, most) if named else _plain(sentence.text, topic, proper, most)
        if found and len(found.questions) >= min(_FEWEST, most):
            yield found
    for row in reading.table_rows(passage):
        if told := row_fact(row, proper):
            yield Fact(row.text, told[0], different(told[1], most))


def _plain(text: str, topic: str, proper: frozenset[str], most: int) -> Fact | None:
    """The fact that a sentence states, or None where it leans on its neighbours or no rule reads it."""
    answer = without_connective(text)
    if not stands_alone(answer):
        return None
    read = statement(answer, proper)
    if read is None or leans_on_its_neighbours(read):
        return None
    ranked = list(ranked_wordings(read))
    if topic and ranked:
        first = min(ranked)[1]
        new = not content_words(topic) & content_words(first)
        if new and not read.lead and not first.startswith("how would you complete"):
            ranked.append((_TOPIC_RANK, f"on the subject of {topic}, {first}"))
    named = [(rank, wording) for rank, wording in ranked if is_definite(wording, answer)]
    if not any(rank < COMPLETION_RANK for rank, _ in named):
        return None
    return Fact(text, answer, different(named, most))


def is_definite(wording: str, answer: str) -> bool:
    """Whether the question shares enough words with the sentence to be about it and nothing else."""
    stems = {word[:4] for word in content_words(answer)}
    shared = {word for word in content_words(wording) if word[:4] in stems}
    return len(shared) >= 2 or bool(shared and _DEFINING.match(wording))


_DEFINING = re.compile(
    r"what (?:is|are) (?!it )|how would you define|what is meant|what does the term|can you explain what|"
    r"what do people have|how can .* be described|what definition|if someone asked you what \w+ is,"
)
_TOPIC_RANK = 3.7
_LIST_NOUNS = re.compile(
    r"\b(step|rule|habit|stage|tip|principle|reason|sign|phase|question|way|part)s\b", re.IGNORECASE
)


def _step(sentence: reading.Sentence, named: tuple[str, str], topic: str, most: int) -> Fact | None:
    """The fact of a list item "Pause: Let the other person speak."; its list and its heading say where it belongs."""
    name, explanation = named
    proper: frozenset[str] = frozenset()
    read = statement(explanation, proper) if stands_alone(explanation) else None
    if read is None or not topic:
        return None
    if not read.imperative or read.lead:
        return _plain(explanation, topic, proper, most)
    found = _LIST_NOUNS.search(sentence.lead)
    noun = found[1].lower() if found else "point"
    verb, *rest = reading.uncapitalised(reading.tokens(explanation.rstrip(".!")), proper)
    action, doing = reading.joined((verb, *rest)), reading.joined((english.gerund(verb), *rest))
    answer = f"In {topic}, the {noun} called “{name}” is to {action}."
    return Fact(sentence.text, answer, different(enumerate(wordings.step(name, noun, topic, action, doing)), most))


SITUATIONS = frozenset(("situation", "case", "occasion"))


def row_fact(row: reading.TableRow, proper: frozenset[str]) -> tuple[str, list[tuple[float, str]]] | None:
    """What the columns of a row give for the situation in its first cell, where they name ways to act; and how to ask
    for it, the most direct wording first.
    """
    situation = inside(row.cells[0], proper)
    contents = [inside(content, proper) for content in row.cells[1:]]
    columns = [column.lower() for column in row.columns[1:]]
    if row.columns[0].lower() not in SITUATIONS or statement(row.cells[0], proper) is None:
        return None
    if not all(english.is_gerund(content.split()[0]) for content in contents) or len(columns) > 3:
        return None
    if not all(re.fullmatch(r"[a-z][a-z ]+", column) for column in columns):
        return None
    said = [
        f"{wordings.article(column)} {column} is {content}" for column, content in zip(columns, contents, strict=True)
    ]
    answer = f"When {situation}, {', and '.join(said)}."
    return answer, list(enumerate(wordings.row(columns, contents, situation)))


def inside(text: str, proper: frozenset[str]) -> str:
    """A cell or heading as it reads inside a sentence."""
    return reading.joined(reading.uncapitalised(reading.tokens(text), proper))


def without_connective(text: str) -> str:
    """The sentence without the "However, " that leans on the one before it."""
    for connective in lexicon.CONNECTIVES:
        if text.startswith(connective + ", "):
            rest = text[len(connective) + 2 :]
            return rest[:1].upper() + rest[1:]
    return text


def different(ranked: Iterable[tuple[float, str]], most: int) -> tuple[str, ...]:
    """The best-ranked wordings that stand alone, name what they ask about and differ from one another."""
    chosen: list[str] = []
    for _, wording in sorted(ranked):
        question = wordings.finished(wording)
        if len(chosen) == most:
            break
        if len(question.split()) > 34 or not is_self_contained(question):
            continue
        if all(fuzz.ratio(question.casefold(), other.casefold()) < _ALIKE for other in chosen):
            chosen.append(question)
    return tuple(chosen)


def _topic(heading: list[str], proper: frozenset[str]) -> str:
    """The innermost heading as words inside a sentence, or "" where it names nothing."""
    if not heading or heading[-1].lower() in _EMPTY_HEADINGS:
        return ""
    words = reading.tokens(heading[-1])
    if not 1 <= len(words) <= 4 or words[0].lower() in lexicon.SUBORDINATORS:
        return ""  # "On the subject of when the kettle leaks" is no English
    if not all(re.fullmatch(r"“?[A-Za-z’'-]+”?", word) for word in words):
        return ""
    title_case = sum(word[0].isupper() for word in words) > 1
    if title_case and not proper & set(words):
        words = tuple(reading.uncapitalised((word,), proper)[0] for word in words)
    return reading.joined(reading.uncapitalised(words, proper))


_EMPTY_HEADINGS = frozenset(
    "introduction overview summary conclusion conclusions general background contents appendix notes references "
    "abstract preface foreword glossary".split()
)


def _distinct(facts: Iterator[Fact]) -> list[Fact]:
    """The facts without questions that could be taken for a question of an earlier fact."""
    kept: list[Fact] = []
    taken: list[str] = []
    for fact in facts:
        questions = tuple(q for q in fact.questions if not any(confused(q, other) for other in taken))
        if len(questions) < min(_FEWEST, len(fact.questions)) or not questions:
            continue
        kept.append(Fact(fact.quote, fact.answer, questions))
        taken.extend(question.casefold() for question in questions)
    return kept


def confused(question: str, other: str) -> bool:
    """Whether a question would be taken for another, which is given in lower case."""
    return fuzz.ratio(question.casefold(), other) >= _CONFUSED
