"""From drafts to rows everything streams: never more than a few shards of it are in memory, however many there are."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from pipeline.curate import SHARD, Material, Origin, curate
from pipeline.desk.laid import Laid
from pipeline.desk.reviewed import Reviewed
from pipeline.desk.said import Desk
from pipeline.files import Writing, read_json_lines, write_folder
from pipeline.funnel import Funnel
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import TRAIN, Row, read_rows
from pipeline.publish.split import assign, prove_no_leak
from pipeline.rebuild import _sort_out
from pipeline.recipe import Checks, Recipe
from pipeline.records import Draft, Record, Rejection
from pipeline.review.reading import Said
from pipeline.review.sheets import lay_sheet
from pipeline.spool import Spool
from pipeline.teacher.ledger import Ledger

COUNT = 8 * SHARD
MOST = 3 * SHARD
RECIPE = Recipe.model_validate({"name": "n", "persona": {"file": "p.yaml"}})


class Crowd:
    """The largest number of drafts, records, rejections, lines and rows that were alive at once."""

    def __init__(self) -> None:
        self.most = 0

    def watching(self, passing: Iterable) -> Iterator:
        for number, one in enumerate(passing):
            if number % (SHARD // 2) == SHARD // 3:
                alive = sum(type(thing) in (Draft, Record, Rejection, Said, Row) for thing in gc.get_objects())
                self.most = max(self.most, alive)
            yield one


class Watched:
    """Records that are gone through more than once, watched each time."""

    def __init__(self, records: Iterable[Record], crowd: Crowd) -> None:
        self._records, self._crowd = records, crowd

    def __iter__(self) -> Iterator[Record]:
        return self._crowd.watching(self._records)


def drafts() -> Iterator[Draft]:
    for number in range(COUNT):
        question = f"Who has painted bridge {number} of town {number // 7}?" if number % 5 else f"No question {number}"
        yield Draft(
            kind="persona", question=question, answer=f"Mister {number}.", persona="p", fact=str(number), request="r"
        )


@pytest.fixture(autouse=True)
def nothing_of_other_tests():
    """What they left alive is neither counted nor gone through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def test_no_stage_holds_more_than_a_few_shards(tmp_path):
    crowd, funnel = Crowd(), Funnel(0, 0, 0)
    watched = crowd.watching
    material = Material({}, lambda key: Origin("m", "p"))
    rejections = Writing(tmp_path / "rejected.jsonl")
    with Ledger(tmp_path) as ledger, Spool[Record](tmp_path, Record) as records, rejections as rejected:
        ends = curate(watched(funnel.entering(drafts())), material, Checks())
        _sort_out(watched(ends), records, rejected, funnel, Counter())
        rejected.finish()
        laid = Laid(ledger)
        lay_sheet(tmp_path / "review", records, laid.lines, laid.note)
        kept = Reviewed(records, Desk.read(tmp_path, ledger), {}, RECIPE)
        parts = assign(Watched(kept, crowd), RECIPE)
        prove_no_leak(kept, parts, "en")
        dataset = Dataset(RECIPE, Provenance("0", "0", {}, {}, False, []))
        rows = dataset.lines(parts.rows(watched(kept)))
        write_folder(tmp_path / "dataset", watched(rows), dataset.closing, "manifest.json")
        assert sum(1 for _ in watched(read_rows(tmp_path / "dataset", TRAIN))) == parts.counts[TRAIN]
        assert sum(1 for _ in watched(read_json_lines(tmp_path / "rejected.jsonl", Rejection))) == COUNT // 5
    assert funnel.drafts == COUNT
    assert 0 < crowd.most <= MOST


def test_curating_looks_no_further_ahead_than_a_shard():
    taken = 0

    def counted() -> Iterator[Draft]:
        nonlocal taken
        for draft in drafts():
            taken += 1
            yield draft

    ends = curate(counted(), Material({}, lambda key: Origin("m", "p")), Checks())
    assert taken == 0
    for number, _ in enumerate(ends, 1):
        assert taken < number + SHARD
