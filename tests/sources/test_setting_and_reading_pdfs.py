"""PDFs set for one point each, and what is read from them."""

from __future__ import annotations

import pytest
from pypdf import PdfReader, PdfWriter

from pipeline.sources import ReadLimits, ReadOptions, Unread, read_document
from tests.sources.made_up_documents import LEADING, Setter

PROSE = (
    "People who write letters by hand take more time over each",
    "word than people who type them, and readers notice the care",
    "that went into the page before they notice what it says.",
)
WHOLE = " ".join(PROSE)


def page_of_prose(number):
    """Prose that no other page begins or ends with."""
    first = ("Letter one", "Letter two", "Letter three", "Letter four")[number - 1]
    return (f"{first} says this.", *PROSE, f"Thus ends what {first.casefold()} says.")


@pytest.fixture
def setter(tmp_path):
    return Setter(tmp_path / "set.pdf")


@pytest.fixture(params=["pypdf", "pypdfium2"])
def options(request):
    return ReadOptions(reader=request.param)


@pytest.fixture
def read(tmp_path, setter, options):
    def reader():
        setter.save()
        found = read_document(tmp_path / "set.pdf", "set.pdf", ReadLimits(), options=options)
        assert not isinstance(found, Unread), found
        return found

    return reader


def texts(document, kind):
    return [block.text for page in document.pages for block in page.blocks if block.kind == kind]


def test_the_lines_of_a_paragraph_become_one_line(setter, read):
    setter.lines(*PROSE)
    setter.lines(*PROSE)
    assert read().text == f"{WHOLE}\n{WHOLE}"


def test_a_title_like_the_running_head_stays_and_the_head_goes(setter, read):
    for number in range(1, 5):
        setter.at(72, 800, "On Letters", 9)
        setter.at(290, 40, f"{number} / 4", 9)
        if number == 1:
            setter.heading("On Letters")
        setter.lines(*page_of_prose(number))
        setter.next_page()
    found = read()
    assert texts(found, "heading") == ["On Letters"]
    assert " ".join(texts(found, "prose")) == " ".join(" ".join(page_of_prose(number)) for number in range(1, 5))


def test_pages_that_are_all_the_same_are_not_all_running_head(setter, read):
    for _ in range(4):
        setter.lines(*PROSE)
        setter.next_page()
    assert texts(read(), "prose") == [WHOLE] * 4


def test_a_year_in_the_text_is_no_page_number(setter, read):
    setter.lines(*PROSE, "The letter was posted in")
    setter.lines("1984")
    setter.lines(*PROSE)
    assert "1984" in read().text


def test_numbers_at_the_start_of_a_wrapped_line_start_no_list(setter, read):
    setter.lines(
        "The committee met on the first floor in room number", "12. Nobody came to the second of its meetings."
    )
    assert texts(read(), "item") == []


def test_list_items_are_joined_over_their_lines_and_kept_apart(setter, read):
    setter.lines(*PROSE)
    y = setter.height
    for text in ("1. Say when and where it happened and who else", "2. Say what it led to."):
        setter.at(72, y, text)
        y -= LEADING
        if text.startswith("1"):
            setter.at(86, y, "was there to see it.")
            y -= LEADING
    assert texts(read(), "item") == [
        "1. Say when and where it happened and who else was there to see it.",
        "2. Say what it led to.",
    ]


def test_broken_words_are_joined_by_what_the_document_says_of_them(setter, read):
    setter.lines("A well-known writer answers a question with great care", "and she is well-", "known for it.")
    setter.lines("The listener has to under-", "stand. A mother-in-", "law and an Anglo-", "Saxon listened.")
    found = read().text
    assert "she is well-known for it." in found
    assert "has to understand. A mother-in-law and an Anglo-Saxon listened." in found


def test_a_sentence_broken_between_two_pages_is_whole_on_the_first_with_its_words(setter, read):
    setter.lines(*PROSE[:2], "that went into the page before they under-")
    setter.next_page()
    setter.lines("stand what it says. The rest is on the second page.")
    found = read()
    assert found.pages[0].text.endswith("before they understand what it says.")
    assert found.pages[1].text == "The rest is on the second page."


def test_a_table_row_is_never_glued_to_the_prose_around_it(setter, read):
    setter.lines(*PROSE)
    for row in (("Habit", "Effect"), ("Interrupting", "Silence"), ("Listening", "Trust")):
        for x, cell in zip((72, 260), row, strict=True):
            setter.at(x, setter.height, cell)
        setter.height -= LEADING
    setter.height -= LEADING
    setter.lines(*PROSE)
    found = read()
    assert texts(found, "row") == ["Habit | Effect", "Interrupting | Silence", "Listening | Trust"]
    assert texts(found, "prose") == [WHOLE, WHOLE]


def test_two_columns_are_no_table(setter, read):
    top = setter.height
    for x in (72, 330):
        setter.height = top
        setter.lines(*PROSE, *PROSE, *PROSE, x=x, size=8)
    found = read()
    assert texts(found, "row") == []
    assert found.text.replace("\n", " ") == " ".join([WHOLE] * 6)


def test_a_raised_note_number_is_no_part_of_the_sentence(setter, read):
    setter.at(72, 700, "Silence gives a speaker time")
    width = setter.canvas.stringWidth("Silence gives a speaker time", "Helvetica", 11)
    setter.at(72 + width, 704, "3", 6)
    setter.at(72 + width + 7, 700, "to find the word.")
    assert read().text == "Silence gives a speaker time to find the word."


def test_a_raised_exponent_stays_one(setter, read):
    setter.at(72, 700, "It takes 10")
    width = setter.canvas.stringWidth("It takes 10", "Helvetica", 11)
    setter.at(72 + width, 704, "6", 6)
    setter.at(72 + width + 7, 700, "words to say it.")
    assert read().text == "It takes 10⁶ words to say it."


def test_text_drawn_twice_for_boldness_is_read_once(setter, read):
    for shift in (0, 0.2):
        setter.at(72 + shift, 700, "Listening is a habit.")
    assert read().text == "Listening is a habit."


def test_a_heading_is_larger_or_bold_and_never_a_sentence(setter, read):
    setter.heading("Listening", 18)
    setter.lines("When to speak", font="Helvetica-Bold")
    setter.lines(*PROSE)
    setter.lines("Never interrupt anyone who is still speaking.", font="Helvetica-Bold")
    setter.lines(*PROSE)
    found = read()
    assert [(block.level, block.text) for page in found.pages for block in page.blocks if block.kind == "heading"] == [
        (1, "Listening"),
        (2, "When to speak"),
    ]
    assert "Never interrupt anyone who is still speaking." in texts(found, "prose")


def test_one_broken_page_is_named_and_the_others_are_read(tmp_path, setter):
    for number in range(1, 4):
        setter.lines(*page_of_prose(number))
        setter.next_page()
    setter.save()
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "set.pdf"))
    contents = writer.pages[1].get_contents()
    from pypdf.generic import NameObject, StreamObject

    broken = StreamObject()
    broken.set_data(contents.get_data())
    broken[NameObject("/Filter")] = NameObject("/NoSuchFilter")
    writer.pages[1][NameObject("/Contents")] = writer._add_object(broken)
    writer.write(tmp_path / "one_bad.pdf")
    bad = tmp_path / "one_bad.pdf"
    found = read_document(bad, "one_bad.pdf", ReadLimits(), options=ReadOptions(reader="pypdf"))
    assert [page.number for page in found.pages] == [1, 3]
    assert any(warning.startswith("page 2 could not be read") for warning in found.warnings)
    whole = read_document(bad, "one_bad.pdf", ReadLimits())
    assert [page.number for page in whole.pages] == [1, 2, 3]
    assert whole.reader == "pypdf, pypdfium2 for page 2"
    assert not whole.warnings


def test_what_a_tagged_file_marks_as_its_head_is_left_out_even_of_one_page(tmp_path, setter):
    setter.lines(*PROSE)
    setter.save()
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "set.pdf"))
    from pypdf.generic import ContentStream, NameObject

    contents = ContentStream(writer.pages[0]["/Contents"].get_object(), writer, "bytes")
    marked = b"/Artifact <</Type /Pagination>> BDC BT /F1 9 Tf 72 800 Td (A running head) Tj ET EMC "
    contents.set_data(marked + contents.get_data())
    writer.pages[0][NameObject("/Contents")] = writer._add_object(contents)
    writer.write(tmp_path / "tagged.pdf")
    assert read_document(tmp_path / "tagged.pdf", "tagged.pdf", ReadLimits()).text == WHOLE


def test_pages_and_characters_over_the_limit_stay_unread_and_that_is_said(tmp_path, setter):
    for number in range(1, 5):
        setter.lines(*page_of_prose(number))
        setter.next_page()
    setter.save()
    for limits in (ReadLimits(pages=2), ReadLimits(characters=300)):
        found = read_document(tmp_path / "set.pdf", "set.pdf", limits)
        assert [page.number for page in found.pages] == [1, 2]
        assert any("only the first 2 of 4 pages" in warning for warning in found.warnings)


def test_a_password_is_used_only_where_it_is_needed(tmp_path, setter):
    setter.lines(*PROSE)
    setter.save()
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "set.pdf"))
    writer.encrypt("sésame", algorithm="AES-256")
    writer.write(tmp_path / "locked.pdf")
    locked = tmp_path / "locked.pdf"
    assert read_document(locked, "l", ReadLimits()).fate == "encrypted"
    assert read_document(locked, "l", ReadLimits(), "sesame").fate == "encrypted"
    assert read_document(locked, "l", ReadLimits(), "sésame").text == WHOLE
    assert read_document(tmp_path / "set.pdf", "s", ReadLimits(), "needless").text == WHOLE
