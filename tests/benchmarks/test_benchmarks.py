"""Every benchmark still runs on the code as it is, at sizes at which its figures mean nothing."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path

import pytest

from benchmarks import check, curate, duplicates, faults, grounding, hedging, mix, teacher
from pipeline.teacher.rehearsal.running import Rehearsing
from pipeline.teacher.rehearsal.settings import Rehearsal
from tests.conftest import ROOT

NAMES = sorted(
    path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_is_measured_and_measures_nothing(name, tmp_path, monkeypatch, capsys):
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert module.__doc__.split("\n")[0] in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_from_paid_replies_to_rows():
    found = curate.run_stages(200)
    stages = [told["stage"] for told in found["stages"]]
    assert {"all checks", "- near_duplicate", "split", "rows read and validated"} <= set(stages)
    assert found["parts"]["train"] > 100
    assert curate.run_replies(3)["replies"] >= 3


def test_duplicates_planted_and_found_again(tmp_path):
    assert {"rate", "loop", "mib"} <= duplicates.near(300, tmp_path / "index.sqlite").keys()
    assert duplicates.again(tmp_path / "index.sqlite", 300, 20)["new"] > 0
    assert duplicates.exact(300)["found"] > 0
    found = duplicates.quality(list(duplicates.made_up(300, seed=1)))
    assert found["exact dropped"] == found["precision of drops"] == 1
    assert found["near dropped or flagged"] > 0.9


def test_answers_planted_in_the_sample(monkeypatch, capsys):
    monkeypatch.setattr(grounding, "PDFS", Path("nowhere"))
    monkeypatch.setattr(grounding, "answers", lambda: {"good_and_bad_communication.md": []})
    passages = {name: found for name, found in grounding.corpora().items() if found}
    drafts = list(grounding.by_rule(passages, random.Random(0)))
    assert len(list(grounding.beside_others(drafts[:3], passages, random.Random(0), 2))) == 6
    grounding.numbers(passages, random.Random(0))
    grounding.quotes(passages, random.Random(0))
    assert "one changed" in capsys.readouterr().out


def test_the_pool_beside_a_bare_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "COUNT", 4)
    with Rehearsing(Rehearsal(fixed=True)) as server:
        assert {"phase", "cpu"} <= teacher.run_bare(server.url, 2, 4).keys() & teacher.run_ours(server.url, 2, 4).keys()
        assert faults.reference(server.url)[0] == 4
        assert faults.ours(server.url, tmp_path)[:2] == (4, 0)


def test_hedging_simulated():
    assert hedging.simulated(40, hanging=0.02, slow=0.0, hedged=True, seed=0).last > 0


def test_a_sheet_laid_changed_and_read(tmp_path):
    made = check.Made(tmp_path / "made-up", 16)
    made.change(4, lambda line: line | {"review": "keep"})
    assert check.read(made) > 0
    assert check.parsed(made.sheet) > 0


def test_foreign_rows_written(tmp_path):
    pytest.importorskip("pyarrow")
    mix.write_rows(tmp_path, 40, ["What is asked?"])
    assert len(list(tmp_path.iterdir())) == 4
