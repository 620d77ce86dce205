"""A base that has read something is made on the spot, by one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError, UsageError
from tests.train.made_up_course import silent
from train.pretrain import Reading, pretrain, texts_of
from train.settings import StudentSettings
from train.student_json import weights_of
from train.students import open_student

SMALL = Reading(StudentSettings(hidden=32, layers=1, heads=2, vocabulary=300), steps=12, batch=4)
TEXTS = ["The mill on the river ground corn for three villages and slept when the river froze. " * 120]


def test_a_base_reads_and_is_a_base_that_students_open(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    before, after = pretrain(TEXTS, tmp_path / "one", SMALL, silent)
    assert after < before - 0.3
    assert open_student(str(tmp_path / "one")).tokenizer.eos_token
    pretrain(TEXTS, tmp_path / "other", SMALL, silent)
    assert weights_of(tmp_path / "one") == weights_of(tmp_path / "other") != ""
    with pytest.raises(UsageError, match="may be a base that an adapter needs"):
        pretrain(TEXTS, tmp_path / "one", SMALL, silent)


def test_too_little_to_read_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the training stage needs coursework[train]")
    with pytest.raises(InputError, match="too few"):
        pretrain(["A short text."], tmp_path / "base", SMALL, silent)
    assert not (tmp_path / "base").exists()


def test_without_a_text_pythons_own_manual_is_read(tmp_path: Path) -> None:
    assert sum(map(len, texts_of(()))) > 300_000
    with pytest.raises(InputError, match="could not be read"):
        texts_of([tmp_path / "nowhere.txt"])
