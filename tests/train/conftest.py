"""One small dataset and one small student, trained once for all tests that only look at it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish.schema import PREFERENCE, Pair
from tests.train.made_up_course import TINY, course_rows, rewrite, silent, write_course


@contextmanager
def _shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of all test processes of this session; held by one of them at a time."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    home = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    with (home / "course.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


@pytest.fixture(scope="session")
def _course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset folder and, beside it, a student that has learned it."""
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    from train.sft import train_student

    with _shared_home(tmp_path_factory) as home:
        course = home / "course"
        if not (course / "students" / "tiny").exists():
            train_student(write_course(course / "dataset", concepts=3, student=TINY), None, None, False, silent)
    return course


@pytest.fixture(scope="session")
def examined(_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the student's folder beside a copy of its dataset, with the student's examination."""
    from train.examination.examine import examine_student

    with _shared_home(tmp_path_factory) as home:
        copy = home / "examined"
        if not copy.exists():
            aside = shutil.copytree(_course, home / "examining", dirs_exist_ok=True)
            examine_student(Path(aside) / "students" / "tiny", False, silent)
            Path(aside).rename(copy)
    return copy / "students" / "tiny"


@pytest.fixture(scope="session")
def trained(_course: Path) -> Path:
    """The student's folder; tests look at it and leave it as it is."""
    return _course / "students" / "tiny"


@pytest.fixture(scope="session")
def base(trained: Path) -> Path:
    """A folder with a model that has learned something, to start from like from one of the hub's."""
    return trained / "model"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset folder of a test's own."""
    return write_course(tmp_path / "dataset", concepts=3, student=TINY)


@pytest.fixture
def workspace(_course: Path, tmp_path: Path) -> Path:
    """A copy of the dataset with its trained student, to be changed at will."""
    return Path(shutil.copytree(_course, tmp_path / "workspace"))


@pytest.fixture(scope="session")
def architectures(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with small models of random weights and the tiny student's tokenizer, by architecture; OPT's is tied."""
    from tests.train.tiny_models import write_tiny_models

    return write_tiny_models(base, tmp_path_factory.mktemp("architectures"))


@pytest.fixture
def paired(dataset: Path) -> Path:
    """The dataset with pairs: beside the answer to a question, the answer to another."""
    rows = [row for row in course_rows(concepts=3)["train"] if not row.refusal][::5]
    rewrite(dataset, PREFERENCE, [_pair(row, rows[number - 1].completion) for number, row in enumerate(rows)])
    return dataset


def _pair(row: Any, worse: str) -> Pair:
    return Pair(
        prompt=row.prompt, chosen=row.completion, rejected=worse, question=row.question, kind="preference", id=row.id,
        parent=row.id, fault="another question's", fact=row.fact, source=row.source, page=row.page, quote=row.quote,
        passage=row.passage, model=row.model, edited=False,
    )  # fmt: skip
