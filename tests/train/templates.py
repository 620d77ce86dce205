"""Chat templates as the hub's models carry them, cut to what matters, and small bases that carry them."""

from __future__ import annotations

from pathlib import Path

from tests.train.made_up_course import PROMPT_FORMAT, course_rows
from train.settings import StudentSettings
from train.students import Student, make_student, save_student

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{{- "<|im_start|>system\\nToday Date: " + date_string + "<|im_end|>" }}
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
QWEN3 = """{%- for message in messages %}
    {%- if message.role == "assistant" and loop.last %}
        {{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + message.content + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
THINKS_ALOUD = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
TELLS_THE_TIME = "{{ strftime_now(message_format) }}" + CHATML


def chat_base(folder: Path, template: str = CHATML, stops_on_turns: bool = True) -> Path:
    """A folder with a base of random weights whose tokenizer has a chat template."""
    texts = [PROMPT_FORMAT.format(question=row.question) + row.completion for row in course_rows(concepts=2)["train"]]
    made = make_student(StudentSettings(hidden=16, layers=1, heads=1, vocabulary=400), texts, folder)
    made.tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.tokenizer.add_special_tokens({"bos_token": "<|begin|>"})
    made.model.resize_token_embeddings(len(made.tokenizer))
    made.tokenizer.chat_template = template
    if stops_on_turns:
        made.model.generation_config.eos_token_id = made.tokenizer.convert_tokens_to_ids("<|im_end|>")
    save_student(Student(made.model, made.tokenizer), folder)
    return folder
