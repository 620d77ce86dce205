"""Who may import whom. A rule that no machine checks decays."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

SHARED_NOUNS = {
    *("errors", "kinds", "records", "arithmetic", "yamlfile", "words", "constraints", "files", "crash", "corpus"),
    "language",
    "opposites",
}
ALLOWED = {
    "errors": set(),
    "kinds": set(),
    "arithmetic": set(),
    "records": {"kinds"},
    "yamlfile": {"errors"},
    "words": {"records"},
    "corpus": {"records", "words"},
    "constraints": {"language"},
    "language": {"errors"},
    "files": {"errors", "crash"},
    "crash": set(),
    "opposites": set(),
    "mishap": {"errors"},
    "recorded": {"errors", "files", "mishap", "recipe", "report", "runlog"},
    "runlog": {"errors", "crash", "files", "funnel", "records", "review", "sources", "teacher"},
    "report": SHARED_NOUNS | {"runlog"},
    "terminal": {"funnel", "runlog"},
    "verify": {"errors", "desk", "files", "kinds", "mix", "records", "review", "runlog", "publish", "teacher"},
    "mix": SHARED_NOUNS | {"recipe", "spool", "curate", "publish.schema"},
    "mixed": {"files", "drafted", "material", "recipe", "records", "desk", "spool", "mix", "curate", "publish"},
    "funnel": {"records"},
    "spool": {"files"},
    "drafted": {"embedder", "errors", "recipe", "records", "spool", "history", "material", "draft", "curate"},
    "recipe": {"errors", "yamlfile", "kinds", "mix.licences", "mix.settings"},
    "wishes": {"errors", "files"},
    "weak": {"errors", "files", "records", "wishes", "publish"},
    "improve": {"recipe", "weak", "wishes"},
    "rounds": {
        *(
            "publish",
            "wishes",
            "desk",
            "drafted",
            "history",
            "kinds",
            "material",
            "recipe",
            "records",
            "spool",
        ),
        *("draft", "curate"),
    },
    "desk": SHARED_NOUNS | {"recipe", "review", "curate", "teacher.ledger", "teacher.packing", "draft.fixes"},
    "judging": {"asking", "curate", "draft", "history", "kinds", "material", "recipe", "records", "review", "teacher"},
    "durations": {"errors"},
    "embedder": {"errors", "recipe"},
    "history": {"draft", "teacher"},
    "rebuild": {
        *(
            "crash",
            "files",
            "funnel",
            "desk",
            "judging",
            "language",
            "recipe",
            "records",
            "report",
            "runlog",
            "spool",
            "history",
            "kinds",
            "material",
            "drafted",
            "mix",
            "mixed",
        ),
        *("draft", "curate", "review", "publish", "teacher"),
    },
    "why_imported": {"curate", "drafted", "kinds", "mix", "publish.schema", "recipe", "records"},
    "why": {
        *("why_imported", "kinds"),
        *("desk", "errors", "files", "recipe", "records", "spool", "history", "material", "drafted", "rounds"),
        *("draft", "curate", "review", "publish", "teacher"),
    },
    "exporting": {"errors", "files", "kinds", "publish"},
    "cli_export": {"errors", "exporting"},
    "cli_options": set(),
    "cli_review": {"cli_options", "desk", "errors", "recipe", "review", "ruling"},
    "ruling": {
        *("desk", "errors", "history", "material", "recipe", "records", "review", "rounds", "teacher"),
    },
    "cli_run": {"cli_options", "durations", "errors", "recipe", "recorded", "run", "runlog", "status", "terminal"},
    "status": {"errors", "files", "publish", "recipe", "review", "runlog", "teacher"},
    "cli_page": {"cli_options", "recipe", "reviewing"},
    "reviewing": {
        *("curate", "desk", "errors", "files", "material", "recipe", "records", "review", "teacher"),
    },
    "reading": {"errors", "recipe", "records", "sources"},
    "material": {
        "kinds",
        "corpus",
        "constraints",
        "language",
        "errors",
        "reading",
        "recipe",
        "records",
        "draft",
        "sources",
    },
    "asking": {"errors", "recipe", "history", "draft", "teacher"},
    "workspace": {"errors", "recipe"},
    "sources": SHARED_NOUNS | {"recipe"},
    "teacher": SHARED_NOUNS | {"recipe"},
    "draft": SHARED_NOUNS | {"sources", "teacher.request", "wishes"},
    "curate": SHARED_NOUNS | {"recipe"},
    "review": SHARED_NOUNS | {"recipe"},
    "publish": SHARED_NOUNS | {"recipe"},
}
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "gradio", "faster_whisper"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, module_level_only: bool = False) -> set[str]:
    tree = parsed(path)
    nodes = tree.body if module_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def part_of(path: Path) -> str:
    inside = path.relative_to(ROOT / "pipeline")
    return inside.parts[0].removesuffix(".py")


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_a_package_imports_only_what_its_row_allows():
    stray = []
    for path in python_files("pipeline"):
        part = part_of(path)
        if part in ("run", "cli", "__init__", "__main__"):
            continue
        allowed = ALLOWED[part] | {part}
        for name in imports(path):
            target = name.removeprefix("pipeline.")
            if target != name and not {target, target.split(".")[0]} & allowed:
                stray.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not stray


def test_the_pipeline_never_imports_what_is_heavy_or_train_at_module_level():
    tops = {
        str(path.relative_to(ROOT)): {name.split(".")[0] for name in imports(path, module_level_only=True)}
        for path in python_files("pipeline")
    }
    assert not {path: found for path, names in tops.items() if (found := names & (HEAVY | {"train"}))}


def test_train_knows_of_the_pipeline_only_errors_yaml_and_the_dataset_folder():
    known = {"pipeline", "pipeline.errors", "pipeline.yamlfile", "pipeline.publish.schema"}
    stray = {
        str(path.relative_to(ROOT)): found
        for path in python_files("train")
        if (found := {name for name in imports(path) if name.split(".")[0] == "pipeline"} - known)
    }
    assert not stray


@pytest.mark.parametrize(
    "verb", [["--help"], ["run", "--help"], ["train", "--help"], ["plan", "recipes/communication.yaml"]]
)
def test_no_command_loads_torch_without_need(verb):
    code = (
        "import sys\nfrom pipeline.cli import main\nsys.argv = ['coursework', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = {sorted(HEAVY)!r}\nprint([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *verb], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.rstrip().endswith("[]")
