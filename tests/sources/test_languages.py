"""Documents in German, Spanish, Chinese and Arabic come out whole: words, sentences, passages."""

from __future__ import annotations

import pytest
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont

from pipeline.sources import (
    Document,
    ReadLimits,
    ReadOptions,
    cut_passages,
    estimate_tokens,
    read_document,
    split_sentences,
)
from pipeline.sources.quality import quality_of
from tests.sources.made_up_documents import Setter

SENTENCES = {
    "de": ["Wer zuhört, versteht mehr als der, der nur wartet.", "Das gilt seit dem 3. Mai, z. B. für Größe und Maß."],
    "es": ["¿Quién escucha de verdad?", "El Sr. Núñez escuchó con atención y preguntó después, p. ej. por el año."],
    "zh": ["倾听的人比只等着说话的人懂得更多。", "你同意这个看法吗？", "他说，价格是3.5元，一共12个。"],
    "ar": [
        "من يستمع يفهم أكثر ممن ينتظر دوره في الكلام.",
        "هل توافق على هذا الرأي؟",
        "قال د. أحمد إن السعر ٣٫٥ دينار.",
    ],
}
BETWEEN = {"zh": ""}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize(
    ("suffix", "frame"), [("txt", "{}"), ("md", "# A\n\n{}"), ("html", "<body><h1>A</h1><p>{}</p></body>")]
)
def test_sentences_and_passages_are_whole(tmp_path, language, suffix, frame):
    sentences = SENTENCES[language] * 12
    path = tmp_path / f"a.{suffix}"
    path.write_text(frame.format(BETWEEN.get(language, " ").join(sentences)), encoding="utf-8")
    found = read_document(path, "a", ReadLimits())
    assert isinstance(found, Document), found
    assert found.warnings == ()
    passages = cut_passages(found, 120)
    assert len(passages) > 1
    assert all(estimate_tokens(passage.text) <= 120 for passage in passages)
    cut = [passage.text[start:end] for passage in passages for start, end in split_sentences(passage.text)]
    assert cut == sentences


@pytest.mark.parametrize("reader", ["auto", "pypdf", "pypdfium2"])
def test_chinese_set_in_a_pdf_reads_without_blanks_between_its_lines(tmp_path, reader):
    registerFont(UnicodeCIDFont("STSong-Light"))
    setter = Setter(tmp_path / "zh.pdf")
    text = "".join(SENTENCES["zh"] * 4)
    setter.lines(*[text[place : place + 28] for place in range(0, len(text), 28)], font="STSong-Light")
    setter.save()
    found = read_document(tmp_path / "zh.pdf", "zh", ReadLimits(), options=ReadOptions(reader=reader))
    assert isinstance(found, Document), found
    assert found.text == text


@pytest.mark.parametrize("reader", ["pypdf", "pypdfium2"])
def test_german_and_spanish_letters_survive_a_pdf(tmp_path, reader):
    setter = Setter(tmp_path / "de.pdf")
    setter.lines(*SENTENCES["de"], *SENTENCES["es"])
    setter.save()
    found = read_document(tmp_path / "de.pdf", "de", ReadLimits(), options=ReadOptions(reader=reader))
    assert found.text.replace("\n", " ") == " ".join([*SENTENCES["de"], *SENTENCES["es"]])


def test_a_table_of_numbers_and_codes_is_no_gibberish():
    rows = "Bracket BX1024 3.50 € in stock | Nail FM1-05 17 % 2026-11-21 | A1 = 0.05, B2 = 1.20 " * 12
    assert quality_of(rows) > 0.9


@pytest.mark.parametrize("language", SENTENCES)
def test_what_is_language_has_quality_and_what_was_made_of_it_has_less(language):
    text = BETWEEN.get(language, " ").join(SENTENCES[language] * 3)
    assert quality_of(text) > 0.97
    if language in ("de", "es"):
        torn = " ".join(text.replace(" ", ""))
        glued = text.replace(" ", "").replace(".", "").replace(",", "")
        noise = "".join(
            "0~|1]"[place % 5] if place % 4 == 0 and mark.isalpha() else mark for place, mark in enumerate(text)
        )
        for worse in (torn, glued, noise):
            assert quality_of(worse) < ReadOptions().least_quality, worse
        assert quality_of("".join(mark + "ʤĠ҈ऄ"[place % 4] for place, mark in enumerate(text))) < 0.5
    if language == "ar":
        assert quality_of(text[::-1]) <= 0.5
