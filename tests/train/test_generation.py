"""Asking a student: many at once like one at a time, and by our rules only."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from train.dataset import read_dataset
from train.generation import Generation, answers_to
from train.student_json import open_trained

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
RULES = Generation.for_longest(30)


def test_a_batch_answers_like_one_question_at_a_time(trained: Path) -> None:
    student = open_trained(trained)
    prompts = [row.prompt for row in read_dataset(trained.parent.parent / "dataset").train[::9]]
    alone = RULES.model_copy(update={"batch": 1})
    assert answers_to(prompts, student, RULES) == answers_to(prompts, student, alone)


def test_answers_come_in_the_order_of_the_questions(trained: Path) -> None:
    student = open_trained(trained)
    prompts = [row.prompt for row in read_dataset(trained.parent.parent / "dataset").train[::9]]
    forth, back = answers_to(prompts, student, RULES), answers_to(prompts[::-1], student, RULES)
    assert forth == back[::-1]
    assert len({answer.text for answer in forth}) > 1


def test_an_answer_that_reaches_the_limit_says_so(trained: Path) -> None:
    student = open_trained(trained)
    prompt = read_dataset(trained.parent.parent / "dataset").train[0].prompt
    short = RULES.model_copy(update={"max_new_tokens": 3})
    assert answers_to([prompt], student, short)[0].stopped_by == "limit"
    assert answers_to([prompt], student, RULES)[0].stopped_by == "end"


def test_the_bases_own_rules_do_not_leak_in(trained: Path) -> None:
    student, spoiled = open_trained(trained), open_trained(trained)
    spoiled.model.generation_config.update(repetition_penalty=9.0, min_new_tokens=35, do_sample=True, temperature=5.0)
    prompts = [row.prompt for row in read_dataset(trained.parent.parent / "dataset").train[:4]]
    assert answers_to(prompts, spoiled, RULES) == answers_to(prompts, student, RULES)


def test_a_question_that_leaves_no_room_for_an_answer_is_refused(trained: Path) -> None:
    with pytest.raises(InputError, match="leaves no room"):
        answers_to(["word " * 3000], open_trained(trained), RULES)


def test_no_question_no_answer(trained: Path) -> None:
    assert answers_to([], open_trained(trained), RULES) == []


def test_an_answer_has_room_for_the_longest_one_and_a_margin() -> None:
    assert Generation.for_longest(4).max_new_tokens == 12
    assert Generation.for_longest(100).max_new_tokens == 125
