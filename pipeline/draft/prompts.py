"""Prompt templates: Jinja files with a system and a user block, rendered into requests."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from pipeline.errors import RecipeError
from pipeline.records import content_id
from pipeline.teacher.request import Request


@dataclass(frozen=True)
class Manner:
    """How every request of a run is put: the model and its sampling."""

    model: str
    temperature: float
    max_output_tokens: int


def slot(text: str, name: str) -> str:
    """Text from a source between `<name>` tags: data, never instructions.

    Closing tags and role tokens inside it are broken up, so that nothing a document says can end the
    slot or open a turn.
    """
    harmless = re.sub(r"<(?=\s*/\s*\w+\s*>|\|)", "< ", text)
    return f"<{name}>\n{harmless}\n</{name}>"


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["slot"] = slot
    return environment


@dataclass(frozen=True)
class Prompt:
    """One template. Raises RecipeError naming file and line if it cannot be rendered."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The template as it stands in its file."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(f"{self.path}: the prompt template cannot be read: {fault}.") from None

    @cached_property
    def fingerprint(self) -> str:
        """Names the template's text."""
        return content_id(self.text)

    def request(self, kind: str, subject: str, schema: dict[str, Any], manner: Manner, **values: object) -> Request:
        """The request about a subject that this template, filled with `values`, puts to the teacher."""
        return Request(
            kind=kind,
            model=manner.model,
            system=sys.intern(self._block("system", values)),  # most requests share it, and one copy is enough
            user=self._block("user", values),
            schema=schema,
            temperature=manner.temperature,
            max_output_tokens=manner.max_output_tokens,
            subject=subject,
            prompt=self.fingerprint,
        )

    @cached_property
    def _template(self) -> Any:
        try:
            template = _environment().from_string(self.text)
        except TemplateSyntaxError as fault:
            raise RecipeError(f"{self.path}:{fault.lineno}: {fault.message}.", remedy="Mend the template.") from None
        missing = {"system", "user"} - set(template.blocks)
        if missing:
            raise RecipeError(
                f"{self.path}: has no {{% block {min(missing)} %}}.",
                remedy="A template needs a system and a user block.",
            )
        return template

    def _block(self, name: str, values: dict[str, object]) -> str:
        template = self._template
        try:
            return "".join(template.blocks[name](template.new_context(values))).strip()
        except TemplateError as fault:
            known = ", ".join(sorted(values))
            raise RecipeError(f"{self.path}: block {name}: {fault.message}.", remedy=f"It may use: {known}.") from None


def object_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """A strict JSON Schema of an object whose properties are all required, as structured output wants it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array_of(items: dict[str, Any], *, at_most: int, at_least: int = 0) -> dict[str, Any]:
    """JSON Schema of a list with bounds on its length."""
    bounds = {"minItems": at_least, "maxItems": at_most} if at_least else {"maxItems": at_most}
    return {"type": "array", "items": items, **bounds}


def choice_of(*names: str) -> dict[str, Any]:
    """JSON Schema of a text that is one of these."""
    return {"type": "string", "enum": list(names)}


STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
BOOLEAN: dict[str, Any] = {"type": "boolean"}
