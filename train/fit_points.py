"""The points on which a dataset can fail to fit a student, each a question with what to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.publish.schema import PromptFormat
from train.lessons import Lesson
from train.reach import ENOUGH, reach_of, trains_its_head
from train.rendering import reads_the_clock
from train.settings import StudentSettings
from train.students import Student

SHOWN = 3
"""Rows named in a complaint; a hundred would hide the sentence that says what to do."""


class Fault(NamedTuple):
    """What is wrong at a point, and what to do about it."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class Case:
    """What is checked: the lessons, who is to learn them, and how."""

    lessons: Sequence[Lesson]
    student: Student
    settings: StudentSettings

    @property
    def chat(self) -> bool:
        """Whether the student is asked by its chat template."""
        return self.student.asked.form == "chat"

    @cached_property
    def lengths(self) -> list[int]:
        """Tokens of each lesson."""
        return [len(one.tokens) for one in self.lessons]

    @property
    def limit(self) -> int:
        """The most tokens that a row may have."""
        return min(self.student.context, self.settings.max_length or self.student.context)

    def named(self, tokens: Iterable[int]) -> str:
        """Tokens as the tokenizer writes them."""
        return ", ".join(self.student.tokenizer.convert_ids_to_tokens(sorted(tokens)))


def _prompt_as_asked(case: Case) -> Iterator[Fault]:
    if case.chat:
        return  # rendered by the one template from question, context and earlier turns; the column is not read
    prompts = PromptFormat(case.student.asked.prompt_format, case.student.asked.context_format)
    yield from _rows(
        (
            one
            for one in case.lessons
            if one.row.prompt != prompts.of(one.row.question, one.row.context, one.row.earlier)
        ),
        "prompts are not the dataset's prompt_format filled with the question, so chat would ask in another form "
        "than the one trained",
        "Publish the dataset again.",
    )


def _no_special_tokens(case: Case) -> Iterator[Fault]:
    tokenizer = case.student.tokenizer
    added = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    special = [token for token in {*tokenizer.all_special_tokens, *added} if token]
    if not special:
        return
    # In one pass: some tokenizers have hundreds of them.
    known = re.compile("|".join(re.escape(token) for token in sorted(special, key=len, reverse=True)))
    holding: dict[str, list[Lesson]] = {}
    for one in case.lessons:
        for token in {token for text in _said(one) for token in known.findall(text)}:
            holding.setdefault(token, []).append(one)
    for token in sorted(holding):
        yield from _rows(
            holding[token],
            f"rows hold {token}, which this student reads as a command and not as text",
            "Correct or drop them in the sheets, or choose a base whose tokenizer has no such token.",
        )


def _said(lesson: Lesson) -> tuple[str, ...]:
    return lesson.row.question, lesson.row.answer, lesson.row.context, *lesson.row.earlier


def _vocabulary_covers(case: Case) -> Iterator[Fault]:
    size = case.student.model.get_input_embeddings().weight.shape[0]
    unknown = case.student.tokenizer.unk_token_id
    unknown = None if unknown == case.student.tokenizer.eos_token_id else unknown
    yield from _rows(
        (one for one in case.lessons if max(one.tokens, default=0) >= size),
        f"rows have tokens beyond the {size} the model has weights for: its tokenizer is another model's",
        "Put model and tokenizer of one release into the base's folder.",
    )
    yield from _rows(
        (one for one in case.lessons if unknown is not None and unknown in one.tokens),
        "rows have characters that the student's tokenizer cannot write",
        "Choose a base with a byte-level tokenizer, or replace the characters in the sheets.",
    )


def _prompt_is_prefix(case: Case) -> Iterator[Fault]:
    yield from _rows(
        (
            one
            for one in case.lessons
            if one.tokens[: len(one.prompt)] != one.prompt or len(one.tokens) == len(one.prompt)
        ),
        "prompts do not end on a token boundary (or nothing follows them), so the student would be trained on "
        "another beginning than the one it is asked with",
        "Let prompt_format end without a blank, and every completion begin with one."
        if not case.chat
        else "Set student.form to plain: this chat template writes a question alone in another way than before its "
        "answer.",
    )


def _something_is_taught(case: Case) -> Iterator[Fault]:
    yield from _rows(
        (one for one in case.lessons if one.trained < 2),
        "rows teach no token but the end: nothing follows their prompt",
        "Drop them in the sheets, or write their answers.",
    )


def _ends_on_a_stop(case: Case) -> Iterator[Fault]:
    stops, tokenizer = case.student.stops_on, case.student.tokenizer
    if not case.chat and tokenizer.eos_token_id not in stops:
        yield Fault(
            f"the student would be taught to end on {tokenizer.eos_token} (token {tokenizer.eos_token_id}), but "
            f"generation stops on {sorted(stops)}: it would never stop",
            "Make eos_token in the base's tokenizer_config.json and eos_token_id in its generation_config.json "
            "agree, or say which it is with student.end_of_text.",
        )
        return
    yield from _rows(
        (
            one
            for one in case.lessons
            if one.trained and (one.answer[-1] not in stops or any(token in stops for token in one.answer[:-1]))
        ),
        f"rows do not end on exactly one of {case.named(stops)}, the tokens on which generation stops",
        "Choose a base whose tokenizer keeps end-of-text as one token."
        if not case.chat
        else "Name the token on which the chat template ends a turn as student.end_of_text.",
    )


def _begins_once(case: Case) -> Iterator[Fault]:
    """More than one begin-of-text, or one on some rows only, is a fault."""
    begin = case.student.tokenizer.bos_token_id
    if begin is None:
        return
    at_start = begins(case)
    expected = 1 if at_start else 0
    looked_at = slice(2 if case.chat else -1)  # a turn of a chat may begin with the same token as the text
    yield from _rows(
        (
            one
            for one in case.lessons
            if one.tokens[looked_at].count(begin) != expected or (one.tokens[:1] == (begin,)) != at_start
        ),
        f"rows do not have exactly {expected} {case.student.tokenizer.bos_token} at their start like the first row",
        "Take the token out of the chat template: it writes it twice."
        if case.chat
        else "Take the token out of prompt_format: the tokenizer sets it.",
    )


def begins(case: Case) -> bool:
    """Whether the rows begin with the begin-of-text token."""
    begin = case.student.tokenizer.bos_token_id
    return begin is not None and bool(case.lessons) and case.lessons[0].tokens[:1] == (begin,)


def _nothing_is_cut(case: Case) -> Iterator[Fault]:
    limit, longest = case.limit, max(case.lengths)
    ours = limit == case.settings.max_length
    named = "student.max_length" if ours else "the student's context"
    yield from _rows(
        (one for one in case.lessons if len(one.tokens) > limit),
        f"rows are longer than {named} of {limit} tokens (the longest has {longest}): they would lose their end, and "
        "the student would not learn to stop",
        f"Raise student.max_length to {longest} or leave it out."
        if ours
        else "Shorten these answers in the sheets, or choose a base with a longer context.",
    )


def _knows_no_date(case: Case) -> Iterator[Fault]:
    if case.chat and reads_the_clock(case.student.tokenizer.chat_template):
        yield Fault(
            "the chat template writes today's date in a way that cannot be pinned, so the student would be asked in "
            "another form tomorrow",
            "Write a fixed date into chat_template.jinja in the base's folder, or set student.form to plain.",
        )


def _system_prompt_is_there(case: Case) -> Iterator[Fault]:
    system = case.student.asked.system.strip()
    if not system:
        return
    asked = case.student.prompt_of
    yield from _rows(
        (one for one in case.lessons if system not in asked(one.row.question, one.row.context, one.row.earlier)),
        "prompts do not hold student.system: the chat template leaves it out",
        "Leave student.system out, or choose a base whose template has a place for it.",
    )


def _end_can_be_learned(case: Case) -> Iterator[Fault]:
    """The loss falls all the same where this fails, for every token but the last is learned."""
    ends = {one.answer[-1] for one in case.lessons if one.trained} & case.student.stops_on
    fits = all(len(one.tokens) <= case.student.context for one in case.lessons) and not list(_vocabulary_covers(case))
    if trains_its_head(case.settings) or not fits:
        return
    for end in sorted(ends):
        reach = reach_of(end, case.lessons, case.student)
        if reach <= ENOUGH:
            begin = case.student.tokenizer.bos_token
            other = f" ({begin} perhaps)" if begin and end != case.student.tokenizer.bos_token_id else ""
            yield Fault(
                f"{case.settings.method} leaves the head as it is, and this head cannot give {case.named([end])}, the "
                f"token on which answers end, a probability above {reach:.2g}, whatever the layers below it learn: the "
                "base never learned that token. The loss would fall, and no answer would stop",
                "Train head and embedding whole with lora.also_train, or name a token that the base does know as "
                f"student.end_of_text{other}.",
            )


POINTS: dict[str, Callable[[Case], Iterator[Fault]]] = {
    "prompts are the ones that chat will use": _prompt_as_asked,
    "no special token in any text": _no_special_tokens,
    "every token is one that the model has": _vocabulary_covers,
    "the prompt as it is asked begins the text that is trained": _prompt_is_prefix,
    "every row teaches something": _something_is_taught,
    "the last token taught is one on which generation stops": _ends_on_a_stop,
    "the method can teach that token": _end_can_be_learned,
    "exactly one begin-of-text, or none": _begins_once,
    "nothing is cut": _nothing_is_cut,
    "the template knows no date": _knows_no_date,
    "the system prompt stands in every prompt": _system_prompt_is_there,
}


def _rows(wrong: Iterable[Lesson], what: str, remedy: str) -> Iterator[Fault]:
    found = list(wrong)
    if not found:
        return
    named = "; ".join(f"{one.row.id} {one.row.question[:60]!r}" for one in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    yield Fault(f"{len(found)} {what}: {named}{more}", remedy)
