"""Asking a student: many at once like one at a time, and by our rules only."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.errors import InputError, UsageError
from train.dataset import read_dataset
from train.generation import Answer, Generation, answers_to, stream_answer
from train.student_json import open_trained
from train.students import Student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
RULES = Generation.for_longest(30)
CREATIVE = Generation.for_longest(30, "creative", seed=7)


@pytest.fixture(scope="module")
def student(trained: Path) -> Student:
    return open_trained(trained)


@pytest.fixture(scope="module")
def untaught(trained: Path) -> Student:
    """The base: all of its tokens are about as likely, so that every draw shows."""
    return open_trained(trained, base=True)


@pytest.fixture(scope="module")
def prompts(trained: Path) -> list[str]:
    return [row.prompt for row in read_dataset(trained.parent.parent / "dataset").train[::9]]


def streamed(prompt: str, student: Student, rules: Generation) -> tuple[list[str], Answer]:
    pieces = []
    stream = stream_answer(prompt, student, rules)
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return pieces, end.value


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


def test_a_decoding_brings_its_own_temperature_and_says_so() -> None:
    assert (CREATIVE.temperature, CREATIVE.top_p) == (1.0, 0.95)
    assert Generation(decoding="balanced", temperature=0.3, max_new_tokens=9).temperature == 0.3
    assert RULES.in_words() == "greedy decoding, at most 38 tokens an answer"
    assert "seed 7" in CREATIVE.in_words()
    hiding = RULES.model_copy(update={"repetition_penalty": 1.3, "no_repeat_ngram": 3})
    assert hiding.in_words().count("hides faults of training") == 2
    assert Generation.model_validate_json(CREATIVE.model_dump_json()) == CREATIVE


@pytest.mark.parametrize(
    "said", [{"temperature": 0.5}, {"top_k": 4}, {"decoding": "creative", "temperature": 0}, {"decoding": "wild"}]
)
def test_settings_that_nothing_would_read_are_refused(said: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValidationError):
        Generation(max_new_tokens=9, **said)


def test_drawn_answers_hang_on_their_seed_and_on_nothing_else_that_is_asked(
    untaught: Student, prompts: list[str]
) -> None:
    drawn = answers_to(prompts, untaught, CREATIVE)
    assert drawn == answers_to(prompts, untaught, CREATIVE)
    assert drawn[3:4] == answers_to(prompts[3:4], untaught, CREATIVE)
    assert drawn == answers_to(prompts, untaught, CREATIVE.model_copy(update={"batch": 2}))
    other = answers_to(prompts, untaught, CREATIVE.model_copy(update={"seed": 8}))
    assert all(one.text != another.text for one, another in zip(drawn, other, strict=True))


def test_several_samples_of_a_question_stand_together_and_differ(untaught: Student, prompts: list[str]) -> None:
    answers = answers_to(prompts[:2], untaught, CREATIVE, samples=3)
    assert len({answer.text for answer in answers}) == 6
    assert [answers[0], answers[3]] == answers_to(prompts[:2], untaught, CREATIVE)
    with pytest.raises(UsageError, match="3 times the same answer"):
        answers_to(prompts, untaught, RULES, samples=3)


def test_tokens_are_drawn_as_often_as_they_are_likely(student: Student, prompts: list[str]) -> None:
    """Against the softmax of the model's own scores, over 4,000 draws of a first token."""
    import torch

    from train.sampling import OneToken

    ids = torch.tensor([student.tokenizer(prompts[0])["input_ids"]])
    with torch.inference_mode():
        scores = student.model(ids).logits[:, -1].double() / 4  # flatter, so that several tokens count
    draws = OneToken(range(4000), 1, 1.0, 0.8, 6)(ids, scores.repeat(4000, 1)).argmax(-1)
    found = Counter(draws.tolist())
    shares = scores.softmax(-1)[0]
    allowed: dict[int, float] = {}
    for token in shares.argsort(descending=True)[:6].tolist():
        if sum(allowed.values()) < 0.8:
            allowed[token] = float(shares[token])
    assert len(allowed) > 2
    assert set(found) <= set(allowed)
    for token, share in allowed.items():
        expected = share / sum(allowed.values())
        assert found[token] / 4000 == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 4000) ** 0.5)


@pytest.mark.parametrize("rules", [RULES, CREATIVE, RULES.model_copy(update={"repetition_penalty": 1.5})])
def test_a_streamed_answer_is_the_same_in_pieces(
    rules: Generation, student: Student, untaught: Student, prompts: list[str]
) -> None:
    for model in (student, untaught):
        pieces, answer = streamed(prompts[1], model, rules)
        assert [answer] == answers_to(prompts[1:2], model, rules)
        assert "".join(pieces) == answer.text
        assert len(pieces) > 3
        assert all(pieces)


def test_a_penalty_on_repetition_is_applied_when_asked_for(untaught: Student, prompts: list[str]) -> None:
    tight = RULES.model_copy(update={"no_repeat_ngram": 1, "max_new_tokens": 20})
    assert answers_to(prompts[:1], untaught, tight) != answers_to(prompts[:1], untaught, RULES)


def test_whoever_stops_listening_stops_the_student(untaught: Student, prompts: list[str]) -> None:
    steps: list[int] = []
    counting = untaught.model.register_forward_hook(lambda *_: steps.append(1))
    stream = stream_answer(prompts[0], untaught, CREATIVE.model_copy(update={"max_new_tokens": 1500}))
    next(stream)
    stream.close()
    counting.remove()
    assert len(steps) < 1000
    assert not [thread for thread in threading.enumerate() if thread.name == "stream_answer"]


def test_a_fault_while_speaking_is_raised_where_somebody_listens(untaught: Student) -> None:
    with pytest.raises(InputError, match="leaves no room"):
        next(stream_answer("word " * 3000, untaught, RULES))
