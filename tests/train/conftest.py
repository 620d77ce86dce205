"""One small dataset and one small student, trained once for all tests that only look at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.train.made_up_course import TINY, silent, write_course


@pytest.fixture(scope="session")
def _course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset folder and, beside it, a student that has learned it."""
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    from train.sft import train_student

    dataset = write_course(tmp_path_factory.mktemp("course") / "dataset", concepts=3, student=TINY)
    train_student(dataset, None, None, False, silent)
    return dataset.parent


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
