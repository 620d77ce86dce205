"""A persona's questions and answers by rule: situations from a bank, told in the voice of the card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict
from rapidfuzz.fuzz import ratio

from pipeline.records import normalised
from pipeline.teacher.embedded.asking import choices, topic_of, type_of
from pipeline.teacher.embedded.bank import most, read_bank, shuffled
from pipeline.teacher.embedded.voice import Card, Voice, read_card
from pipeline.words import alike


class Situation(BaseModel):
    """A question, and what there is to say about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    say: tuple[str, ...]

    @property
    def names_topic(self) -> bool:
        """It can be asked of any topic."""
        return "{topic}" in self.ask


class Mood(BaseModel):
    """Situations of one kind, and the words of an instruction that call for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mood: str
    words: tuple[str, ...]
    situations: tuple[Situation, ...]


class Sayings(BaseModel):
    """What to say where no situation fits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heads: dict[str, tuple[str, ...]]
    reasons: tuple[str, ...]
    fillers: tuple[str, ...]


@cache
def _moods() -> tuple[Mood, ...]:
    return read_bank("persona_questions.yaml", tuple[Mood, ...])


@cache
def sayings() -> Sayings:
    """The bank of them."""
    return read_bank("persona_answers.yaml", Sayings)


# Two questions this alike (0 to 100) ask the same with another word in it; answers may share a turn of the card.
_QUESTIONS_ALIKE = 88
_ANSWERS_ALIKE = 85
_SAME_SITUATION = 80
_TRIES = 8
_EVERYDAY = ("everyday life", "good food", "long journeys", "old friends", "hard work", "music")


def persona_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """As many questions as the schema allows in the mood of the `instruction`, some of them on the card's topics."""
    card = read_card(slots["persona"])
    wanted = most(schema, "questions")
    chosen: list[str] = []
    for question in _candidates(_mood(slots["instruction"]), card.topics or _EVERYDAY, card.name):
        if len(chosen) == wanted:
            break
        if all(ratio(question, other) < _QUESTIONS_ALIKE for other in chosen):
            chosen.append(question)
    return {"questions": chosen}


def _mood(instruction: str) -> Mood:
    """The first mood that a word of the instruction calls for; the last one serves for any instruction."""
    said = set(re.findall(r"[\w-]+", instruction.casefold()))
    return next((mood for mood in _moods() if said & set(mood.words)), _moods()[-1])


def _candidates(mood: Mood, topics: Sequence[str], name: str) -> Iterator[str]:
    """Each situation once, in mixed order; then those that name a topic again with the other topics."""
    frames = shuffled((s.ask for s in mood.situations if s.names_topic), name, mood.mood)
    plain = [s.ask for s in mood.situations if not s.names_topic]
    order = shuffled(topics, name, mood.mood)
    for turn in range(len(order)):
        asked = [frame.replace("{topic}", order[(at + turn) % len(order)]) for at, frame in enumerate(frames)]
        yield from shuffled([*asked, *plain] if turn == 0 else asked, name, "order")
    if mood != _moods()[-1]:
        yield from _candidates(_moods()[-1], topics, name)


def persona_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer to each numbered line of `questions`, in the voice of the card and within its constraints."""
    card = read_card(slots["persona"])
    voice = Voice(card, sayings().reasons, sayings().fillers)
    given: list[str] = []
    answers = []
    for number, question in _numbered(slots["questions"])[: most(schema, "answers")]:
        given.append(_answer(question, card, voice, given))
        answers.append({"number": number, "answer": given[-1]})
    return {"answers": answers}


def _numbered(text: str) -> list[tuple[int, str]]:
    """`1. question` lines; a line without a number goes on with the question before it."""
    found: list[tuple[int, str]] = []
    for line in text.split("\n"):
        numbered = re.match(r"\s*(\d+)[.)]\s+(.*\S)", line)
        if numbered:
            found.append((int(numbered[1]), numbered[2]))
        elif found and line.strip():
            number, question = found[-1]
            found[-1] = (number, f"{question} {line.strip()}")
    return found


def _answer(question: str, card: Card, voice: Voice, given: Sequence[str]) -> str:
    """The first try that is unlike the answers given before, else the most unlike."""
    topic, said = _what_to_say(question, card.topics)
    tries = [
        voice.dressed(said[number % len(said)], topic, f"{card.name}\n{question}\n{number}") for number in range(_TRIES)
    ]
    likeness = [max((ratio(text, other) for other in given), default=0.0) for text in tries]
    unlike = next((at for at, score in enumerate(likeness) if score < _ANSWERS_ALIKE), None)
    return tries[likeness.index(min(likeness)) if unlike is None else unlike]


def _what_to_say(question: str, topics: Sequence[str]) -> tuple[str, list[str]]:
    """What the question is about, and neutral answers to it in an order that is its own."""
    known = _situation(question)
    if known is not None:
        situation, captured = known
        topic = captured or topic_of(question, topics)
        return topic, [about(text, topic) for text in shuffled(situation.say, question)]
    topic = topic_of(question, topics)
    heads = shuffled(sayings().heads[type_of(question)], question)
    reasons = shuffled(sayings().reasons, question)
    offered = shuffled(choices(question), question)
    choice = offered[0] if offered else topic
    pairs = zip(heads, reasons, strict=False)
    return topic, [about(f"{head} {reason}", topic, choice) for head, reason in pairs]


def about(text: str, topic: str, choice: str = "") -> str:
    """The text with its topic and its choice, large where a sentence begins."""
    filled = text.replace("{topic}", topic).replace("{choice}", choice)
    return filled.replace("{Topic}", topic[:1].upper() + topic[1:]).replace("{Choice}", choice[:1].upper() + choice[1:])


def _situation(question: str) -> tuple[Situation, str] | None:
    """The situation that the question is in, with the topic it names; None if no situation comes near."""
    for pattern, situation in _frames():
        found = pattern.fullmatch(question.strip())
        if found:
            return situation, found["topic"]
    plain = normalised(question)
    near = max(_plain(), key=lambda one: ratio(plain, one[0]))
    return (near[1], "") if alike(plain, near[0], _SAME_SITUATION) else None


@cache
def _frames() -> tuple[tuple[re.Pattern[str], Situation], ...]:
    named = [situation for mood in _moods() for situation in mood.situations if situation.names_topic]
    return tuple((re.compile(re.escape(s.ask).replace(r"\{topic\}", "(?P<topic>.+)"), re.IGNORECASE), s) for s in named)


@cache
def _plain() -> tuple[tuple[str, Situation], ...]:
    return tuple((normalised(s.ask), s) for mood in _moods() for s in mood.situations if not s.names_topic)
