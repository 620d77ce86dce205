"""Dialogues with a persona by rule: turns from a bank, told in the voice of the card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.teacher.embedded.bank import most, read_bank, shuffled
from pipeline.teacher.embedded.personas import about, sayings
from pipeline.teacher.embedded.voice import Card, Voice, read_card

_TRIES = 8


class Turn(BaseModel):
    """What is asked, and what there is to say to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    say: tuple[str, ...]


class Side(BaseModel):
    """Dialogues that begin with one side of a subject, and the words that name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: str
    words: tuple[str, ...]
    dialogues: tuple[tuple[Turn, ...], ...]


@cache
def _sides() -> tuple[Side, ...]:
    return read_bank("persona_dialogues.yaml", tuple[Side, ...])


def persona_turns(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """As many turns as the schema allows, or as a dialogue of the bank has, about the `subject`."""
    card, topic = read_card(slots["persona"]), slots["subject"].strip()
    said = set(re.findall(r"[\w-]+", slots["side"].casefold()))
    side = next((one for one in _sides() if said & set(one.words)), None)
    known = side.dialogues if side else tuple(one for every in _sides() for one in every.dialogues)
    number = int(shuffled([str(at) for at in range(len(known))], card.name, topic, slots["side"])[0])
    turns: list[dict[str, str]] = []
    for turn in known[number][: most(schema, "turns")]:
        answer = _answer(turn, topic, card, [one["answer"] for one in turns])
        turns.append({"question": about(turn.ask, topic), "answer": answer})
    return {"turns": turns}


def _answer(turn: Turn, topic: str, card: Card, given: Sequence[str]) -> str:
    """In the voice, and so that no turn of the card's comes twice in one dialogue."""
    voice = Voice(card, sayings().reasons, sayings().fillers)
    said = [about(text, topic) for text in shuffled(turn.say, card.name, topic)]
    tries = [
        voice.dressed(said[number % len(said)], topic, f"{card.name}\n{turn.ask}\n{topic}\n{number}")
        for number in range(_TRIES)
    ]
    used = [phrase for phrase in card.phrases if any(phrase in one for one in given)]
    return next((one for one in tries if not any(phrase in one for phrase in used)), tries[0])
