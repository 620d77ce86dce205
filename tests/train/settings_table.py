"""Writes the table of fields at the end of docs/teaching.md from the settings themselves."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.conftest import ROOT
from train.settings import LoraSettings, StudentSettings

PAGE = ROOT / "docs" / "teaching.md"
HEADING = "## The section\n"


def fields() -> str:
    """Every field of the student section and of `lora`, with its default and what it means."""
    lines = ["", "| field | default | what it says |", "|---|---|---|"]
    for prefix, model in (("", StudentSettings), ("lora.", LoraSettings)):
        lines += [_line(prefix + name, field) for name, field in model.model_fields.items() if not _is_section(field)]
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    shown = "" if default in (None, "", []) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    return f"| `{name}` | {shown} | {field.description} |"


def _is_section(field: FieldInfo) -> bool:
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in _kinds(field))


def _kinds(field: FieldInfo) -> list[object]:
    return [field.annotation, *getattr(field.annotation, "__args__", ())]


def main() -> None:
    """Write the page."""
    before = PAGE.read_text(encoding="utf-8").split(HEADING)[0]
    PAGE.write_text(before + HEADING + fields(), encoding="utf-8")


if __name__ == "__main__":
    main()
