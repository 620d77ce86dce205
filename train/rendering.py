"""In what form a student is taught and asked: the dataset's plain prompt, or the tokenizer's own chat template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat, Row

Form = Literal["plain", "chat"]
PINNED_DATE = date(2024, 7, 26)
"""What a template that writes today's date writes instead: the date Llama 3's own names where there is no clock."""
_CLOCK = re.compile(r"""strftime_now\(\s*(["'])(?P<format>[^"']*)\1\s*\)""")
THINKING = ("enable_thinking", "thinking")
"""Switches by which a template makes room for a train of thought; no row of a dataset has one to put there."""


class Rendering(BaseModel):
    """How a question becomes the text that a student reads; kept in student.json.

    Training, examination, chat and export all go through it, so that none of them asks in another form
    than the one that was taught.
    """

    model_config = ConfigDict(frozen=True)

    form: Form = Field(description="plain: the dataset's prompt format; chat: the tokenizer's chat template")
    prompt_format: str = Field(description="how a question becomes a plain prompt")
    context_format: str = Field(description="how what is shown with a question stands before it")
    system: str = Field(default="", description="what a chat begins with, the same in training and ever after")
    template_sha256: str = Field(default="", description="of the chat template, today's date and thinking pinned")

    def prompt_of(self, tokenizer: Any, question: str, context: str = "", earlier: Sequence[str] = ()) -> str:
        """The text that an answer follows; `earlier` holds questions and answers in turn."""
        if self.form == "plain":
            return PromptFormat(self.prompt_format, self.context_format).of(question, context, earlier)
        return _rendered(tokenizer, self.turns(question, context, earlier), asking=True)

    def lesson_of(self, tokenizer: Any, row: Row) -> str:
        """A row as the student reads it in training: prompt, answer, and whatever ends it."""
        if self.form == "plain":
            return f"{row.prompt}{row.completion}{tokenizer.eos_token}"
        answered = {"role": "assistant", "content": row.answer}
        return _rendered(tokenizer, [*self.turns(row.question, row.context, row.earlier), answered], asking=False)

    def encode(self, tokenizer: Any, text: str) -> list[int]:
        """The tokens of a prompt or lesson. A chat template writes begin-of-text by itself; the tokenizer adds none."""
        return list(tokenizer(text=text, add_special_tokens=self.form == "plain")["input_ids"])

    def turns(self, question: str, context: str, earlier: Sequence[str]) -> list[dict[str, str]]:
        """The same as turns of a conversation, for whoever renders them elsewhere."""
        said = [*earlier, question]
        if context:
            said[0] = self.context_format.format(context=context, prompt=said[0])
        turns = [{"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(said)]
        return [{"role": "system", "content": self.system}, *turns] if self.system else turns


def rendering_for(
    tokenizer: Any, prompts: PromptFormat, form: Literal["auto", "plain", "chat"] = "auto", system: str = ""
) -> Rendering:
    """The rendering of a student with this tokenizer: chat if it has a template, unless `form` says otherwise.

    Raises InputError if that cannot be: no template, or a system prompt with no place to stand.
    """
    chosen: Form = form if form != "auto" else "chat" if tokenizer.chat_template else "plain"
    if chosen == "chat" and not tokenizer.chat_template:
        raise InputError(
            "student.form is chat, but the base's tokenizer has no chat template.",
            remedy="Leave form out, or choose a base that was taught to chat (most are named Instruct).",
        )
    if chosen == "plain" and system:
        raise InputError(
            "student.system is set, but a student that is asked in the plain form has no place for a system prompt.",
            remedy="Leave system out, or write it into the recipe's prompt_format.",
        )
    return Rendering(
        form=chosen,
        prompt_format=prompts.prompt,
        context_format=prompts.context,
        system=system,
        template_sha256=template_sha256(tokenizer) if chosen == "chat" else "",
    )


def template_sha256(tokenizer: Any) -> str:
    """The hash of a tokenizer's chat template, empty if it has none."""
    template = tokenizer.chat_template
    return hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest() if template else ""


def pin_template(tokenizer: Any) -> None:
    """Makes a chat template say the same every day and leave no room for thoughts, wherever it is read.

    The template is saved with the student, so a runtime that knows nothing of coursework asks as it was
    taught too.
    """
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        tokenizer.chat_template = None
        return
    dated = _CLOCK.sub(lambda call: repr(PINNED_DATE.strftime(call["format"])), template)
    switched = [name for name in THINKING if name in _asked_for(dated)]
    # The line break after a tag is the tag's own, so that one at the template's beginning stays.
    tokenizer.chat_template = "".join(f"{{%- set {name} = false %}}\n" for name in switched) + dated


def reads_the_clock(template: str) -> bool:
    """Whether a pinned template still asks for the date, in a way that could not be pinned."""
    return bool(re.search(r"strftime_now\s*\(", template))


def _asked_for(template: str) -> set[str]:
    """The names that a template takes from whoever renders it."""
    from jinja2 import TemplateError, meta
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(extensions=[loopcontrols, _marks()])
    try:
        return meta.find_undeclared_variables(environment.parse(template))
    except TemplateError as fault:
        raise InputError(
            f"The base's chat template cannot be read: {fault}.",
            remedy="Mend chat_template.jinja in the base's folder, or choose another base.",
        ) from fault


def _marks() -> Any:
    """Lets `{% generation %}` stand in a template, as transformers does."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - jinja's own form

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)

    return Generation


def _rendered(tokenizer: Any, turns: list[dict[str, str]], asking: bool) -> str:
    from jinja2 import TemplateError

    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=asking))
    except TemplateError as fault:
        raise InputError(
            f"The base's chat template refuses a conversation of {', '.join(turn['role'] for turn in turns)}: {fault}.",
            remedy="Set student.form to plain, or leave out student.system if the template has no place for it.",
        ) from fault
