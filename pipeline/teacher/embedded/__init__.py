"""The embedded teacher: an in-process endpoint that drafts by rule, for a run without key or network.

It reads the slots out of the prompt and the number wanted out of the reply schema, as any teacher
must, and its replies pass the same checks. It is a stand-in: it quotes, recombines and looks up, and
understands nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from pipeline.teacher.completion import read_completion
from pipeline.teacher.faults import RequestRejected
from pipeline.teacher.request import Reply, Request
from pipeline.teacher.speech import Speech

Drafter = Callable[[Mapping[str, str], Mapping[str, Any]], dict[str, Any]]

_SLOT = re.compile(r"<([a-z_]+\d*)>\n?(.*?)\n?</\1>", re.DOTALL)


def _fingerprint() -> str:
    """Changes with any rule or bank, so that replies of older rules are not taken for today's."""
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in {".py", ".yaml"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()


MODEL_PREFIX = "coursework-embedded"
MODEL = f"{MODEL_PREFIX}-{_fingerprint()}"


@cache
def _drafters() -> dict[str, Drafter]:
    from pipeline.teacher.embedded.documents import document_questions, reworded_questions
    from pipeline.teacher.embedded.evolving import evolved_questions
    from pipeline.teacher.embedded.fixing import fixed
    from pipeline.teacher.embedded.in_context import in_context_answers
    from pipeline.teacher.embedded.instruct import instruct_choices, instruct_tasks
    from pipeline.teacher.embedded.judging import judged
    from pipeline.teacher.embedded.math import math_answers, math_problems
    from pipeline.teacher.embedded.multi_hop import multi_hop_questions
    from pipeline.teacher.embedded.passage_questions import passage_questions
    from pipeline.teacher.embedded.persona_talking import persona_turns
    from pipeline.teacher.embedded.personas import persona_answers, persona_questions
    from pipeline.teacher.embedded.refusals import (
        answered_questions,
        false_premise_questions,
        near_topic_questions,
        off_topic_questions,
    )
    from pipeline.teacher.embedded.summaries import section_notes, summaries
    from pipeline.teacher.embedded.talking import dialogue_turns
    from pipeline.teacher.embedded.task_data import task_data
    from pipeline.teacher.embedded.tone import tone_answers
    from pipeline.teacher.embedded.working import worked_answers
    from pipeline.teacher.embedded.worse_answers import preference_pairs

    return {
        "document_questions": document_questions,
        "passage_questions": passage_questions,
        "reworded_questions": reworded_questions,
        "multi_hop_questions": multi_hop_questions,
        "in_context_answers": in_context_answers,
        "summaries": summaries,
        "task_data": task_data,
        "section_notes": section_notes,
        "persona_questions": persona_questions,
        "persona_answers": persona_answers,
        "off_topic_questions": off_topic_questions,
        "near_topic_questions": near_topic_questions,
        "false_premise_questions": false_premise_questions,
        "answered_questions": answered_questions,
        "judge": judged,
        "math_answers": math_answers,
        "math_problems": math_problems,
        "instruct_tasks": instruct_tasks,
        "instruct_choices": instruct_choices,
        "preference_pairs": preference_pairs,
        "tone_answers": tone_answers,
        "worked_answers": worked_answers,
        "dialogue_turns": dialogue_turns,
        "persona_turns": persona_turns,
        "evolved_questions": evolved_questions,
        "fix": fixed,
    }


class EmbeddedTeacher:
    """An endpoint like any other, without a network behind it."""

    name = MODEL
    speech = Speech()

    async def send(self, request: Request) -> Reply:
        """The reply to a request, by rule."""
        answer = complete(orjson.loads(self.speech.body(request)))
        return read_completion(request.key, orjson.dumps(answer))

    async def close(self) -> None:
        """Nothing is held."""


def complete(body: Mapping[str, Any]) -> dict[str, Any]:
    """A chat completion for a chat-completions request body. Raises RequestRejected where no rule answers it.

    Where the body names no reply schema, as for an endpoint that takes none, the slots tell what is asked.
    """
    slots = dict(_SLOT.findall(str(body["messages"][-1]["content"])))
    wanted = (body.get("response_format") or {}).get("json_schema") or {}
    kind = wanted.get("name") or _kind_by_slots(slots)
    drafter = _drafters().get(kind)
    if drafter is None:
        raise RequestRejected(f"The embedded teacher has no rule for the reply schema {kind!r}.")
    text = json.dumps(drafter(slots, wanted.get("schema") or {}), ensure_ascii=False)
    read = sum(len(str(message["content"])) for message in body["messages"])
    return {
        "id": "embedded",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": _tokens(read), "completion_tokens": _tokens(len(text))},
    }


def _kind_by_slots(slots: Mapping[str, str]) -> str:
    signs = {
        "shown": "in_context_answers",
        "sizes": "summaries",
        "exercises": "task_data",
        "part": "section_notes",
        "known": "reworded_questions",
        "methods": "math_answers",
        "examples": "instruct_tasks",
        "equations": "math_problems",
        "wanted": "passage_questions",
        "wrong": "fix",
        "passage_2": "multi_hop_questions",
        "premise": "false_premise_questions",
        "faults": "preference_pairs",
        "dialogue": "dialogue_turns",
        "side": "persona_turns",
        "problem": "worked_answers",
        "voice": "tone_answers",
        "ways": "evolved_questions",
        "passages": "answered_questions",
        "answer": "judge",
        "passage": "document_questions",
        "questions": "persona_answers",
        "instruction": "persona_questions",
        "aspect": "near_topic_questions",
        "field": "off_topic_questions",
    }
    return next((kind for sign, kind in signs.items() if sign in slots), "")


def _tokens(characters: int) -> int:
    """English runs at about four characters a token."""
    return -(-characters // 4)
