"""Which questions repeat an earlier one, and which only look alike."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.planted import made_up
from pipeline.curate.duplicates import index as index_module
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.index import Duplicates
from pipeline.errors import TryAgainLater
from pipeline.recipe import Checks
from tests.conftest import ROOT

TERMS = Terms.of(Checks(), "en")


def entries(*questions: str, fact: str = "") -> list[Entry]:
    return [Entry(f"id{number}", question, fact) for number, question in enumerate(questions)]


def found(sequence: list[Entry], path=None, embedder=None, terms=TERMS, shard: int = 1000):
    with Duplicates(path, terms, embedder) as index:
        return [
            finding
            for begin in range(0, len(sequence), shard)
            for finding in index.compare(sequence[begin : begin + shard])
        ]


def fate(one: str, other: str, **more) -> tuple[str, str]:
    _, last = found(entries(one, other), **more)
    return last.verdict, last.cause


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("What is denial?", "what is  denial", ("rejected", "exact_duplicate")),
        ("What is denial?", "Please, what is the denial?", ("rejected", "near_duplicate")),
        ("What is denial?", "What is diversion?", ("passed", "")),
        ("What is the limit for A?", "What is the limit for B?", ("flagged", "similar_question")),
        ("What is active listening?", "What is active listning?", ("flagged", "similar_question")),
        ("Which tax is due in the county?", "Which tax is due in the country?", ("flagged", "similar_question")),
        ("When must a tenant pay the rent?", "When may a tenant pay the rent?", ("flagged", "similar_question")),
        ("How long is 1.5 of a mile in feet?", "How long is 15 of a mile in feet?", ("flagged", "similar_question")),
        ("Is it good to reply at once?", "Is it not good to reply at once?", ("flagged", "similar_question")),
        ("What is the use of C++ at work?", "What is the use of C# at work?", ("flagged", "similar_question")),
        ("什么是积极倾听的第一步？", "什么是积极倾听的第一步", ("rejected", "exact_duplicate")),
        ("什么是积极倾听的第一步？", "什么是积极倾听的第二步？", ("flagged", "similar_question")),
        ("ما هي الخطوة الأولى للاستماع؟", "ما هي الخطوة الأولى للاستماع", ("rejected", "exact_duplicate")),
        ("ما هي الخطوة الأولى للاستماع؟", "ما هي الخطوة الثانية للاستماع؟", ("passed", "")),
        ("Wann muss der Mieter sie zahlen?", "Wann darf der Mieter sie zahlen?", ("flagged", "similar_question")),
        ("¿Quién vio a María en el parque?", "¿A quién vio María en el parque?", ("flagged", "similar_question")),
        ("", "", ("rejected", "exact_duplicate")),
    ],
)  # fmt: skip
def test_the_same_is_rejected_the_similar_flagged_the_different_passed(one, other, expected):
    assert fate(one, other) == expected


def test_a_finding_says_what_was_measured_and_names_its_partner():
    _, flagged, rejected = found(
        entries("What is the limit for A?", "What is the limit for B?", "what is the limit for b?")
    )
    assert (flagged.partner, rejected.partner) == ("id0", "id1")
    assert "0.71 of the words shared (flagged from 0.7)" in flagged.measured
    assert "b here, a there" in flagged.detail


def test_a_rejected_question_is_nobodys_partner():
    # The third is similar to the second only, which is not there.
    first, second, third = entries("What is active listening?", "Please what is active listening exactly?", "")
    sequence = [first, second, third._replace(question="Please what is passive listening exactly?")]
    assert [finding.verdict for finding in found(sequence)] == ["passed", "rejected", "passed"]


def test_wordings_of_one_fact_are_compared_only_for_being_the_same():
    one, other = "Which step comes first in active listening?", "Which step comes last in active listening?"
    assert found(entries(one, other, fact="f"))[1].verdict == "passed"
    assert found(entries(one, one, fact="f"))[1].verdict == "rejected"
    assert found(entries(one, other))[1].verdict == "flagged"


def test_what_a_person_dropped_does_not_come_back_unseen():
    gone = Entry("gone", "What is the use of active listening at work?", dropped=True)
    again, trifle, similar, other = entries(
        "what is the use of active listening at work",
        "What is the use of the active listening at work?",
        "What is the cost of active listening at work?",
        "What is the use of a the active listening at work?",
    )
    causes = [(finding.verdict, finding.cause) for finding in found([gone, again, trifle, similar, other])]
    assert causes == [
        ("passed", ""),
        ("rejected", "dropped_before"),
        ("flagged", "similar_to_dropped"),
        ("flagged", "similar_to_dropped"),
        ("rejected", "near_duplicate"),
    ]


def test_of_several_similar_ones_the_most_similar_is_named():
    *_, last = found(
        entries(
            "How many people fit in the small blue boat on Monday?",
            "How many people fit in the large blue boat on Sunday?",
            "How many people fit in the large blue boat on Friday?",
        )
    )
    assert last.partner == "id1"


class Bagger:
    """Vectors of how often each letter pair stands in a text: near where the letters are."""

    name, dimensions = "letter pairs", 64

    def encode(self, texts, /):
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for one, other in pairwise(text):
                row[(ord(one) * 7 + ord(other)) % self.dimensions] += 1
            row[0] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_meaning_flags_and_rejects_only_what_the_words_leave_no_doubt_about():
    plural = ("Which planets move around this star at night?", "Which planet move around this star at night?")
    assert fate(*plural, embedder=Bagger())[0] == "rejected"
    turned = ("Does shouting at people cause fear of people?", "Does fear of people cause shouting at people?")
    assert fate(*turned, embedder=Bagger())[0] == "flagged"
    named = ("What did Adams write in the long letter to her?", "What did Adam write in the long letter to her?")
    assert fate(*named, embedder=Bagger())[0] == "flagged"
    far = ("What is the meaning of it?", "How would you know about zebras?")
    assert fate(*far, embedder=Bagger())[0] == "passed"


def test_a_candidate_by_meaning_that_was_rejected_is_nobodys_partner():
    sequence = entries("Which planets move around this star at night?", "Which planet move around this star at night?")
    sequence += entries("Which planet moves around this star at night?")
    assert {finding.partner for finding in found(sequence, embedder=Bagger())} == {"", "id0"}


some_words = st.lists(
    st.sampled_from(["why", "listen", "help", "people", "the", "of", "feedback", "1.5", "email", "倾听的第一步", "a"]),
    max_size=7,
).map(" ".join)
some_entries = st.lists(
    st.builds(Entry, st.sampled_from("abcdef"), some_words, st.sampled_from(["", "f"]), st.booleans()), max_size=30
)


@settings(max_examples=12, deadline=None)
@given(earlier=some_entries, later=some_entries, cuts=st.integers(1, 9), keep=st.integers(0, 30), cap=st.integers(1, 3))
@pytest.mark.parametrize("embedder", [None, Bagger()], ids=["words", "meaning"])
def test_an_index_that_was_there_before_decides_as_a_fresh_one(
    tmp_path_factory, embedder, earlier, later, cuts, keep, cap
):
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(index_module, "BATCH", 4)
    monkeypatch.setattr(index_module, "_COMMIT_EVERY", 5)
    path = tmp_path_factory.mktemp("index") / "questions.sqlite"
    terms = TERMS._replace(candidates_per_word=cap)
    sequence = earlier[:keep] + later
    try:
        found(earlier, path, embedder, terms, cuts)
        again = found(sequence, path, embedder, terms, 5)
        assert again == found(sequence, None, embedder, terms, 7)
        assert again == found(sequence, path, embedder, terms, 3)
    finally:
        monkeypatch.undo()


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(index_module, "BATCH", 256)


def planted(count: int) -> list[Entry]:
    return [Entry(f"{place:x}", one.question, f"f{place}") for place, one in enumerate(made_up(count))]


def test_a_batch_against_many_on_disk_is_decided_as_if_all_came_at_once(tmp_path, small_batches):
    sequence, path = planted(2100), tmp_path / "i" / "questions.sqlite"
    found(sequence[:-500], path)
    assert found(sequence, path) == found(sequence, None, shard=333)


def test_an_index_on_other_terms_or_of_another_model_is_made_anew(tmp_path):
    path, (one, other) = tmp_path / "i.sqlite", ("What is the limit for A?", "What is the limit for B?")
    assert fate(one, other, path=path)[0] == "flagged"
    strict = TERMS._replace(similar_question=0.9, near_duplicate=99)
    assert fate(one, other, path=path, terms=strict)[0] == "passed"
    assert fate(one, other, path=path, embedder=Bagger())[0] == "flagged"


def spoil(path, table: str) -> None:
    with sqlite3.connect(path) as rows:
        rows.execute(f"update {table} set content = zeroblob(length(content))")
    rows.close()


@pytest.mark.parametrize("table", ["digests", "sieve", "run"])
def test_a_damaged_index_is_made_anew(tmp_path, small_batches, table):
    sequence, path = planted(400), tmp_path / "i.sqlite"
    whole = found(sequence, path)
    spoil(path, table)
    assert found(sequence, path) == whole


@pytest.mark.parametrize("table", ["findings", "page"])
def test_damage_that_shows_after_something_was_decided_ends_the_run_and_the_next_begins_anew(
    tmp_path, small_batches, table
):
    sequence, path = planted(400), tmp_path / "i.sqlite"
    whole = found(sequence, path)
    spoil(path, table)
    with pytest.raises(TryAgainLater, match="Run the same command again"):
        found([*sequence, Entry("new", sequence[5].question)], path)
    assert not path.exists()
    assert found(sequence, path) == whole


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 999])
def test_a_file_that_is_no_index_is_made_anew(tmp_path, content):
    path = tmp_path / "i.sqlite"
    path.write_bytes(content)
    assert fate("What is denial?", "What is denial?", path=path)[0] == "rejected"


def test_an_index_whose_pages_are_torn_is_never_believed(tmp_path, small_batches):
    sequence, path = planted(600), tmp_path / "i.sqlite"
    whole = found(sequence, path)
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 4096):
        content[place : place + 60] = bytes(60)
    path.write_bytes(content)
    more = [*sequence, Entry("new", sequence[5].question)]
    try:
        again = found(more, path)
    except TryAgainLater:
        assert not path.exists()
        again = found(more, path)
    assert again[:-1] == whole


def test_what_was_not_finished_is_as_if_it_had_not_come(tmp_path):
    sequence, path = planted(700), tmp_path / "i.sqlite"
    whole = found(sequence)
    found(sequence[:100], path)
    killed = (
        "import os, pathlib, sys; from tests.curate.test_duplicates import *\n"
        "Duplicates(pathlib.Path(sys.argv[1]), TERMS).compare(planted(700)[:500]); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, path], cwd=ROOT, timeout=120, check=False).returncode == 9
    assert found(sequence, path) == whole


def test_lone_surrogates_and_signs_break_nothing(tmp_path):
    sequence = entries("\ud800 what?", "\ud800 what?", "???", "!!!", "\x00", "a\x1fb")
    verdicts = [finding.verdict for finding in found(sequence, tmp_path / "i.sqlite")]
    assert verdicts == ["passed", "rejected", "passed", "rejected", "rejected", "passed"]
