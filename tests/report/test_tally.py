"""What a report shows of records adds up, is bounded, and is the same whatever else is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Passage, Record
from pipeline.report.tally import SHOWN, tally

PASSAGES = {
    f"p{number}": Passage(
        id=f"p{number}", document="a.pdf", document_sha256="0", heading=("On pauses",), start=0, end=90,
        pages=((0, number), (40, number + 1)), text=f"Passage {number} says what a pause is for.",
    )
    for number in range(1, 7)
}  # fmt: skip


def record(number: int, *flags: str, passage: str = "p1", **more) -> Record:
    question = f"What is question number {number} about?"
    return Record(
        id=f"r{number}", kind="document", question=question, answer="A pause.", quote="Passage", source="a.pdf",
        page=PASSAGES[passage].page, span=(0, 7), passage=passage, fact=f"f{number}", flags=flags,
        model="m", prompt="p", request="r", **more,
    )  # fmt: skip


def shown(records, **repeats):
    return tally(records, PASSAGES, repeats, "draw")


def test_every_record_stands_on_a_page_and_every_passage_is_asked_about_or_silent():
    found = shown([record(1), record(2, passage="p3"), record(3, passage="p3")])
    (document,) = found.documents
    assert document.records == 3 == sum(document.by_page.values())
    assert document.by_page == {1: 1, 2: 0, 3: 2, 4: 0, 5: 0, 6: 0, 7: 0}
    assert found.silent_in_all == 4 and [one.page for one in found.silent] == [2, 4, 5, 6]
    assert found.silent[0].heading == "On pauses" and found.silent[0].beginning.startswith("Passage 2 says")


def test_the_most_doubtful_come_first_and_what_a_person_edited_is_not_among_them():
    calm = [record(number, score=1.0) for number in range(1, 30)]
    doubtful = [record(40, "a", "b", score=0.2), record(41, "a", score=0.9), record(42, score=0.4)]
    found = shown([*calm, *doubtful, record(50, "a", "b", "c", score=0.0, edited=True)])
    assert [one.id for one in found.doubtful] == ["r40", "r41", "r42"]


def test_the_ten_at_random_hang_on_the_draw_and_not_on_the_order():
    records = [record(number) for number in range(1, 200)]
    first, again = (tally(some, PASSAGES, {}, "one").random for some in (records, records[::-1]))
    assert len(first) == SHOWN and first == again
    assert first != tally(records, PASSAGES, {}, "another").random


def test_pairs_are_told_closest_first_and_clusters_by_size():
    records = [record(1), record(2, "similar_question:r1"), record(3, "similar_question:r2"), record(4),
               record(5, "similar_question:r4"), record(6, "close_to_corpus")]  # fmt: skip
    found = shown(records, r4=3, gone=9)
    assert found.pairs_in_all == 3
    assert {(pair.earlier.id, pair.later.id) for pair in found.pairs} == {("r1", "r2"), ("r2", "r3"), ("r4", "r5")}
    assert list(found.pairs) == sorted(found.pairs, key=lambda pair: -pair.alike)
    assert [cluster.size for cluster in found.similar] == [3]
    assert [(cluster.questions, cluster.size) for cluster in found.repeated] == [((records[3].question,), 3)]


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(sorted(PASSAGES)), st.integers(0, 3)), max_size=60))
def test_whatever_the_records_the_counts_are_theirs(drawn):
    records = [
        record(number, *(f"similar_question:r{partner}" for partner in range(flags)), passage=passage)
        for number, passage, flags in drawn
    ]
    found = shown(records)
    assert found.records == len(records) == sum(found.by_kind.values()) == sum(found.question_words.values())
    assert sum(document.records for document in found.documents) == len(records)
    assert all(len(some) <= SHOWN for some in (found.random, found.doubtful, found.pairs, found.similar))
    assert found == shown(records)
