"""A conversation as a page shows it: what is typed is answered, by one side or by both."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import CourseworkError, InputError
from train.chat.retrieval import Document, Retrieval
from train.chat.turns import Chat, Pieces, Side, Turn, legible, shown
from train.generation import Generation as Rules

LONGEST_QUESTION = 8000
"""Letters; few students hold more."""
DOCUMENTS = 5
"""The most that are laid beside a question."""
BROKEN = "Something went wrong here; the terminal says what."

Message = dict[str, Any]


@dataclass
class Log:
    """What was said to one side and by it: as it is shown, and as turns that a later question may build on."""

    messages: list[Message] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)


class Session:
    """The conversation of one visitor. No dataclass: gradio would lay it open in the page's own settings."""

    def __init__(self) -> None:
        self.logs: dict[Side, Log] = {"student": Log(), "base": Log()}


@dataclass(frozen=True)
class Wish:
    """How a visitor wants a question to be answered: the controls of the page, in their order."""

    decoding: str
    temperature: float
    top_p: float
    tokens: int
    seed: int
    system: str
    lookup: bool
    documents: int
    beside: bool

    def rules(self) -> Rules:
        """The setting it comes to. Nothing drawn is greedy, and without a seed every answer is drawn anew."""
        given: dict[str, Any] = {"max_new_tokens": int(self.tokens)}
        if self.decoding != "greedy" and self.temperature:
            seed = int(self.seed) or secrets.randbelow(2**32)
            given |= {"decoding": self.decoding, "temperature": self.temperature, "top_p": self.top_p, "seed": seed}
        return Rules.model_validate(given)


class Talk:
    """Answers what is typed on the page."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._retrieval = Retrieval(chat.taught.documents)

    def answer(self, question: str, session: Session, wish: Wish) -> Iterator[None]:
        """The session grows, and each step says that it has. What was said before a stop stays said."""
        question = question.strip()
        logs = {side: session.logs[side] for side in self.chat.voices if side == "student" or wish.beside}
        if not question:
            return
        for log in logs.values():
            log.messages.append({"role": "user", "content": legible(question)})
        yield
        for side, log in logs.items():
            try:
                yield from self._say(question, side, log, wish)
            except CourseworkError as fault:
                log.messages.append(_said(str(fault)))
                yield
            except Exception:  # noqa: BLE001 - a bug of ours ends one answer; a visitor is shown nothing of it
                traceback.print_exc()
                log.messages.append(_said(BROKEN))
                yield

    def _say(self, question: str, side: Side, log: Log, wish: Wish) -> Iterator[None]:
        if len(question) > LONGEST_QUESTION:
            raise InputError(f"The question has {len(question):,} letters; at most {LONGEST_QUESTION:,} are taken.")
        voice, rules = self.chat.voices[side], wish.rules()
        turn = voice.fitting(self._turn(question, log, wish), rules)
        place, text = len(log.messages), ""
        pieces = Pieces(voice.stream(turn, rules))
        for piece in pieces:
            text += piece
            log.messages[place:] = [_said(text)]
            yield
        answer = pieces.answer
        log.messages[place:] = [_said(shown(answer, rules)), *map(_source, turn.documents)]
        if self.chat.taught.dialogues:
            log.turns += [question, answer.text]
        yield

    def _turn(self, question: str, log: Log, wish: Wish) -> Turn:
        found = self._retrieval.nearest(question, min(int(wish.documents), DOCUMENTS)) if wish.lookup else ()
        system = None if self.chat.system is None or wish.system == self.chat.system else wish.system
        return Turn(question, tuple(found), tuple(log.turns), system)


def _said(text: str) -> Message:
    return {"role": "assistant", "content": legible(text)}


def _source(document: Document) -> Message:
    """Folded, under its name."""
    return _said(document.text) | {"metadata": {"title": document.name, "status": "done"}}
