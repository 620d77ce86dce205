"""What the rehearsed teacher says: sound chat completions, and the same spoilt in each way that teachers spoil them."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time
from typing import Any

from pipeline.teacher.rehearsal.drawing import SOUND

Completion = dict[str, Any]

USABLE = frozenset({SOUND, "fences", "think", "preface", "duplicate", "no_usage", "other_model", "drip"})
"""Outcomes whose reply a careful reader can use: to ask such a request again is to buy it twice."""

FIXED_FACTS: tuple[tuple[str, str, str], ...] = (
    (
        "A letter takes two days from the harbour to the island when the ferry runs.",
        "How long does a letter take from the harbour to the island?",
        "A letter takes two days from the harbour to the island.",
    ),
    (
        "The lighthouse was built of granite in 1871 because the wooden tower had burned down.",
        "Why was the lighthouse built of granite?",
        "The lighthouse was built of granite because the wooden tower had burned down.",
    ),
    (
        "The keeper winds the clock every Sunday and notes the depth of the water beside the pier.",
        "What does the keeper note every Sunday?",
        "Every Sunday the keeper notes the depth of the water beside the pier.",
    ),
    (
        "Seals rest on the northern rocks in May, when the pups are born.",
        "When do seals rest on the northern rocks?",
        "Seals rest on the northern rocks in May, when the pups are born.",
    ),
    (
        "The bell on the chapel is rung three times when fog hides the channel.",
        "How often is the chapel bell rung when fog hides the channel?",
        "The chapel bell is rung three times when fog hides the channel.",
    ),
)
"""Quote, question and answer of the canned reply; a document of these quotes is one it is true of."""


class NoAnswer(Exception):
    """The embedded teacher cannot answer this body; `str()` says why."""


def fixed_completion() -> Completion:
    """The canned reply: five facts in the form that document questions are asked for."""
    facts = [{"quote": quote, "answer": said, "questions": [asked]} for quote, asked, said in FIXED_FACTS]
    return {
        "id": "chatcmpl-rehearsal",
        "object": "chat.completion",
        "created": int(time()),
        "model": "rehearsal-fixed",
        "choices": [_choice(json.dumps({"facts": facts}))],
        "usage": {"prompt_tokens": 500, "completion_tokens": 300, "total_tokens": 800},
    }


def embedded_completion(body: Any, name: str) -> Completion:
    """The embedded teacher's reply to a chat-completions body, under an id of its own. Raises NoAnswer."""
    from pipeline.teacher.embedded import complete

    try:
        said = complete(body)
    except Exception as fault:  # one body that no rule can read must not end the server
        raise NoAnswer(f"The rehearsal cannot answer this request: {type(fault).__name__}: {fault}") from fault
    usage = said["usage"] | {"total_tokens": said["usage"]["prompt_tokens"] + said["usage"]["completion_tokens"]}
    return said | {"id": f"chatcmpl-{name}", "created": int(time()), "usage": usage}


def tokens(completion: Completion) -> tuple[int, int]:
    """Tokens read and written, as they are charged."""
    usage = completion["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def spoilt(completion: Completion, fault: str) -> Completion:
    """The completion with a fault of the answer in it; as it is where the fault is another's."""
    spoil = _SPOILS.get(fault)
    return spoil(completion) if spoil else completion


def _choice(content: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, "refusal": None} | message
    return {"index": 0, "finish_reason": finish, "logprobs": None, "message": said}


def _content(completion: Completion) -> str:
    return str(completion["choices"][0]["message"]["content"])


def _rewritten(rewrite: Callable[[str], str]) -> Callable[[Completion], Completion]:
    return lambda completion: completion | {"choices": [_choice(rewrite(_content(completion)))]}


def _instead(content: str | None, finish: str = "stop", **message: Any) -> Callable[[Completion], Completion]:
    return lambda completion: completion | {"choices": [_choice(content, finish, **message)]}


def _length_stop(completion: Completion) -> Completion:
    return completion | {"choices": [_choice(_cut_in_last_item(_content(completion)), "length")]}


def _cut_in_last_item(text: str) -> str:
    """Whole items up to the last one, and half of that: what an output limit leaves of a list."""
    items = _list_in(json.loads(text))
    if not items:
        return text[: len(text) // 2]
    last = json.dumps(items[-1], ensure_ascii=False)
    begin = text.rfind(last)
    return text[: begin + len(last) // 2] if begin >= 0 else text[: len(text) // 2]


def _list_in(value: Any) -> list[Any]:
    """The first list at the top of an answer; an answer without one gives an empty list."""
    found = next((part for part in value.values() if isinstance(part, list)), []) if isinstance(value, dict) else []
    return list(found)


def _twice(text: str) -> str:
    value = json.loads(text)
    doubled = {key: part * 2 if isinstance(part, list) else part for key, part in value.items()}
    return json.dumps(doubled, ensure_ascii=False)


def _other_shape(text: str) -> str:
    items = _list_in(json.loads(text))
    return json.dumps({"result": {str(number): item for number, item in enumerate(items, 1)}}, ensure_ascii=False)


_THOUGHT = '<think>\nThe reply must look like {"facts": []} or {"questions": ["..."]}; let me be careful.\n</think>\n\n'

_SPOILS: dict[str, Callable[[Completion], Completion]] = {
    "truncated": _rewritten(lambda text: text[: len(text) // 2]),
    "length_stop": _length_stop,
    "fences": _rewritten(lambda text: f"```json\n{text}\n```"),
    "think": _rewritten(lambda text: _THOUGHT + text),
    "preface": _rewritten(
        lambda text: f"Sure! Here is the JSON you asked for:\n\n{text}\n\nLet me know what you think."
    ),
    "wrong_schema": _rewritten(_other_shape),
    "empty": _instead(""),
    "refusal": _instead(None, refusal="I'm sorry, but I can't help with that."),
    "duplicate": _rewritten(_twice),
    "content_filter": _instead("", "content_filter"),
    "no_usage": lambda completion: {key: value for key, value in completion.items() if key != "usage"},
    "other_model": lambda completion: completion | {"model": "rehearsal-other"},
}
