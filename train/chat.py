"""A plain chat: one question, one answer, nothing remembered between them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import InputError
from train.generation import Generation, answers_to
from train.progress import Say
from train.student_json import open_trained, read_student
from train.students import need_training_stack

QUIT = "/quit"


def chat_with(student: Path, questions: Iterable[str], say: Say, base: bool = False) -> None:
    """Answers each question in the form the student was trained on, until /quit or the last one.

    With `base` the model it was trained from answers. A question that cannot be answered is said so
    and does not end the chat.
    """
    need_training_stack()
    described = read_student(student)
    model = open_trained(student, base)
    generation = Generation.for_longest(described.fit.longest_answer)
    for question in (line.strip() for line in questions):
        if question == QUIT:
            return
        if not question:
            continue
        try:
            answer = answers_to([model.prompt_of(question)], model, generation)[0]
        except InputError as fault:
            say(str(fault))
            continue
        cut = "" if answer.stopped_by == "end" else f" (cut off after {generation.max_new_tokens} tokens)"
        say((_shown(answer.text) or "(nothing)") + cut)


def _shown(text: str) -> str:
    """What a terminal may be given: a byte-level model can say control characters, and some of them are commands."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
