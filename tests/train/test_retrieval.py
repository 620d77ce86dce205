"""Documents out of a dataset's rows, and the one that a question is about."""

from __future__ import annotations

import pytest

from pipeline.publish.schema import Row
from train.chat.retrieval import Document, Retrieval, documents_of

PAGES = [
    Document(text="The kettle holds one litre and a half.", source="manual.pdf", page=1),
    Document(text="The guarantee lasts three years, and it covers the heater.", source="manual.pdf", page=4),
    Document(text="The lid is opened by a button.", source="notes.md"),
]


def row(quote: str, passage: str, context: str = "", page: int = 1) -> Row:
    return Row(
        prompt="", completion="", question="", answer="", kind="document", refusal=False, id="", fact="",
        source="manual.pdf", page=page, quote=quote, passage=passage, field="", model="", edited=False, context=context,
    )  # fmt: skip


def test_a_passage_is_what_all_its_rows_quote_each_quote_once() -> None:
    rows = [row("One.", "a"), row("Two.", "b", page=2), row("One.", "a"), row("Three.", "a"), row("", "")]
    assert documents_of(rows) == [
        Document(text="One.\nThree.", source="manual.pdf", page=1),
        Document(text="Two.", source="manual.pdf", page=2),
    ]


def test_a_text_that_was_shown_gives_the_quote_its_surroundings_and_no_other_passage() -> None:
    shown = "Another passage, of another page.\n\nBefore. The quote. After."
    (found,) = documents_of([row("The quote.", "a"), row("The quote.", "a", context=shown)])
    assert found.text == "Before. The quote. After."


@pytest.mark.parametrize(
    ("question", "page"),
    [("How long does the guarantee last?", 4), ("How much does the KETTLE hold?", 1), ("What opens the lid?", 0)],
)
def test_the_document_with_the_question_s_rarer_words_comes_first(question: str, page: int) -> None:
    pytest.importorskip("bm25s", reason="retrieval needs coursework[chat]")
    assert Retrieval(PAGES).nearest(question, 1)[0].page == page


def test_never_more_than_asked_for_and_none_that_shares_no_word() -> None:
    pytest.importorskip("bm25s", reason="retrieval needs coursework[chat]")
    found = Retrieval(PAGES)
    assert len(found.nearest("the", 9)) == 3
    assert len(found.nearest("the", 2)) == 2
    assert found.nearest("Wie spät ist es?", 3) == []
    assert found.nearest("guarantee", 3) == [PAGES[1]]
    assert found.nearest("", 3) == []
    assert found.nearest("guarantee", 0) == []
    assert Retrieval([]).nearest("guarantee", 3) == []


def test_a_document_is_named_by_source_and_page() -> None:
    assert [one.name for one in PAGES] == ["manual.pdf, page 1", "manual.pdf, page 4", "notes.md"]
