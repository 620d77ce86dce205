"""Whether a dataset fits a student: what it will be taught, token by token, checked before training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat, Row
from train.students import Student

SHOWN = 3
"""Rows named in a complaint; a hundred would hide the sentence that says what to do."""


@dataclass(frozen=True)
class Lesson:
    """A row in the student's tokens; all from `answer_starts` on is trained, the last one is end-of-text."""

    row: Row
    tokens: tuple[int, ...]
    prompt: tuple[int, ...]

    @property
    def trained(self) -> int:
        """How many of its tokens are in the loss."""
        return len(self.tokens) - len(self.prompt)


class Fit(BaseModel):
    """What the check found, kept in student.json."""

    model_config = ConfigDict(frozen=True)

    rows: int
    longest: int = Field(description="tokens of the longest row; nothing is cut there or below")
    mean: float = Field(description="tokens of a row")
    longest_answer: int = Field(description="trained tokens of the longest answer, end-of-text included")
    trained_tokens: int = Field(description="tokens in the loss, over all rows")
    context: int = Field(description="tokens the student can hold")
    end_of_text: str = Field(description="the last token taught, on which every answer ends")
    begin_of_text: bool = Field(description="whether the tokenizer puts a token before the prompt")


def lessons_of(rows: Iterable[Row], tokenizer: Any) -> list[Lesson]:
    """Rows as the trainer will render them: the prompt, the completion, end-of-text."""
    return [_lesson(row, tokenizer) for row in rows]


def check_fit(lessons: Sequence[Lesson], student: Student, prompts: PromptFormat, max_length: int | None = None) -> Fit:
    """What the student will be taught, or an InputError that names rows and says what to change."""
    tokenizer = student.tokenizer
    _same_prompt_as_chat(lessons, prompts)
    _no_special_tokens(lessons, tokenizer)
    _vocabulary_covers(lessons, student)
    _prompt_is_prefix(lessons)
    _ends_on_a_stop(lessons, student)
    begins = _begins_alike(lessons, tokenizer)
    _nothing_is_cut(lessons, student.context, max_length)
    return Fit(
        rows=len(lessons),
        longest=max(len(lesson.tokens) for lesson in lessons),
        mean=round(fmean(len(lesson.tokens) for lesson in lessons), 1),
        longest_answer=max(lesson.trained for lesson in lessons),
        trained_tokens=sum(lesson.trained for lesson in lessons),
        context=student.context,
        end_of_text=tokenizer.eos_token,
        begin_of_text=begins,
    )


def _lesson(row: Row, tokenizer: Any) -> Lesson:
    prompt = tokenizer(text=row.prompt)["input_ids"]
    tokens = tokenizer(text=row.prompt + row.completion + tokenizer.eos_token)["input_ids"]
    return Lesson(row, tuple(tokens), tuple(prompt))


def _same_prompt_as_chat(lessons: Sequence[Lesson], prompts: PromptFormat) -> None:
    wrong = (one for one in lessons if one.row.prompt != prompts.of(one.row.question, one.row.context, one.row.earlier))
    _refuse(
        wrong,
        "prompts are not the dataset's prompt_format filled with the question, so chat would ask in another form "
        "than the one trained",
        "Publish the dataset again.",
    )


def _no_special_tokens(lessons: Sequence[Lesson], tokenizer: Any) -> None:
    added = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    special = [token for token in {*tokenizer.all_special_tokens, *added} if token]
    for token in sorted(special):
        wrong = (one for one in lessons if token in one.row.question or token in one.row.answer)
        _refuse(
            wrong,
            f"rows hold {token}, which this student reads as a command and not as text",
            "Correct or drop them in the sheets, or choose a base whose tokenizer has no such token.",
        )


def _vocabulary_covers(lessons: Sequence[Lesson], student: Student) -> None:
    size = student.model.get_input_embeddings().weight.shape[0]
    unknown = student.tokenizer.unk_token_id
    unknown = None if unknown == student.tokenizer.eos_token_id else unknown
    _refuse(
        (one for one in lessons if max(one.tokens) >= size),
        f"rows have tokens beyond the {size} the model has weights for: its tokenizer is another model's",
        "Put model and tokenizer of one release into the base's folder.",
    )
    _refuse(
        (one for one in lessons if unknown is not None and unknown in one.tokens),
        "rows have characters that the student's tokenizer cannot write",
        "Choose a base with a byte-level tokenizer, or replace the characters in the sheets.",
    )


def _prompt_is_prefix(lessons: Sequence[Lesson]) -> None:
    wrong = (one for one in lessons if one.tokens[: len(one.prompt)] != one.prompt or one.trained < 2)
    _refuse(
        wrong,
        "prompts do not end on a token boundary (or nothing follows them), so the student would be trained on "
        "another beginning than the one it is asked with",
        "Let prompt_format end without a blank, and every completion begin with one.",
    )


def _ends_on_a_stop(lessons: Sequence[Lesson], student: Student) -> None:
    end = student.tokenizer.eos_token_id
    stops = student.stops_on
    if end not in stops:
        raise InputError(
            f"The student would be taught to end on {student.tokenizer.eos_token} (token {end}), but generation "
            f"stops on {sorted(stops)}: it would never stop.",
            remedy="Make eos_token in the base's tokenizer_config.json and eos_token_id in its generation_config.json "
            "agree.",
        )
    wrong = (one for one in lessons if one.tokens[-1] != end or end in one.tokens[len(one.prompt) : -1])
    _refuse(
        wrong,
        f"rows do not end on exactly one {student.tokenizer.eos_token}, the token on which generation stops",
        "Choose a base whose tokenizer keeps end-of-text as one token.",
    )


def _begins_alike(lessons: Sequence[Lesson], tokenizer: Any) -> bool:
    """Whether every row begins with the begin-of-text token; more than one, or only some rows, is a fault."""
    begin = tokenizer.bos_token_id
    if begin is None:
        return False
    at_start = bool(lessons[0].tokens[0] == begin)
    expected = 1 if at_start else 0
    wrong = (one for one in lessons if one.tokens[:-1].count(begin) != expected or (one.tokens[0] == begin) != at_start)
    _refuse(
        wrong,
        f"rows do not have exactly {expected} {tokenizer.bos_token} at their start like the first row",
        "Take the token out of prompt_format: the tokenizer sets it.",
    )
    return at_start


def _nothing_is_cut(lessons: Sequence[Lesson], context: int, max_length: int | None) -> None:
    limit = min(context, max_length or context)
    named = "student.max_length" if limit == max_length else "the student's context"
    longest = max(len(one.tokens) for one in lessons)
    _refuse(
        (one for one in lessons if len(one.tokens) > limit),
        f"rows are longer than {named} of {limit} tokens (the longest has {longest}): they would lose their end, and "
        "the student would not learn to stop",
        "Shorten these answers in the sheets, or choose a base with a longer context."
        if named == "the student's context"
        else f"Raise student.max_length to {longest} or leave it out.",
    )


def _refuse(wrong: Iterator[Lesson], what: str, remedy: str) -> None:
    found = list(wrong)
    if not found:
        return
    named = "; ".join(f"{one.row.id} {one.row.question[:60]!r}" for one in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise InputError(f"{len(found)} {what}: {named}{more}.", remedy=remedy)
