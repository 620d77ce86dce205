"""The verbs as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.errors import InputError, UsageError
from tests.train.made_up_course import BRIEF, REFUSAL, TINY, course_rows, write_course
from train.cli import app, train_and_examine

ROOT = Path(__file__).parents[2]
RUN = CliRunner()
REFUSED = next(row.question for row in course_rows(concepts=3)["train"] if row.refusal)


def test_a_dataset_folder_is_trained_beside_itself(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    dataset = write_course(tmp_path / "dataset", concepts=2, student=BRIEF)
    result = RUN.invoke(app, ["train", str(dataset)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'students' / 'brief'}\n"
    assert "rows fit" in result.stderr
    result = RUN.invoke(app, ["train", str(dataset), "--out", str(tmp_path / "else")], catch_exceptions=False)
    assert (tmp_path / "else" / "brief" / "student.json").exists()


def test_a_recipe_names_the_dataset_and_its_own_student_wins(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    write_course(tmp_path / "out" / "talk" / "dataset", concepts=2, student={**BRIEF, "seed": 1})
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("name: talk\nstudent: {hidden: 16, heads: 1, layers: 1, steps: 2}\n", encoding="utf-8")
    RUN.invoke(app, ["train", str(recipe), "--out", str(tmp_path / "out")], catch_exceptions=False)
    described = json.loads((tmp_path / "out/talk/students/local-full/student.json").read_text(encoding="utf-8"))
    assert (described["settings"]["hidden"], described["settings"]["seed"]) == (16, 0)


def test_a_run_ends_with_a_student_and_a_screenful_about_it(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = workspace / "talk.yaml"
    recipe.write_text("name: talk\nstudent: " + json.dumps(TINY), encoding="utf-8")
    train_and_examine(recipe, workspace / "dataset")
    said = capsys.readouterr()
    assert "already trained" in said.err
    assert said.out.count("- student: ") == 5
    assert said.out.endswith(f"examination: {workspace / 'students' / 'tiny' / 'examination.html'}\n")


def test_a_target_must_be_a_dataset_or_a_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a dataset folder nor a recipe"):
        RUN.invoke(app, ["train", str(tmp_path / "notes.txt")], catch_exceptions=False)


def test_an_unpublished_recipe_has_nothing_to_train_on(tmp_path: Path) -> None:
    recipe = tmp_path / "talk.yaml"
    recipe.write_text("name: talk\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a dataset folder"):
        RUN.invoke(app, ["train", str(recipe), "--out", str(tmp_path)], catch_exceptions=False)


def test_examine_prints_the_page_and_chat_answers_a_pipe(workspace: Path) -> None:
    student = str(workspace / "students" / "tiny")
    page = RUN.invoke(app, ["examine", student], catch_exceptions=False).stdout
    assert page == (workspace / "students" / "tiny" / "examination.md").read_text(encoding="utf-8")
    answers = RUN.invoke(app, ["chat", student], input=f"{REFUSED}\n/quit\n", catch_exceptions=False)
    assert answers.stdout == f"{REFUSAL}\n"


@pytest.mark.parametrize(
    "module", ["train.cli", "train.sft", "train.examination.examine", "train.chat.turns", "train.settings"]
)
def test_importing_a_verb_loads_no_torch(module: str) -> None:
    heavy = {"torch", "transformers", "trl", "peft", "datasets", "accelerate"}
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    assert _python(code).stdout == "[]\n"


def test_without_the_training_packages_one_line_says_what_to_install(tmp_path: Path) -> None:
    dataset = write_course(tmp_path / "dataset", concepts=2)
    code = (
        "import sys\nsys.modules['torch'] = sys.modules['trl'] = None\n"
        "from train.cli import app, train_and_examine\nfrom pipeline.errors import UsageError\n"
        f"try:\n    app(['train', {str(dataset)!r}], standalone_mode=False)\n"
        "except UsageError as fault:\n    print(fault)\n"
    )
    said = _python(code).stdout
    assert "need torch, trl, which are not installed" in said
    assert 'pip install "coursework[train]"' in said
    assert not (tmp_path / "students").exists()


def _python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
