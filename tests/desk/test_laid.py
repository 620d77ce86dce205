"""What was laid before a person is kept whole, and told from what it has become."""

from __future__ import annotations

import sqlite3

from pipeline.desk.laid import Laid
from pipeline.review.sheets import lay_sheet
from pipeline.teacher.ledger import Ledger
from tests.review.test_sheets import record


def lay(folder, records) -> None:
    with Ledger(folder) as ledger:
        laid = Laid(ledger)
        lay_sheet(folder / "review", records, laid.lines, laid.note)


def test_records_are_kept_as_they_were_laid(tmp_path):
    records = [record(f"{number:04}", flags=("weakly_supported",), score=0.5, field="ü") for number in range(1200)]
    lay(tmp_path, records)
    lay(tmp_path, [*records, record("new")])
    with Ledger.look(tmp_path) as ledger:
        laid = Laid(ledger)
        assert len(laid.lines) == 1201
        assert laid.records(["0000", "1199", "new", "never"]) == {
            "0000": records[0], "1199": records[-1], "new": record("new")
        }  # fmt: skip


def test_a_ledger_of_an_older_version_that_is_looked_at_knows_lines_and_no_records(tmp_path):
    lay(tmp_path, [record("a")])
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.executescript("DROP TABLE laid_records; DROP TABLE fixes; PRAGMA user_version = 2;")
    with Ledger.look(tmp_path) as ledger:
        assert Laid(ledger).lines.keys() == {"a"}
        assert Laid(ledger).records(["a"]) == {}
    with Ledger(tmp_path) as ledger:
        assert Laid(ledger).records(["a"]) == {}
