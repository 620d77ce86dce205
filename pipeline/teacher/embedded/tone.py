"""Answers told again by rule: between a greeting, thanks and an offer of help, or in the voice of a card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.teacher.embedded.asking import topic_of
from pipeline.teacher.embedded.bank import read_bank, share, shuffled
from pipeline.teacher.embedded.document_sentences import joined, proper_nouns, uncapitalised
from pipeline.teacher.embedded.voice import Voice, read_card


class _Desk(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    greetings: tuple[str, ...]
    nameless: tuple[str, ...]
    thanks: tuple[str, ...]
    leads: tuple[str, ...]
    offers: tuple[str, ...]


@cache
def _desk() -> _Desk:
    return read_bank("tone.yaml", _Desk)


_NAMED = re.compile(
    r"\b(?:my name is|this is|i am|i'm) (?P<one>[A-Z][\w’'-]+)|\b(?P<other>[A-Z][\w’'-]+) here[.!,]", re.IGNORECASE
)
_LED = 0.4
"""Of answers, how many a word leads in."""
_OF_THE_DAY = re.compile(r"^Good (?:morning|afternoon|evening)")


def tone_answers(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The `answer` to the `question`: dressed for the card where there is one, else as a support desk says it."""
    if "persona" in slots:
        card = read_card(slots["persona"])
        said = Voice(card, (), ()).dressed(slots["answer"], topic_of(slots["question"], card.topics), slots["question"])
    else:
        said = _at_the_desk(slots["question"], slots["answer"])
    return {"answers": [{"answer": said}]}


def _at_the_desk(question: str, answer: str) -> str:
    desk = _desk()
    found = _NAMED.search(question)
    name = (found["one"] or found["other"]) if found else ""
    greeting = shuffled(desk.greetings if name else desk.nameless, question)[0].replace("{name}", name)
    if day := _OF_THE_DAY.search(question):
        greeting = f"{day.group()}, {name}." if name else f"{day.group()}."
    thanks, offer = shuffled(desk.thanks, question)[0], shuffled(desk.offers, question)[0]
    if not greeting.endswith(","):
        thanks = thanks[0].upper() + thanks[1:]
    return f"{greeting} {thanks} {_led(question, answer)} {offer}"


def _led(question: str, answer: str) -> str:
    """The answer, now and then after a word that leads to it."""
    if share("led", question) > _LED or ":" in answer:
        return answer
    inside = joined(uncapitalised(tuple(answer.split(" ")), proper_nouns(answer)))
    return f"{shuffled(_desk().leads, question)[0]} {inside}"
