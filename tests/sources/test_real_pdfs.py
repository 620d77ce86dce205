"""PDFs that others made: each meets a fate that is right for it, and prose comes out as prose."""

from __future__ import annotations

import json

import pytest

from pipeline.sources import (
    Document,
    ReadLimits,
    ReadOptions,
    cut_passages,
    estimate_tokens,
    read_document,
    split_sentences,
)
from tests.conftest import SHARED

MANIFEST = SHARED / "pdf" / "MANIFEST.json"
ENTRIES = json.loads(MANIFEST.read_text(encoding="utf-8")) if MANIFEST.is_file() else []

pytestmark = pytest.mark.skipif(not ENTRIES, reason="../shared/pdf is not here")


@pytest.fixture(scope="module")
def read():
    """Each file is read once, however many tests ask for it."""
    done = {}

    def reader(name, password=None, by="auto"):
        if (name, password, by) not in done:
            path = SHARED / "pdf" / name
            done[name, password, by] = read_document(path, name, ReadLimits(), password, ReadOptions(reader=by))
        return done[name, password, by]

    return reader


BOTH = pytest.mark.parametrize("by", ["pypdf", "pypdfium2"])


def fate(found):
    return "read" if isinstance(found, Document) else found.fate


@pytest.mark.parametrize("by", ["auto", *(pytest.param(by, marks=pytest.mark.slow) for by in ("pypdf", "pypdfium2"))])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_each_file_meets_a_fate_that_is_right_for_it(read, entry, by):
    found = read(entry["file"], by=by)
    assert fate(found) in entry["fate"]
    if isinstance(found, Document):
        assert found.sha256 == entry["sha256"]
        assert max(page.number for page in found.pages) <= entry["pages"]
    else:
        assert len(found.cause) > 15


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one["password"]], ids=lambda entry: entry["file"])
def test_the_password_opens_what_a_wrong_one_does_not(read, entry):
    for by in ("pypdf", "pypdfium2"):
        assert fate(read(entry["file"], entry["password"], by)) == "read"
        assert fate(read(entry["file"], "wrong", by)) == "encrypted"


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one["fate"] == ["read"]], ids=lambda entry: entry["file"])
def test_passages_are_verbatim_slices_within_the_limit(read, entry):
    document = read(entry["file"])
    for passage in cut_passages(document, 200):
        assert document.text[passage.start : passage.end] == passage.text
        assert estimate_tokens(passage.text) <= 200
        assert passage.page in {page.number for page in document.pages}


def test_fonts_without_a_map_to_unicode_are_not_taken_for_text(read):
    assert fate(read("nounicode_shifted_1p.pdf")) == "gibberish"


def test_pages_that_are_pictures_are_told_from_pages_without_anything(read):
    assert fate(read("scan_rotated_4p.pdf")) == "scanned"
    assert fate(read("blank_1p.pdf")) == "empty"


def test_a_cut_download_is_told_from_a_broken_file(read):
    assert fate(read("bad_truncated_wordprocessor_60pct.pdf")) == "truncated"
    assert fate(read("bad_cyclic_page_tree.pdf")) == "damaged"


@BOTH
def test_heads_and_feet_of_a_manual_are_gone_and_its_paragraphs_are_whole(read, by):
    text = read("prose_fm1-05_army_48p.pdf", by=by).text
    assert "21 January 2019 FM 1-05" not in text
    assert text.count("\nReligious Support for the Army\n") <= 1
    assert (
        "1-10. " in text
        and "\n• Unit support. This covers the unit to which the chaplain and religious affairs "
        "specialist are assigned or attached and is normally the first priority of support.\n"
        in text
    )


def test_words_that_the_file_itself_tears_apart_are_whole(read):
    text = read("prose_dmca_18p_emptypw.pdf").text
    assert "First, it makes certain technical amendments to U.S. law" in text
    assert "The Digital Millennium Copyright Act (DMCA) was signed into law by President Clinton" in text


@BOTH
def test_words_placed_one_by_one_make_lines_and_items(read, by):
    blocks = [block for page in read("wordperline_lists_2p.pdf", by=by).pages for block in page.blocks]
    assert blocks[0].text == "Module One - Introduction to Product Development and Quality Assurance"
    assert blocks[0].kind == "heading"
    assert "• What challenges may arise in development?" in [block.text for block in blocks if block.kind == "item"]


@BOTH
def test_columns_are_read_one_after_the_other(read, by):
    text = read("multicol_lorem_3p.pdf", by=by).text
    assert "Curabitur dictum gravida mauris. Nam arcu libero" in text.replace("\n", " ")
    assert "Nunc vitae tortor. Proin tempus nibh sit amet nisl." in text


@BOTH
def test_a_table_set_by_latex_keeps_its_cells_apart(read, by):
    rows = [block.text for block in read("multicol_lorem_3p.pdf", by=by).pages[-1].blocks if block.kind == "row"]
    assert "Belgium | 11.5 | 30,689 | Brussels | Dutch, French, German" in rows


@BOTH
def test_a_report_that_is_one_table_gives_rows_and_hardly_anything_else(read, by):
    kinds = [block.kind for page in read("table_warn_16p.pdf", by=by).pages[:15] for block in page.blocks]
    assert kinds.count("row") > 0.9 * len(kinds)


def test_arabic_reads_in_its_own_order(read):
    found = read("rtl_arabic_1p.pdf")
    assert "تحسين الإنتاجية وحل المشكلات من خلال البرمجة بلغة R وPython" in found.text
    assert len(split_sentences(found.text)) > 8


@BOTH
def test_ligatures_become_letters(read, by):
    assert read("ligatures_1p.pdf", by=by).text == "abcdeffffiflffifflſtstghijklmno"


@BOTH
def test_a_turned_page_reads_like_any_other(read, by):
    found = read("rotated_mixed_2p.pdf", by=by)
    assert [page.text for page in found.pages][1].startswith("This is my second page. It will have a landscape layout.")


@BOTH
def test_text_at_right_angles_is_left_out_and_said_to_be(read, by):
    found = read("multicol_federal_register_15p.pdf", by=by)
    assert "DSKJLSW7X2PROD" not in found.text
    assert any("right angles" in warning for warning in found.warnings)
