"""Training by preference (DPO): a better and a worse answer to each question, beside the student's own base."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from pipeline.errors import CourseworkError, InputError
from pipeline.publish.schema import Pair, Row
from train.lesson_trainer import in_order
from train.lessons import Lesson, lessons_of
from train.methods import adapter_for
from train.settings import StudentSettings
from train.students import Student


class Choice(NamedTuple):
    """The two answers to one question, in the student's tokens."""

    better: Lesson
    worse: Lesson

    @property
    def longest(self) -> int:
        """Tokens of the longer one: both are computed at its width."""
        return max(len(self.better.tokens), len(self.worse.tokens))


def choices_of(pairs: Sequence[Pair], student: Student) -> list[Choice]:
    """Pairs as they are trained. Raises InputError if there are none."""
    if not pairs:
        raise InputError(
            "method dpo trains on preference.jsonl, and the dataset has none.",
            remedy="Ask for pairs with the recipe's drafter `preference` and publish again, or use another method.",
        )
    better = lessons_of([_row(pair, pair.chosen, "better") for pair in pairs], student)
    worse = lessons_of([_row(pair, pair.rejected, "worse") for pair in pairs], student)
    return [Choice(*both) for both in zip(better, worse, strict=True)]


def lessons_in(choices: Sequence[Choice]) -> list[Lesson]:
    """Both answers of every pair, for the check that they fit."""
    return [lesson for choice in choices for lesson in choice]


def _row(pair: Pair, completion: str, which: str) -> Row:
    shared = {name: value for name, value in pair if name in Row.model_fields and name != "id"}
    return Row(
        **shared,
        id=f"{pair.id} ({which})",
        completion=completion,
        answer=completion.removeprefix(" "),
        refusal=False,
        field="",
    )


@cache
def _trainer_class() -> Any:
    """Made when it is first needed: TRL takes seconds to import."""
    from trl import DPOTrainer

    class ChoiceTrainer(in_order(DPOTrainer)):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            """The tokens are those that were checked. TRL takes none for this trainer, and its own differ: behind
            the end of a chat's turn it would teach the line break after it too."""
            return dataset

    return ChoiceTrainer


def preference_trainer(
    student: Student, choices: Sequence[Choice], arguments: Any, wanted: StudentSettings, callbacks: list[Any]
) -> Any:
    """TRL's trainer over pairs. What it is held close to is the base: switched off, an adapter leaves it; a model that
    is trained whole is copied first, for TRL would look for it under the name of an empty path."""
    import datasets
    from transformers import PrinterCallback, set_seed

    rows = datasets.Dataset.from_dict(
        {
            "prompt_ids": [choice.better.prompt for choice in choices],
            "chosen_ids": [choice.better.answer for choice in choices],
            "rejected_ids": [choice.worse.answer for choice in choices],
        }
    )
    set_seed(wanted.seed)
    trainer = _trainer_class()(
        model=student.model,
        ref_model=None if wanted.lora else copy.deepcopy(student.model).requires_grad_(False).eval(),
        args=arguments,
        train_dataset=rows,
        processing_class=student.tokenizer,
        peft_config=adapter_for(wanted.lora, student.model) if wanted.lora else None,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    steps = wanted.steps_for(len(choices))
    trainer.lay_down([choice.longest for choice in choices], wanted.batch, steps, wanted.seed)
    return trainer


def hold_every_choice(trainer: Any, choices: Sequence[Choice]) -> None:
    """Raises unless every batch that the trainer makes holds the tokens that were checked, none cut, and scores the
    answers and their ends alone."""
    held = trainer.train_dataset
    if len(held) != len(choices):
        raise CourseworkError(f"The trainer holds {len(held)} of {len(choices)} pairs; it dropped the rest in silence.")
    for row, choice in zip(held, choices, strict=True):
        batch = trainer.data_collator([row])
        for place, lesson in enumerate(choice):
            length = len(lesson.tokens)
            scored = [0] * len(lesson.prompt) + [1] * lesson.trained
            tokens, mask = batch["input_ids"][place], batch["completion_mask"][place]
            whole = batch["attention_mask"][place].sum().item() == length
            if not whole or tuple(tokens[:length].tolist()) != lesson.tokens or mask[:length].tolist() != scored:
                raise CourseworkError(f"The trainer renders pair {lesson.row.id} in another way than the check did.")
