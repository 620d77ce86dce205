"""Long PDFs: the slow reader samples them, the better text of each page is kept, and they have the time they need."""

from __future__ import annotations

import pytest

from benchmarks.long_pdfs import set_book
from pipeline.sources import Document, ReadLimits, read_document
from pipeline.sources.layout import Fragment, PageText
from pipeline.sources.pdf_pages import BestPages

PROSE = "the listener waits until the speaker has said what there was to say about the harbour "
TORN = " ".join(PROSE.replace(" ", ""))


class Reader:
    """Gives its pages the same text, but for some of them, and remembers which it was asked for."""

    def __init__(self, name, text, others=None):
        self.name, self.text, self.others = name, text, others or {}
        self.count, self.asked = 0, []

    def page(self, number):
        self.asked.append(number)
        text = self.others.get(number, self.text)
        if text is None:
            raise ValueError("a broken page")
        return PageText([(0, Fragment(text, 72, 700, 400, 11, False, False))], (0, 0, 600, 800))

    def holds_picture(self, number):
        return False


def kept(slow, quick, count=400):
    """Which reader's text is kept of each page."""
    pages = BestPages([slow, quick], count, 0.03)
    return [pages.page(number).reader for number in range(1, count + 1)]


def test_where_both_do_as_well_the_slow_one_reads_a_sample_and_the_quick_ones_text_is_kept():
    slow, quick = Reader("slow", PROSE), Reader("quick", PROSE)
    assert kept(slow, quick) == ["quick"] * 400
    assert len(slow.asked) == 40
    assert {1 + 50 * part for part in range(8)} <= set(slow.asked)
    assert sorted(quick.asked) == list(range(1, 401))


def test_a_short_document_is_read_by_both_and_the_first_is_preferred():
    slow, quick = Reader("slow", PROSE), Reader("quick", PROSE, {7: PROSE * 2})
    assert kept(slow, quick, 80) == ["slow"] * 6 + ["quick"] + ["slow"] * 73
    assert slow.asked == quick.asked == list(range(1, 81))


def test_where_the_slow_one_does_better_it_reads_everything():
    slow, quick = Reader("slow", PROSE, {5: TORN}), Reader("quick", TORN, {5: PROSE})
    assert kept(slow, quick) == ["slow"] * 4 + ["quick"] + ["slow"] * 395
    assert sorted(slow.asked) == list(range(1, 401))


def test_a_page_that_the_quick_one_reads_badly_or_not_at_all_is_read_by_the_other():
    slow, quick = Reader("slow", PROSE), Reader("quick", PROSE, {8: TORN, 9: None, 10: " "})
    assert kept(slow, quick) == ["quick"] * 7 + ["slow"] * 3 + ["quick"] * 390
    assert len(slow.asked) == 43


def test_where_neither_reads_anything_the_slow_one_is_not_asked_again_and_again():
    slow, quick = Reader("slow", TORN), Reader("quick", TORN)
    assert kept(slow, quick) == ["quick"] * 400
    assert len(slow.asked) == 40


def test_a_page_that_neither_can_read_raises_when_its_turn_comes():
    slow, quick = Reader("slow", PROSE, {1: None, 2: None}), Reader("quick", PROSE, {1: None, 2: None})
    pages = BestPages([slow, quick], 400, 0.03)
    for number in (1, 2):
        with pytest.raises(ValueError, match="broken"):
            pages.page(number)
    assert pages.page(3).reader == "quick"


def test_every_page_of_a_book_is_there_without_its_running_head(tmp_path):
    path = tmp_path / "book.pdf"
    set_book(path, pages=90, lines=6)
    found = read_document(path, "book.pdf", ReadLimits())
    assert isinstance(found, Document), found
    assert (found.reader, found.page_count, [page.number for page in found.pages]) == ("pypdfium2", 90, [*range(1, 91)])
    assert "On Harbours" not in found.text
    assert all(f"Page {number} begins" in page.text for number, page in enumerate(found.pages, 1))


def test_time_is_earned_by_pages_but_not_by_a_few_bytes_that_come_back_as_pages():
    limits = ReadLimits(seconds=55)
    assert limits.allowed(b"", 10**9) == limits.allowed(b" " * 200, 10**9) == 55
    assert limits.allowed(b" " * 1000, 10**9) == 200
    assert limits.allowed(b" " * 5000, 60_000) == 55
    assert limits.allowed(b"\t" * 30, 10**9) == 300


@pytest.mark.slow
def test_a_book_that_takes_longer_than_a_file_may_has_the_time_its_pages_earn(tmp_path):
    path = tmp_path / "book.pdf"
    set_book(path, pages=1000)
    found = read_document(path, "book.pdf", ReadLimits(seconds=40))
    assert isinstance(found, Document), found
    assert (found.reader, found.page_count, len(found.pages)) == ("pypdfium2", 1000, 1000)
    assert not found.warnings
