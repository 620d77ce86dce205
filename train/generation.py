"""How a student is asked: one set of rules for the examination and the chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from train.students import Student, has_gpu

MARGIN = 1.25
"""An answer may be a quarter longer than the longest one taught before it counts as not stopping."""


class Generation(BaseModel):
    """Everything that shapes an answer beside the weights. Nothing here hides a fault of training: no
    penalty on repetition, no forbidden n-grams, no sampling."""

    model_config = ConfigDict(frozen=True)

    decoding: Literal["greedy"] = "greedy"
    max_new_tokens: int = Field(ge=1, description="after which an answer is cut and counts as not stopped")
    batch: int = Field(default=64, ge=1, description="questions asked at once")

    @classmethod
    def for_longest(cls, tokens: int) -> Generation:
        """Room for an answer of so many tokens and a margin."""
        return cls(max_new_tokens=max(tokens + 8, round(tokens * MARGIN)))


@dataclass(frozen=True)
class Answer:
    """What came back, and whether the student ended it or the limit did."""

    text: str
    stopped_by: Literal["end", "limit"]


def answers_to(
    prompts: Sequence[str],
    student: Student,
    generation: Generation,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Answer]:
    """The student's answers, in the order of the prompts.

    They are asked in batches of like length, padded on the left so that every answer begins where
    its prompt ends. Raises InputError for a prompt that leaves no room for an answer.
    """
    asked = [student.encode(prompt) for prompt in prompts]
    lengths = [len(ids) for ids in asked]
    for prompt, length in zip(prompts, lengths, strict=True):
        if length + generation.max_new_tokens > student.context:
            raise InputError(
                f"The prompt {prompt[:60]!r} has {length} tokens, which leaves no room for an answer of "
                f"{generation.max_new_tokens} in the student's {student.context}.",
                remedy="Ask a shorter question.",
            )
    if has_gpu():
        student.model.to("cuda")
    student.model.generation_config = _rules(student, generation)
    order = sorted(range(len(prompts)), key=lambda place: (lengths[place], place))
    answers: dict[int, Answer] = {}
    for start in range(0, len(order), generation.batch):
        places = order[start : start + generation.batch]
        answers.update(zip(places, _batch([asked[place] for place in places], student), strict=True))
        progress(len(answers), len(prompts))
    return [answers[place] for place in range(len(prompts))]


def _batch(prompts: list[list[int]], student: Student) -> list[Answer]:
    import torch

    model, tokenizer = student.model.eval(), student.tokenizer
    padded = tokenizer.pad({"input_ids": prompts}, return_tensors="pt", padding_side="left")
    asked = padded.to(model.device)
    with torch.inference_mode():
        produced = model.generate(input_ids=asked["input_ids"], attention_mask=asked["attention_mask"])
    return [_answer(row.tolist(), student) for row in produced[:, asked["input_ids"].shape[1] :]]


def _rules(student: Student, generation: Generation) -> Any:
    """The rules in the model's own form. They replace the base's, for whatever `generate` is not told
    it takes from there: a penalty on repetition, a minimum length."""
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=generation.max_new_tokens,
        do_sample=False,
        eos_token_id=sorted(student.stops_on),
        pad_token_id=student.tokenizer.pad_token_id,
    )


def _answer(tokens: list[int], student: Student) -> Answer:
    end = next((place for place, token in enumerate(tokens) if token in student.stops_on), None)
    text = student.tokenizer.decode(tokens[:end], skip_special_tokens=True).strip()
    return Answer(text, "limit" if end is None else "end")
