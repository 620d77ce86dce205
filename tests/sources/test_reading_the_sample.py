"""The sample PDF, set from Markdown with heads, page numbers, broken words and a table, reads as its source does."""

from __future__ import annotations

import re

import pytest

from pipeline.sources import ReadLimits, Unread, cut_passages, read_document, split_sentences
from tests.conftest import ROOT

SAMPLES = ROOT / "samples"
TITLE = "Good and Bad Communication"


def read(suffix):
    path = SAMPLES / f"good_and_bad_communication{suffix}"
    found = read_document(path, path.name, ReadLimits())
    assert not isinstance(found, Unread)
    return found


@pytest.fixture(scope="module")
def pdf():
    return read(".pdf")


@pytest.fixture(scope="module")
def source():
    return read(".md")


def blocks(document):
    return [block for page in document.pages for block in page.blocks]


def sentences(document):
    return [document.text[start:end] for start, end in split_sentences(document.text)]


def test_the_pdf_says_sentence_for_sentence_what_its_source_says(pdf, source):
    assert sentences(pdf) == sentences(source)


def test_every_heading_is_found_with_its_depth(pdf, source):
    headings = [(block.level, block.text) for block in blocks(source) if block.kind == "heading"]
    assert len(headings) > 20
    assert [(block.level, block.text) for block in blocks(pdf) if block.kind == "heading"] == headings


def test_no_running_head_and_no_page_number_is_left(pdf):
    passages = cut_passages(pdf, 300)
    assert not [passage.text for passage in passages if TITLE in passage.text]
    assert not re.search(r"Page \d+ of \d+|^\d+$", pdf.text, re.M)
    assert pdf.text.count(TITLE) == 1


def test_words_broken_at_a_line_end_are_whole_and_compounds_keep_their_hyphen(pdf, source):
    words = set(re.findall(r"[\w’-]+", source.text))
    assert set(re.findall(r"[\w’-]+", pdf.text)) == words
    assert "passive-aggressive" in words
    assert "follow-up" in words


def test_list_items_are_whole(pdf):
    items = [block.text for block in blocks(pdf) if block.kind == "item"]
    assert len(items) == 5
    assert items[3] == "4. Pause: Let the other person tell their side before you go on."


def test_table_rows_stand_on_lines_of_their_own_and_in_no_sentence(pdf):
    rows = [block.text for block in blocks(pdf) if block.kind == "row"]
    assert len(rows) == 7
    assert rows[1] == "A colleague is late | Sighing loudly as they come in | Asking in private what got in the way"
    assert [sentence for sentence in sentences(pdf) if " | " in sentence] == rows


def test_passages_of_pdf_and_source_are_the_same_passages(pdf, source):
    assert [(one.id, one.heading) for one in cut_passages(pdf, 400)] == [
        (one.id, one.heading) for one in cut_passages(source, 400)
    ]


def test_a_passage_knows_the_page_it_was_printed_on(pdf):
    apologies = next(one for one in cut_passages(pdf, 400) if one.heading[-1] == "Apologies")
    assert apologies.page == 5
    assert apologies.heading == (TITLE, "Conflict and repair", "Apologies")
