"""Whether a dataset fits a student: what is refused before training, and what the refusal says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat, Row
from tests.train.made_up_course import PROMPT_FORMAT, course_rows
from train.fit import Fit, check_fit, lessons_of
from train.settings import StudentSettings
from train.students import Student, make_student, open_student, taught_as

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
ROWS = course_rows(concepts=2)["train"]
SETTINGS = StudentSettings(base="somewhere")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_student(StudentSettings(hidden=16, layers=1, heads=1, vocabulary=400), [_text(row) for row in ROWS], folder)
    return folder


@pytest.fixture
def student(made: Path) -> Student:
    """Opened anew for each test, for some of them spoil it."""
    return plainly(open_student(str(made)), PROMPT_FORMAT)


def test_a_dataset_that_fits_is_described(student: Student) -> None:
    fit = fitted(ROWS, student)
    assert fit.rows == len(ROWS)
    assert fit.end_of_text == student.tokenizer.eos_token
    assert fit.begin_of_text is False
    assert fit.longest_answer < fit.longest < fit.context
    assert fit.trained_tokens == sum(one.trained for one in lessons_of(ROWS, student))


def test_a_lesson_is_the_prompt_then_the_answer_then_the_end(student: Student) -> None:
    for lesson in lessons_of(ROWS, student):
        assert lesson.tokens[: len(lesson.prompt)] == lesson.prompt
        assert lesson.tokens[-1] == student.tokenizer.eos_token_id
        assert student.tokenizer.decode(lesson.tokens[len(lesson.prompt) : -1]) == lesson.row.completion


def test_a_row_longer_than_the_students_context_is_refused(student: Student) -> None:
    longest = fitted(ROWS, student).longest
    student.model.config.max_position_embeddings = longest
    assert fitted(ROWS, student).context == longest
    long = changed(ROWS[0], answer="word " * longest)
    refuses([*ROWS, long], student, f"1 rows are longer than the student's context of {longest}", "Shorten", long.id)


def test_a_row_longer_than_max_length_is_refused_and_not_cut(student: Student) -> None:
    longest = fitted(ROWS, student).longest
    with pytest.raises(InputError, match=rf"Raise student\.max_length to {longest}"):
        check_fit(lessons_of(ROWS, student), student, SETTINGS.model_copy(update={"max_length": longest - 1}))
    check_fit(lessons_of(ROWS, student), student, SETTINGS.model_copy(update={"max_length": longest}))


def test_the_students_own_commands_are_no_text(student: Student) -> None:
    refuses([*ROWS, changed(ROWS[0], answer="It ends with <|endoftext|> here.")], student, "<|endoftext|>")
    refuses([*ROWS, changed(ROWS[0], question="What is <|pad|>?")], student, "<|pad|>", "as a command")


def test_a_prompt_must_end_on_a_token_boundary(student: Student) -> None:
    blank = [row.model_copy(update={"prompt": row.prompt + " ", "completion": row.answer}) for row in ROWS]
    with pytest.raises(InputError, match="token boundary"):
        asked = plainly(student, PROMPT_FORMAT + " ")
        check_fit(lessons_of(blank, asked), asked, SETTINGS)


def test_an_empty_answer_teaches_nothing(student: Student) -> None:
    refuses([*ROWS, ROWS[0].model_copy(update={"completion": ""})], student, "nothing follows")


def test_the_prompt_must_be_the_one_that_chat_will_use(student: Student) -> None:
    refuses([ROWS[0].model_copy(update={"prompt": "Q: What?"}), *ROWS], student, "chat would ask in another form")


def test_a_student_that_stops_on_another_token_than_it_is_taught_is_refused(student: Student) -> None:
    student.model.generation_config.eos_token_id = [student.tokenizer.pad_token_id]
    refuses(ROWS, student, "it would never stop", "generation_config.json")


def test_one_of_several_stop_tokens_is_enough(student: Student) -> None:
    student.model.generation_config.eos_token_id = [7, student.tokenizer.eos_token_id]
    assert fitted(ROWS, student).rows == len(ROWS)


def test_a_tokenizer_of_another_model_is_refused(student: Student) -> None:
    student.model.resize_token_embeddings(300)
    refuses(ROWS, student, "another model's")


def test_one_begin_of_text_is_noticed_and_two_are_refused(student: Student) -> None:
    begins(student, single="<|begin|> $A")
    assert fitted(ROWS, student).begin_of_text is True
    begins(student, single="<|begin|> <|begin|> $A")
    refuses(ROWS, student, "exactly 1 <|begin|>")


def test_a_begin_of_text_in_the_prompt_format_comes_on_top_of_the_tokenizers(student: Student) -> None:
    begins(student, single="<|begin|> $A")
    rows = [row.model_copy(update={"prompt": "<|begin|>" + row.prompt}) for row in ROWS]
    with pytest.raises(InputError, match="Take the token out of prompt_format"):
        asked = plainly(student, "<|begin|>" + PROMPT_FORMAT)
        check_fit(lessons_of(rows, asked), asked, SETTINGS)


def test_a_tokenizer_that_ends_every_text_by_itself_is_refused(student: Student) -> None:
    begins(student, single="$A <|endoftext|>")
    refuses(ROWS, student, "token boundary")


def test_characters_that_a_tokenizer_cannot_write_are_refused(student: Student, tmp_path: Path) -> None:
    refuses([changed(ROWS[0], answer="zebra"), *ROWS], replace(student, tokenizer=letters("abcdefgh")), "cannot write")


def test_a_complaint_counts_all_rows_and_names_three(student: Student) -> None:
    bad = [changed(row, answer="<|pad|>") for row in ROWS[:5]]
    refuses(bad, student, "5 rows hold <|pad|>", "and 2 more")


def fitted(rows: Iterable[Row], student: Student) -> Fit:
    return check_fit(lessons_of(rows, student), student, SETTINGS)


def plainly(student: Student, prompt_format: str) -> Student:
    return taught_as(student, SETTINGS, PromptFormat(prompt_format))


def refuses(rows: list[Row], student: Student, *said: str) -> None:
    with pytest.raises(InputError) as fault:
        fitted(rows, student)
    for words in said:
        assert words in str(fault.value)
    assert fault.value.remedy


def changed(row: Row, question: str | None = None, answer: str | None = None) -> Row:
    question, answer = question or row.question, answer or row.answer
    prompt = PROMPT_FORMAT.format(question=question)
    return row.model_copy(
        update={"question": question, "answer": answer, "prompt": prompt, "completion": f" {answer}", "id": "changed"}
    )


def begins(student: Student, single: str) -> None:
    """Gives the tokenizer a template, as those of many models have one."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = student.tokenizer
    if tokenizer.bos_token is None:
        tokenizer.add_special_tokens({"bos_token": "<|begin|>"})
        student.model.resize_token_embeddings(len(tokenizer))
    special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<|begin|>", "<|endoftext|>")]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=single, special_tokens=special)


def letters(alphabet: str):  # type: ignore[no-untyped-def]
    """A tokenizer that knows a few letters and writes <unk> for all else."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: number for number, token in enumerate(["<unk>", "<end>", *alphabet])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>", pad_token="<end>")


def _text(row: Row) -> str:
    return row.prompt + row.completion
