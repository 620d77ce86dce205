"""How a student is asked: one set of rules for the examination, the chat and the card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.errors import InputError, UsageError
from train.sampling import OneToken
from train.students import Student, has_gpu

MARGIN = 1.25
"""An answer may be a quarter longer than the longest one taught before it counts as not stopping."""
Decoding = Literal["greedy", "balanced", "creative"]
PRESETS: dict[Decoding, dict[str, float]] = {
    "greedy": {"temperature": 0.0, "top_p": 1.0, "top_k": 0},
    "balanced": {"temperature": 0.7, "top_p": 0.9, "top_k": 0},
    "creative": {"temperature": 1.0, "top_p": 0.95, "top_k": 0},
}
"""Greedy says what is most likely; the other two leave out the tail of unlikely tokens (nucleus sampling, Holtzman
and others, 2020, arXiv:1904.09751)."""


class Generation(BaseModel):
    """Everything that shapes an answer beside the weights.

    Temperature, top_p and top_k are the decoding's own unless they are given. By default nothing hides a fault of
    training: no penalty on repetition, no forbidden n-grams. The same seed gives the same answers, whatever else is
    asked at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoding: Decoding = "greedy"
    temperature: float = Field(default=0.0, ge=0, le=5, description="0 takes the most likely token, always")
    top_p: float = Field(default=1.0, gt=0, le=1, description="share of probability that is drawn from; 1 is all")
    top_k: int = Field(default=0, ge=0, description="likeliest tokens that are drawn from; 0 is all")
    repetition_penalty: float = Field(default=1.0, ge=1, le=5, description="1 is none; more hides a fault of training")
    no_repeat_ngram: int = Field(default=0, ge=0, le=20, description="0 is off; else runs of so many tokens come once")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the draws; greedy makes none")
    max_new_tokens: int = Field(ge=1, description="after which an answer is cut and counts as not stopped")
    batch: int = Field(default=64, ge=1, description="questions asked at once")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**PRESETS.get(given.get("decoding", "greedy"), {}), **given}

    @model_validator(mode="after")
    def _nothing_is_said_in_vain(self) -> Generation:
        if self.decoding == "greedy" and (self.temperature, self.top_p, self.top_k) != (0, 1, 0):
            raise ValueError(
                "temperature, top_p and top_k shape a draw, and greedy makes none: choose another decoding"
            )
        if self.decoding != "greedy" and not self.temperature:
            raise ValueError("a temperature of 0 is greedy: say decoding greedy")
        return self

    @classmethod
    def for_longest(cls, tokens: int, decoding: Decoding = "greedy", seed: int = 0) -> Generation:
        """Room for an answer of so many tokens and a margin."""
        room = max(tokens + 8, round(tokens * MARGIN))
        return cls(decoding=decoding, seed=seed, max_new_tokens=room)

    @property
    def samples(self) -> bool:
        """Whether answers are drawn, so that asking twice can give two answers."""
        return self.temperature > 0

    def in_words(self) -> str:
        """For a page: what an answer was made by, and what may hide a fault of training."""
        said = [f"{self.decoding} decoding"]
        if self.samples:
            said.append(f"temperature {self.temperature:g}, top_p {self.top_p:g}")
            said += [f"top_k {self.top_k}"] if self.top_k else []
            said.append(f"seed {self.seed}")
        if self.repetition_penalty != 1:
            said.append(f"a penalty of {self.repetition_penalty:g} on repetition, which hides faults of training")
        if self.no_repeat_ngram:
            said.append(f"no run of {self.no_repeat_ngram} tokens twice, which hides faults of training")
        return f"{', '.join(said)}, at most {self.max_new_tokens} tokens an answer"


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
    samples: int = 1,
) -> list[Answer]:
    """The student's answers, in the order of the prompts; with more `samples`, as many for the first, then the next.

    They are asked in batches of like length, padded on the left so that every answer begins where
    its prompt ends. Raises InputError for a prompt that leaves no room for an answer, UsageError
    where several samples are wanted of a decoding that makes no draw.
    """
    if samples > 1 and not generation.samples:
        raise UsageError(
            f"{samples} samples of {generation.decoding} decoding would be {samples} times the same answer.",
            remedy="Choose balanced or creative decoding.",
        )
    encoded = [_encoded(prompt, student, generation) for prompt in prompts]
    _make_ready(student, generation)
    asked = [(ids, sample) for ids in encoded for sample in range(samples)]
    order = sorted(range(len(asked)), key=lambda place: (len(asked[place][0]), place))
    answers: dict[int, Answer] = {}
    for start in range(0, len(order), generation.batch):
        places = order[start : start + generation.batch]
        answers.update(zip(places, _batch([asked[place] for place in places], student, generation), strict=True))
        progress(len(answers), len(asked))
    return [answers[place] for place in range(len(asked))]


def stream_answer(prompt: str, student: Student, generation: Generation) -> Generator[str, None, Answer]:
    """The same answer in pieces, as they come; the generator's value is the whole answer.

    Whoever stops listening stops the student. Raises InputError like `answers_to`.
    """
    from train.streaming import tokens_of

    ids = _encoded(prompt, student, generation)
    _make_ready(student, generation)
    tokens: list[int] = []
    said = ""
    for token in tokens_of(student.model, _inputs([ids], student), _draws([(ids, 0)], generation)):
        tokens.append(token)
        # A blank may turn out to be the last one, and half a character becomes a whole one with the next token.
        text = _answer(tokens, student).text.rstrip("\ufffd").rstrip()
        if text.startswith(said) and len(text) > len(said):
            yield text[len(said) :]
            said = text
    answer = _answer(tokens, student)
    if rest := answer.text[len(said) :]:
        yield rest
    return answer


def _encoded(prompt: str, student: Student, generation: Generation) -> list[int]:
    ids = student.encode(prompt)
    if len(ids) + generation.max_new_tokens > student.context:
        raise InputError(
            f"The prompt {prompt[:60]!r} has {len(ids)} tokens, which leaves no room for an answer of "
            f"{generation.max_new_tokens} in the student's {student.context}.",
            remedy="Ask a shorter question.",
        )
    return ids


def _make_ready(student: Student, generation: Generation) -> None:
    if has_gpu():
        student.model.to("cuda")
    student.model.eval()
    student.model.generation_config = _rules(student, generation)


def _batch(asked: Sequence[tuple[list[int], int]], student: Student, generation: Generation) -> list[Answer]:
    import torch

    inputs = _inputs([ids for ids, _ in asked], student)
    with torch.inference_mode():
        produced = student.model.generate(**inputs, logits_processor=_draws(asked, generation))
    return [_answer(row.tolist(), student) for row in produced[:, inputs["input_ids"].shape[1] :]]


def _inputs(rows: Sequence[list[int]], student: Student) -> dict[str, Any]:
    padded = student.tokenizer.pad({"input_ids": list(rows)}, padding_side="left", return_tensors="pt")
    return {name: padded[name].to(student.model.device) for name in ("input_ids", "attention_mask")}


def _draws(asked: Sequence[tuple[list[int], int]], generation: Generation) -> list[Any]:
    """What draws the tokens: nothing for greedy decoding."""
    if not generation.samples:
        return []
    seeds = [_seed(ids, sample, generation.seed) for ids, sample in asked]
    return [OneToken(seeds, generation.max_new_tokens, generation.temperature, generation.top_p, generation.top_k)]


def _seed(ids: Sequence[int], sample: int, seed: int) -> int:
    """Of one answer's draws. It hangs on the prompt, not on its place, so no other question changes an answer."""
    digest = hashlib.sha256(f"{seed} {sample} {' '.join(map(str, ids))}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _rules(student: Student, generation: Generation) -> Any:
    """The rules in the model's own form. They replace the base's, for whatever `generate` is not told
    it takes from there: a penalty on repetition, a minimum length. Draws are made by `OneToken`."""
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=generation.max_new_tokens,
        do_sample=False,
        repetition_penalty=generation.repetition_penalty,
        no_repeat_ngram_size=generation.no_repeat_ngram,
        eos_token_id=sorted(student.stops_on),
        pad_token_id=student.tokenizer.pad_token_id,
    )


def _answer(tokens: list[int], student: Student) -> Answer:
    end = next((place for place, token in enumerate(tokens) if token in student.stops_on), None)
    text = student.tokenizer.decode(tokens[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Answer(text.strip(), "limit" if end is None else "end")
