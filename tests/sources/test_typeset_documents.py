"""Documents as printers set them, in five languages: every sentence comes out whole, and nothing stands inside one."""

from __future__ import annotations

import pytest

from pipeline.sources import Document, Page, ReadLimits, ReadOptions, split_sentences
from pipeline.sources.pdf import read_pdf
from tests.sources.typeset import ARABIC_FONT, TITLES, furniture, sentences, typeset, typeset_leftwards

READERS = pytest.mark.parametrize("reader", ["pypdf", "pypdfium2"])


def cut(path, reader):
    """The sentences of a PDF, read in this process, with their line breaks as blanks; and its warnings."""
    found = read_pdf(path, ReadLimits(), ReadOptions(reader=reader), None)
    text = Document("set", "0", tuple(Page(number, tuple(blocks)) for number, blocks in found.pages)).text
    return [text[start:end].replace("\n", " ") for start, end in split_sentences(text)], found.warnings


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Each book is set once, for both readers."""
    folder, done = tmp_path_factory.mktemp("books"), {}

    def made(language, columns):
        path = folder / f"{language}{columns}.pdf"
        if path not in done:
            done[path] = typeset_leftwards(path, columns) if language == "ar" else typeset(path, language, columns)
        return path

    return made


@READERS
@pytest.mark.parametrize(("language", "columns"), [("de", 1), ("de", 2), ("en", 2), ("es", 2), ("zh", 2)])
def test_heads_numbers_notes_contents_and_tables_stand_in_no_sentence(book, language, columns, reader):
    found, warnings = cut(book(language, columns), reader)
    assert not set(sentences(language)) - set(found)
    assert not set(found) - set(sentences(language)) - furniture(language)
    assert warnings == ["lines of a table of contents were left out: page 1"]


@READERS
@pytest.mark.skipif(not ARABIC_FONT.is_file(), reason="no font here has Arabic letters")
@pytest.mark.parametrize("columns", [1, 2])
def test_arabic_is_read_in_the_order_of_speech_whatever_order_it_is_drawn_in(book, columns, reader):
    found, _ = cut(book("ar", columns), reader)
    assert not set(sentences("ar")) - set(found)
    assert set(found) - set(sentences("ar")) <= {TITLES["ar"][2]}
