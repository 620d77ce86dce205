"""How a row is laid out: which of its columns is the question, which the answer, and what stands before them.

    messages            {"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}, ...]}
    sharegpt            {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]}
    alpaca              {"instruction": ..., "input": ..., "output": ...}
    prompt_completion   {"prompt": ..., "completion": ...}, each a text or a list of messages
    question_answer     {"question": ..., "answer": ...}, or two columns of a CSV file without names

Names are compared in small letters, and columns beside these are left alone. What was the last turn of a conversation
becomes the question with its answer; the turns before it stay turns before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.mix.settings import Fields

Row = Mapping[str, Any]

_ANSWERS = ("answer", "output", "response", "completion", "solution", "answers", "reply", "target")
_CHOICES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # Layout to the names of what is asked and of what is answered, the first that a row has.
    "alpaca": (("instruction",), ("output", "response", "answer", "completion")),
    "prompt_completion": (("prompt",), ("completion", "response", "answer", "output")),
    "question_answer": (("question", "query", "problem"), _ANSWERS),
}
_TURNS = {"messages": ("messages",), "sharegpt": ("conversations", "conversation", "messages", "dialogue")}
_INPUTS = ("input", "context")
_SYSTEMS = ("system", "system_prompt")
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
NAMELESS = ("1", "2")
"""What the columns of a file without names are called: question, then answer."""


class Unusable(Exception):
    """A row that cannot be made a question with its answer: a code, and a sentence."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


class Turns(NamedTuple):
    """What a row says: what is asked and answered last, and what stands before it."""

    question: str
    answer: str
    context: str = ""
    system: str = ""
    earlier: tuple[str, ...] = ()


class Layout(NamedTuple):
    """Where in a row what stands. Of `messages` and of `question` with `answer` one is empty."""

    name: str
    question: str = ""
    answer: str = ""
    context: str = ""
    system: str = ""
    messages: str = ""

    @property
    def columns(self) -> list[str]:
        """The columns that are read, by the names at the top of a row."""
        named = (self.question, self.answer, self.context, self.system, self.messages)
        return list(dict.fromkeys(name.partition(".")[0] for name in named if name))

    def turns(self, row: Row) -> Turns:
        """What the row says. Raises Unusable."""
        system = _text(_at(row, self.system)) if self.system else ""
        if self.messages:
            return _last_of(_messages(_at(row, self.messages)), system)
        asked, answered = _at(row, self.question), _at(row, self.answer)
        if isinstance(asked, list) or isinstance(answered, list):
            asked = _messages(asked) if isinstance(asked, list) else [("user", _text(asked))]
            answered = _messages(answered) if isinstance(answered, list) else [("assistant", _text(answered))]
            return _last_of([*asked, *answered], system)
        context = _text(_at(row, self.context)) if self.context else ""
        return _whole(Turns(_text(asked), _text(answered), context, system))


def named_by(fields: Fields) -> Layout:
    """The layout that a recipe spells out."""
    return Layout("fields", **fields.model_dump())


def layout_of(columns: Iterable[str], wanted: str = "auto") -> Layout | None:
    """The layout of rows with these columns, `wanted` or the first that fits; None if none does."""
    by_name = {name.strip().lower(): name for name in columns}
    if set(by_name) == set(NAMELESS):
        return Layout("question_answer", *NAMELESS) if wanted in ("auto", "question_answer") else None
    system = _first(by_name, _SYSTEMS)
    for name, lists in _TURNS.items():
        found = _first(by_name, lists)
        if found and wanted in ("auto", name):
            return Layout(
                name if name != "sharegpt" or found.lower() != "messages" else "messages", messages=found, system=system
            )
    for name, (questions, answers) in _CHOICES.items():
        question, answer = _first(by_name, questions), _first(by_name, answers)
        if question and answer and wanted in ("auto", name):
            return Layout(name, question, answer, _first(by_name, _INPUTS) if name == "alpaca" else "", system)
    return None


def _first(by_name: Mapping[str, str], names: Sequence[str]) -> str:
    return next((by_name[name] for name in names if name in by_name), "")


def _at(row: Row, path: str) -> Any:
    """The value of a column; of `a.b` what stands under b inside a, of `a.0` the first of a list."""
    if path in row:
        return row[path]
    value: Any = row
    for step in path.split("."):
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    """A text without blanks around it. Numbers are texts too; of parts, as in chat messages, each must be text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "\n".join(_text(part.get("text") if isinstance(part, Mapping) else part) for part in value)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise Unusable("not_text", f"expected text, found {type(value).__name__}")


def _messages(value: Any) -> list[tuple[str, str]]:
    """Role and text of each message, whatever their keys are called."""
    if not isinstance(value, list) or not value:
        raise Unusable("no_turns", "expected a list of turns")
    found = []
    for message in value:
        if not isinstance(message, Mapping):
            raise Unusable("no_turns", f"expected turns with a role and a text, found {type(message).__name__}")
        said = message.get("role", message.get("from", ""))
        role = _ROLES.get(str(said).strip().lower())
        if role is None:
            raise Unusable("strange_role", f"a turn of {str(said)[:40]!r}, which is neither user, assistant nor system")
        found.append((role, _text(message.get("content", message.get("value", message.get("text"))))))
    return found


def _last_of(messages: Sequence[tuple[str, str]], system: str) -> Turns:
    """The last question with its answer. What the assistant says unasked at the beginning, and what is never
    answered at the end, is left out."""
    system = "\n\n".join(part for part in (system, *(text for role, text in messages if role == "system")) if part)
    turns = [(role, text) for role, text in messages if role != "system"]
    while turns and turns[0][0] == "assistant":
        turns.pop(0)
    while turns and turns[-1][0] == "user":
        turns.pop()
    if not turns:
        raise Unusable("no_answer", "no turn of the user is answered")
    if any(role != ("user", "assistant")[number % 2] for number, (role, _) in enumerate(turns)):
        raise Unusable("turns_out_of_order", "user and assistant do not speak in turn")
    texts = [text for _, text in turns]
    if not all(texts[:-2]):
        raise Unusable("empty_turn", "one of the earlier turns is empty")
    return _whole(Turns(texts[-2], texts[-1], "", system, tuple(texts[:-2])))


def _whole(found: Turns) -> Turns:
    if not found.question:
        raise Unusable("no_question", "nothing is asked")
    if not found.answer:
        raise Unusable("no_answer", "nothing is answered")
    return found


_SAYS_NOTHING = re.compile(
    r"you(?: are|['’]re) (?:an?|the) (?:\w+,? ){0,5}?(?:ai )?(?:assistant|chatbot|language model|ai)"
    r"(?: (?:that|who) (?:helps|is (?:helpful|here to help)|(?:provides|gives) (?:\w+ ){0,3}answers)[^.]{0,60})?[.! ]*",
    re.IGNORECASE,
)


def says_nothing(system: str) -> bool:
    """Whether a system prompt says no more than that an assistant helps, so that nothing is lost without it."""
    return _SAYS_NOTHING.fullmatch(system.strip()) is not None
