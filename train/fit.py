"""Whether a dataset fits a student: what it will be taught, token by token, checked before training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat, Row
from train.rendering import Rendering
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

    rendering: Rendering = Field(description="in what form the student is taught and asked, here and ever after")
    rows: int
    longest: int = Field(description="tokens of the longest row; nothing is cut there or below")
    mean: float = Field(description="tokens of a row")
    longest_answer: int = Field(description="trained tokens of the longest answer, end-of-text included")
    trained_tokens: int = Field(description="tokens in the loss, over all rows")
    context: int = Field(description="tokens the student can hold")
    end_of_text: str = Field(description="the last token taught, on which every answer ends")
    begin_of_text: bool = Field(description="whether the tokenizer puts a token before the prompt")


def lessons_of(rows: Iterable[Row], student: Student) -> list[Lesson]:
    """Rows in the student's tokens: the prompt, the answer, and the token on which generation stops."""
    return [_lesson(row, student) for row in rows]


def check_fit(lessons: Sequence[Lesson], student: Student, max_length: int | None = None) -> Fit:
    """What the student will be taught, or an InputError that names rows and says what to change."""
    tokenizer = student.tokenizer
    _same_prompt_as_chat(lessons, student.asked)
    _no_special_tokens(lessons, tokenizer)
    _vocabulary_covers(lessons, student)
    _prompt_is_prefix(lessons, student)
    _ends_on_a_stop(lessons, student)
    begins = _begins_alike(lessons, student)
    _nothing_is_cut(lessons, student.context, max_length)
    return Fit(
        rendering=student.asked,
        rows=len(lessons),
        longest=max(len(lesson.tokens) for lesson in lessons),
        mean=round(fmean(len(lesson.tokens) for lesson in lessons), 1),
        longest_answer=max(lesson.trained for lesson in lessons),
        trained_tokens=sum(lesson.trained for lesson in lessons),
        context=student.context,
        end_of_text=_named({lessons[0].tokens[-1]}, student),
        begin_of_text=begins,
    )


def _lesson(row: Row, student: Student) -> Lesson:
    prompt = tuple(student.encode(student.prompt_of(row.question, row.context, row.earlier)))
    tokens = tuple(student.encode(student.asked.lesson_of(student.tokenizer, row)))
    return Lesson(row, _as_far_as_the_end(tokens, len(prompt), student), prompt)


def _as_far_as_the_end(tokens: tuple[int, ...], start: int, student: Student) -> tuple[int, ...]:
    """A template may write more after the end of a turn. No answer ever comes that far, so it is not taught."""
    if student.asked.form == "plain":
        return tokens
    ends = (place for place in range(start, len(tokens)) if tokens[place] in student.stops_on)
    return tokens[: next(ends, len(tokens)) + 1]


def _same_prompt_as_chat(lessons: Sequence[Lesson], asked: Rendering) -> None:
    if asked.form == "chat":
        return  # rendered by the one template from question, context and earlier turns; the column is not read
    prompts = PromptFormat(asked.prompt_format, asked.context_format)
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


def _prompt_is_prefix(lessons: Sequence[Lesson], student: Student) -> None:
    wrong = (one for one in lessons if one.tokens[: len(one.prompt)] != one.prompt or one.trained < 2)
    _refuse(
        wrong,
        "prompts do not end on a token boundary (or nothing follows them), so the student would be trained on "
        "another beginning than the one it is asked with",
        "Let prompt_format end without a blank, and every completion begin with one."
        if student.asked.form == "plain"
        else "Set student.form to plain: this chat template writes a question alone in another way than before its "
        "answer.",
    )


def _ends_on_a_stop(lessons: Sequence[Lesson], student: Student) -> None:
    stops = student.stops_on
    if student.asked.form == "plain" and student.tokenizer.eos_token_id not in stops:
        end = student.tokenizer
        raise InputError(
            f"The student would be taught to end on {end.eos_token} (token {end.eos_token_id}), but generation "
            f"stops on {sorted(stops)}: it would never stop.",
            remedy="Make eos_token in the base's tokenizer_config.json and eos_token_id in its generation_config.json "
            "agree, or say which it is with student.end_of_text.",
        )
    wrong = [one for one in lessons if [token in stops for token in one.tokens[len(one.prompt) :]].count(True) != 1]
    wrong += [one for one in lessons if one not in wrong and one.tokens[-1] not in stops]
    _refuse(
        iter(wrong),
        f"rows do not end on exactly one of {_named(stops, student)}, the tokens on which generation stops",
        "Choose a base whose tokenizer keeps end-of-text as one token."
        if student.asked.form == "plain"
        else "Name the token on which the chat template ends a turn as student.end_of_text.",
    )


def _named(tokens: Iterable[int], student: Student) -> str:
    return ", ".join(student.tokenizer.convert_ids_to_tokens(sorted(tokens)))


def _begins_alike(lessons: Sequence[Lesson], student: Student) -> bool:
    """Whether every row begins with the begin-of-text token; more than one, or only some rows, is a fault."""
    begin = student.tokenizer.bos_token_id
    if begin is None:
        return False
    at_start = bool(lessons[0].tokens[0] == begin)
    expected = 1 if at_start else 0
    chat = student.asked.form == "chat"  # where a turn may begin with the same token, only the start is looked at
    looked_at = slice(2 if chat else -1)
    wrong = (
        one for one in lessons if one.tokens[looked_at].count(begin) != expected or (one.tokens[0] == begin) != at_start
    )
    _refuse(
        wrong,
        f"rows do not have exactly {expected} {student.tokenizer.bos_token} at their start like the first row",
        "Take the token out of the chat template: it writes it twice."
        if chat
        else "Take the token out of prompt_format: the tokenizer sets it.",
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
