"""docs/drafters.md: every drafter with its settings and a record of each kind it brings. `make docs` writes it."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from pipeline.kinds import DRAFTERS
from pipeline.records import Record
from tests.conftest import ROOT
from tests.draft.samples_of_drafters import SAMPLES, Workspace

PAGE = ROOT / "docs" / "drafters.md"
_HEAD = """\
# Drafters

A recipe names the kinds of data that it asks for under `drafters:`, beside `documents:`, `persona:` and `refusals:`.
This page is written by `make docs`: the settings are those of the code, and the records are what the embedded teacher
drafts from a few sections of the sample document. A real teacher words them better. [How to add one](add-a-drafter.md).

"""
_SHOWN = ("question", "context", "earlier", "answer", "rejected_answer", "quote", "further_quotes", "kind", "field",
          "difficulty", "equations", "result", "labels")  # fmt: skip
_LONGEST = 240


def settings_of(name: str) -> str:
    """A drafter's settings as a table."""
    fields = import_module(DRAFTERS[name].home).Settings.model_fields
    rows = [f"| `{key}` | {_default(field)} | {_cell(field.description or '')} |" for key, field in fields.items()]
    return "\n".join(("| setting | default | what |", "|---|---|---|", *rows))


def _default(field: Any) -> str:
    if field.default is PydanticUndefined:
        return "(needed)"
    value = field.default
    if isinstance(value, tuple):
        value = list(value)
    return f"`{_cell(json.dumps(value, ensure_ascii=False, default=str))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def example_of(record: Record) -> str:
    """What a person reads of a record, long texts cut."""
    values = json.loads(record.model_dump_json(exclude_defaults=True))
    return json.dumps({key: _cut(values[key]) for key in _SHOWN if values.get(key)}, ensure_ascii=False, indent=1)


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST].rstrip()} …"
    return [_cut(one) for one in value] if isinstance(value, list) else value


def section_of(name: str, records: list[Record]) -> str:
    """The page's part about one drafter."""
    module = import_module(DRAFTERS[name].home)
    first = (module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    rests = (
        " It rests on records: it is asked after the drafters whose records it takes up."
        * DRAFTERS[name].rests_on_records
    )
    recipe = "\n".join(f"    {line}" for line in SAMPLES[name].settings.splitlines())
    parts = [f"## {name}\n", f"{first}{rests}\n", settings_of(name) + "\n"]
    beside = f"{SAMPLES[name].beside}\n" if SAMPLES[name].beside else ""
    parts.append(f"```yaml\n{beside}drafters:\n  {name}:\n{recipe}\n```\n")
    for kind in sorted(SAMPLES[name].gives):
        of_kind = [record for record in records if record.kind == kind and not record.typo_of]
        found = next((record for record in of_kind if record.earlier), of_kind[0] if of_kind else None)
        if found:
            parts.append(f"A record of kind `{kind}`:\n\n```json\n{example_of(found)}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    parts = []
    for name in DRAFTERS:
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace.of(name, Path(folder))
            workspace.run()
            with workspace.history() as (drafters, history):
                own = {item.request for one in workspace.own(drafters) for item in one.drafts(history.told)}
            records, _ = workspace.ends()
            parts.append(section_of(name, sorted((r for r in records if r.request in own), key=lambda r: r.id)))
        sys.stderr.write(f"{name}\n")
    PAGE.write_text(_HEAD + "\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
