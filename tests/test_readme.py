"""The README is true: its commands run, its exit codes are the code's, its tree and links are there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import errors
from tests.conftest import ROOT
from tests.test_run import teaching

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
VERBS = {command.split("coursework ", 1)[1].split()[0] for command in COMMANDS if "coursework " in command}


def shell(command: str, folder: Path, **environment: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=folder, env=os.environ | {"PATH": path} | environment,
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def checkout(tmp_path):
    """The files a newcomer sees, without what was made in them."""
    for name in ("recipes", "prompts", "personas", "samples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_readme_has_the_commands_that_matter():
    assert {"plan", "run", "init", "train", "examine", "chat"} <= VERBS
    assert {"make run", "make test"} <= set(COMMANDS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_of_the_readme_exists_with_its_options(verb, tmp_path):
    text = shell(f"coursework {verb} --help", tmp_path)
    for command in COMMANDS:
        if f"coursework {verb}" in command:
            assert all(option in text for option in re.findall(r"--[a-z-]+", command))


@pytest.mark.slow
def test_the_commands_of_the_readme_that_make_data_run_in_its_order(checkout):
    with teaching() as server:
        for command in COMMANDS:
            if re.search(r"coursework (plan|run|init|export)\b", command):
                real = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.url} if "--model" in command else {}
                shell(command, checkout, **real)
    assert (checkout / "outputs" / "elon_musk" / "dataset" / "train.jsonl").stat().st_size > 0


@pytest.mark.slow
def test_the_commands_of_the_readme_that_train_run_in_its_order(checkout):
    shell("coursework run recipes/communication.yaml", checkout)
    said = [shell(c, checkout) for c in COMMANDS if re.search(r"coursework (train|examine|chat)\b", c)]
    assert "Active listening is" in said[-1]


def test_the_exit_codes_are_said_in_one_way_by_the_readme_the_help_and_the_errors(tmp_path):
    table = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    said = {str(code): meaning for code, meaning in errors.EXIT_CODES.items()}
    assert table == said
    lines = [line.split(maxsplit=1) for line in shell("coursework --help", tmp_path, COLUMNS="80").splitlines()]
    assert (
        said.items() <= {code: meaning.rstrip() for code, meaning in (line for line in lines if len(line) == 2)}.items()
    )
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CourseworkError)
    ]
    assert set(errors.EXIT_CODES) == {0} | {kind.exit_code for kind in kinds}


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists()


def test_the_tree_in_the_design_names_what_is_there():
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    tree = design[design.index("## Layout") : design.index("Who may import whom")]
    for package in ("pipeline", "train"):
        part = (
            tree[tree.index(f"    {package}/\n") :]
            .split("\n    tests/")[0]
            .split("\n    train/\n" if package == "pipeline" else "\n\n")[0]
        )
        named = set(re.findall(r"^      ([a-z_]+(?:\.py|/))", part, re.MULTILINE))
        here = {
            path.name + ("/" if path.is_dir() else "")
            for path in (ROOT / package).iterdir()
            if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
        }
        assert named == here, named ^ here


def test_the_nightly_line_of_the_readme_names_options_that_exist(tmp_path):
    (line,) = re.findall(r"```cron\n(.*?)\n```", README, re.DOTALL)
    text = shell("coursework run --help", tmp_path)
    assert all(option in text for option in re.findall(r"--[a-z-]+", line))
