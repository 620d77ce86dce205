"""In what form a student is taught and asked: the chat template's traps, each with what is done about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat
from tests.train.made_up_course import PROMPT_FORMAT, course_rows, silent
from tests.train.templates import CHATML, LLAMA, QWEN3, TELLS_THE_TIME, THINKS_ALOUD, chat_base
from train.fit import check_fit, lessons_of
from train.rendering import reads_the_clock
from train.settings import StudentSettings
from train.student_json import open_trained, read_student
from train.students import Student, open_base, open_student, save_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
ROWS = course_rows(concepts=2)["train"]
PROMPTS = PromptFormat(PROMPT_FORMAT)
SETTINGS = StudentSettings(base="somewhere")


def test_a_base_with_a_chat_template_is_taught_to_chat(tmp_path: Path) -> None:
    student = opened(tmp_path)
    assert student.asked.form == "chat"
    assert student.prompt_of("Why?") == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    assert check_fit(lessons_of(ROWS, student), student, SETTINGS).end_of_text == "<|im_end|>"


def test_a_base_without_one_is_asked_in_the_datasets_form(base: Path) -> None:
    student = open_base(StudentSettings(base=str(base)), PROMPTS)
    assert student.prompt_of("Why?") == PROMPT_FORMAT.format(question="Why?")


def test_plain_can_be_asked_for_where_there_is_a_template(tmp_path: Path) -> None:
    student = opened(tmp_path, stops_on_turns=False, form="plain")
    assert student.prompt_of("Why?") == PROMPT_FORMAT.format(question="Why?")
    assert check_fit(lessons_of(ROWS, student), student, SETTINGS).end_of_text == "<|endoftext|>"


def test_chat_without_a_template_is_refused(base: Path) -> None:
    with pytest.raises(InputError, match="has no chat template"):
        open_base(StudentSettings(base=str(base), form="chat"), PROMPTS)


def test_the_lesson_ends_on_the_end_of_the_turn_and_not_on_the_line_break_after_it(tmp_path: Path) -> None:
    student = opened(tmp_path)
    for lesson in lessons_of(ROWS, student):
        assert student.tokenizer.decode(lesson.tokens).endswith(lesson.row.answer + "<|im_end|>")
        assert student.tokenizer.decode(lesson.tokens[len(lesson.prompt) :]) == lesson.row.answer + "<|im_end|>"


def test_a_template_that_ends_turns_where_generation_does_not_stop_is_refused_until_the_end_is_named(
    tmp_path: Path,
) -> None:
    student = opened(tmp_path, stops_on_turns=False)
    with pytest.raises(InputError, match=r"student\.end_of_text"):
        check_fit(lessons_of(ROWS, student), student, SETTINGS)
    student = open_base(StudentSettings(base=str(tmp_path), end_of_text="<|im_end|>"), PROMPTS)
    assert check_fit(lessons_of(ROWS, student), student, SETTINGS).end_of_text == "<|im_end|>"


def test_an_end_of_text_that_was_named_is_saved_for_every_runtime(tmp_path: Path) -> None:
    student = opened(tmp_path / "base", stops_on_turns=False, end_of_text="<|im_end|>")
    save_student(student, tmp_path / "saved")
    again = open_student(str(tmp_path / "saved"))
    assert again.tokenizer.eos_token == "<|im_end|>"
    assert again.tokenizer.eos_token_id in again.stops_on


def test_an_end_of_text_that_is_no_token_is_refused(base: Path) -> None:
    with pytest.raises(InputError, match="no token '<stop>'"):
        open_base(StudentSettings(base=str(base), end_of_text="<stop>"), PROMPTS)


def test_a_template_that_writes_begin_of_text_gets_no_second_one(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    student = opened(tmp_path, LLAMA)
    begin = student.tokenizer.bos_token_id
    student.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", begin)]
    )
    assert student.encode(student.prompt_of("Why?")).count(begin) == 1
    assert check_fit(lessons_of(ROWS, student), student, SETTINGS).begin_of_text is True
    student.tokenizer.chat_template = "{{ bos_token }}" + student.tokenizer.chat_template
    with pytest.raises(InputError, match=r"exactly 1 <\|begin\|>"):
        check_fit(lessons_of(ROWS, student), student, SETTINGS)


def test_a_template_that_writes_todays_date_writes_the_same_one_every_day(tmp_path: Path) -> None:
    student = opened(tmp_path, LLAMA)
    assert "Today Date: 26 Jul 2024" in student.prompt_of("Why?")
    assert not reads_the_clock(student.tokenizer.chat_template)
    assert reads_the_clock(TELLS_THE_TIME)


def test_a_student_that_may_think_is_asked_and_taught_without_a_thought(tmp_path: Path) -> None:
    student = opened(tmp_path, QWEN3)
    assert student.prompt_of("Why?").endswith("<think>\n\n</think>\n\n")
    assert check_fit(lessons_of(ROWS, student), student, SETTINGS).rows == len(ROWS)
    save_student(student, tmp_path / "saved")
    elsewhere = open_student(str(tmp_path / "saved")).tokenizer
    turns = [{"role": "user", "content": "Why?"}]
    assert elsewhere.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) == student.prompt_of("Why?")


def test_what_a_template_begins_with_is_not_lost_when_it_is_pinned(tmp_path: Path) -> None:
    student = opened(tmp_path, "\nBegin." + QWEN3)
    assert student.prompt_of("Why?").startswith("\nBegin.<|im_start|>")
    save_student(student, tmp_path / "saved")
    assert open_student(str(tmp_path / "saved")).tokenizer.chat_template == student.tokenizer.chat_template


def test_a_template_that_begins_a_thought_no_row_has_is_refused(tmp_path: Path) -> None:
    student = opened(tmp_path, THINKS_ALOUD)
    with pytest.raises(InputError, match=r"student\.form to plain"):
        check_fit(lessons_of(ROWS, student), student, SETTINGS)


def test_context_and_earlier_turns_stand_in_the_chat(tmp_path: Path) -> None:
    asked = opened(tmp_path, system="Be brief.").prompt_of("Why?", "A page.", ["What?", "That."])
    turns = ["system\nBe brief.", "user\nA page.\n\nWhat?", "assistant\nThat.", "user\nWhy?"]
    assert asked == "".join(f"<|im_start|>{turn}<|im_end|>\n" for turn in turns) + "<|im_start|>assistant\n"


def test_a_system_prompt_without_a_place_is_refused(tmp_path: Path, base: Path) -> None:
    with pytest.raises(InputError, match="no place for a system prompt"):
        open_base(StudentSettings(base=str(base), system="Be brief."), PROMPTS)
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
    with pytest.raises(InputError, match=r"refuses a conversation of system, user"):
        opened(tmp_path, refusing, system="Be brief.").prompt_of("Why?")


def test_a_trained_chat_student_is_asked_as_it_was_taught(dataset: Path, tmp_path: Path) -> None:
    from train.sft import train_student

    section = {"base": str(chat_base(tmp_path / "base")), "name": "chatty", "steps": 2, "system": "Be brief."}
    home = train_student(dataset, section, tmp_path, False, silent)
    assert read_student(home).rendering.system == "Be brief."
    for of_base in (False, True):
        asked = open_trained(home, base=of_base)
        assert asked.prompt_of("Why?").startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?")
        # The trainer aligns the model's special tokens with the tokenizer's, whose end is another one here.
        assert asked.tokenizer.convert_tokens_to_ids("<|im_end|>") in asked.stops_on
    template = home / "model" / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8").replace("user", "human") + "!", encoding="utf-8")
    with pytest.raises(InputError, match="another chat template"):
        open_trained(home)


def opened(folder: Path, template: str = CHATML, stops_on_turns: bool = True, **settings: str) -> Student:
    chat_base(folder, template, stops_on_turns)
    return open_base(StudentSettings.model_validate({"base": str(folder), **settings}), PROMPTS)
