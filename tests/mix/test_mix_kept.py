"""What was drawn of a set of the hub is kept: a night without the hub, or with nothing newer there, works from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import InputError, TryAgainLater
from pipeline.mix.kept import FOLDER, Shelf
from pipeline.mix.rows import Faulty, Ticket
from pipeline.mix.settings import ImportedSet
from pipeline.mix.supply import open_set, supply_of
from tests.conftest import ROOT

pytest.importorskip("datasets")
OUTPUTS = "outputs"


class Night:
    """One night with the set `tome`, a folder that `datasets` loads, or what was drawn of it if that is away."""

    def __init__(self, root: Path, wanted: int | None = None, taken: int | None = None, **settings) -> None:
        self.said: list[str] = []
        self.faulty: list[tuple[Faulty, int]] = []
        shelf = Shelf(root / OUTPUTS, self.said.append)
        set_wanted = ImportedSet(**{"hub": "tome", "licence": "MIT"} | settings)
        opened = open_set("chats", set_wanted, root, "salt", shelf)
        self.supply = supply_of(opened, Shelf(root / OUTPUTS), root / OUTPUTS)
        tickets = self.supply.tickets(wanted, lambda row, more: self.faulty.append((row, more)))
        self.rows: list[Ticket] = [ticket for _, ticket in zip(range(taken or 10**9), tickets, strict=False)]


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / OUTPUTS).mkdir()
    (tmp_path / "tome").mkdir()
    fill(tmp_path, 40)
    return tmp_path


def fill(root: Path, count: int, bad: int = 0) -> None:
    pairs = [{"question": f"What is {n}?", "answer": f"It is number {n}."} for n in range(count)]
    pairs += [{"question": f"What is {n}?", "answer": ""} for n in range(count, count + bad)]
    text = "".join(json.dumps(pair) + "\n" for pair in pairs)
    (root / "tome" / "train.jsonl").write_text(text, encoding="utf-8")


def away(root: Path) -> None:
    (root / "tome").rename(root / "elsewhere")


def kept_files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / OUTPUTS / FOLDER).iterdir())


def test_a_night_without_the_set_has_the_same_rows_and_a_warning(root):
    fill(root, 40, bad=25)
    first = Night(root)
    away(root)
    second = Night(root)
    assert second.rows == first.rows and len(first.rows) == 40
    assert first.supply.read == second.supply.read == 65
    assert sum(1 + more for _, more in second.faulty) == sum(1 + more for _, more in first.faulty) == 25
    assert first.supply.warnings == []
    (warning,) = second.supply.warnings
    assert warning.startswith(
        "mix: chats: what was drawn of it before is used, 40 rows: tome: the hub cannot be reached"
    )


def test_the_file_is_called_by_its_content_and_only_the_newest_draw_is_kept(root):
    first = Night(root).supply.kept
    assert kept_files(root) == sorted([f"{first.sha256}.jsonl.zst", "chats.json"])
    fill(root, 50)
    second = Night(root).supply.kept
    assert second.sha256 != first.sha256
    assert kept_files(root) == sorted([f"{second.sha256}.jsonl.zst", "chats.json"])


def test_what_was_drawn_of_another_revision_or_otherwise_does_not_stand_in(root):
    Night(root)
    away(root)
    for settings in ({"revision": "v2"}, {"split": "test"}, {"system": "drop"}, {"hub": "other"}):
        with pytest.raises(TryAgainLater):
            Night(root, **settings)


def test_a_draw_that_is_damaged_is_said_and_not_used(root):
    kept = Night(root).supply.kept
    content = bytearray(kept.path.read_bytes())
    content[len(content) // 2] ^= 1
    kept.path.write_bytes(content)
    found = Night(root)
    assert found.said == ["mix: chats: what was drawn of it cannot be used: its content is not what its name says."]
    assert len(found.rows) == 40
    found.supply.kept.path.write_bytes(b"")
    away(root)
    with pytest.raises(TryAgainLater):
        Night(root)


def test_of_a_large_set_as_many_are_kept_as_a_number_needs_and_without_the_hub_there_are_no_more(root):
    fill(root, 6000)
    few = Night(root, wanted=5, taken=5)
    account = few.supply.kept.account
    assert 1010 <= account.rows < 1100 and account.read == 6000
    everything = Night(root, wanted=5)  # more are rejected than was allowed for: the rest is drawn
    assert everything.rows == sorted(everything.rows) and len(everything.rows) == 6000
    assert everything.rows[:5] == few.rows
    Night(root, wanted=5, taken=5)
    away(root)
    left = Night(root, wanted=3000)
    assert left.rows == everything.rows[: account.rows]
    assert "no more rows than were drawn of it can be had" in left.supply.warnings[-1]


def test_a_set_that_is_there_and_cannot_be_read_is_no_night_without_the_hub(root):
    Night(root)
    (root / "tome" / "train.jsonl").write_text('{"text": "no question"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="a known layout was looked for"):
        Night(root)


@pytest.mark.slow
def test_of_a_hub_only_what_is_newer_is_read_and_a_pinned_revision_holds(tmp_path):
    command = [sys.executable, "-m", "tests.mix.hub_nights", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    old, new = "a" * 40, "b" * 40
    assert {name: (one["revision"], len(one["rows"])) for name, one in told.items() if "rows" in one} == {
        "first": (old, 50), "nothing newer": (old, 50), "tag": (old, 50), "commit": (old, 50), "newer": (new, 80),
        "tag again": (old, 50), "away": (new, 80), "tag, away": (old, 50), "commit, away": (old, 50),
    }  # fmt: skip
    assert [name for name, one in told.items() if one.get("fetched")] == ["first", "tag", "commit", "newer"]
    assert [name for name, one in told.items() if one.get("warnings")] == ["away", "tag, away"]
    assert told["away"]["rows"] == told["newer"]["rows"]
    assert "the hub cannot be reached" in told["other, away"]["fault"]
