"""Where sentences end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources import split_sentences


def cut(text):
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith met Mr. J. R. Jones at St. Mary’s.", "They talked."],
        ["It grew by 3.5 per cent, e.g. in May.", "Then it fell."],
        ["See Fig. 3 and pp. 12–14 of Vol. II for this.", "The answer is no.", "He left."],
        ["The U.S. Army paid.", "So did the U.S.", "The bill was split."],
        ["Use letters, cards, etc.", "Never use a fax."],
        ["She came at 9 a.m. on Oct. 28, 1998.", "We left at 5 p.m.", "They stayed."],
        ["“What happened?” he asked.", "“Nothing.”", "He sat down (and slept.)", "Then he woke."],
        ["The question “Did you forget again?”.", "Questions that start with why sound harsh."],
        ["Wait... she said nothing.", "And then…", "Silence!"],
        ["(See FM 27-10.)", "FM 1-05 uses joint terms."],
        ["1. Situation: Say when it happened.", "Then stop."],
        ["1-33. The specialist is trained.", "He serves."],
        [
            "Smith et al. found nothing.",
            "We follow Brown v. Board here.",
            "Is it art?",
            "It is modern art.",
            "Later he wrote.",
        ],
        ["Plan B failed.", "I prefer plan A.", "The rest is known."],
        ["Die Sitzung begann am 3. Oktober 1990.", "Das 20. Jahrhundert war lang.", "Es endete."],
        ["Man kann z. B. zuhören, d. h. warten.", "Das hilft u. a. dem Sprecher.", "Äpfel usw.", "Obst ist reif."],
        ["Hr. Dr. Müller traf Fr. Prof. Schmidt, vgl. Abb. 3 auf S. 12.", "Ca. 30 kamen.", "Nr. 5 fehlt."],
        ["Er fragte: „Was ist passiert?“", "Sie schwieg.", "„Nichts.“", "Dann ging er."],
        [
            "El Sr. García vio a la Sra. López.",
            "¿Qué pasó?",
            "¡Nada!",
            "Se fue, p. ej. a casa.",
            "Vive en EE. UU. hoy.",
        ],
        ["Véase la pág. 12 del cap. 3.", "Después sigue.", "«¿Vienes?», preguntó.", "Él calló."],
        ["هل تسمعني؟", "نعم، أسمعك.", "قال د. أحمد إن الأمر مهم.", "بلغت النسبة 3.5 بالمئة.", "شكرا!"],
    ],
)
def test_stops_that_end_and_stops_that_shorten(sentences):
    assert cut(" ".join(sentences)) == sentences


def test_chinese_and_arabic_marks_end_sentences():
    assert cut("沟通很重要。你同意吗？是的！") == ["沟通很重要。", "你同意吗？", "是的！"]
    assert cut("هل تسمعني؟ نعم أسمعك. شكرا.") == ["هل تسمعني؟", "نعم أسمعك.", "شكرا."]


def test_a_sentence_without_capitals_goes_on_over_a_page_end():
    for before, after in (
        ("倾听者应当等到说话的人把话说完再回答", "这样才能听懂他的意思。"),
        ("ينتظر المستمع الجيد حتى ينهي", "المتحدث كلامه."),
    ):
        assert cut(f"{before}\n{after}") == [f"{before}\n{after}"]
        assert cut(f"{before}。\n{after}") == [f"{before}。", after]
    assert cut("倾听\n说话") == ["倾听", "说话"]


def test_items_rows_and_paragraphs_do_not_run_together():
    text = "Ask for these\n1. a pen\n2. some paper\nName | Age\nsmall | 3\nthe end"
    assert cut(text) == text.split("\n")


def test_a_sentence_goes_on_over_a_page_end():
    assert cut("The meeting was\nlong. The end.") == ["The meeting was\nlong.", "The end."]
    assert cut("The meeting was long.\nand short") == ["The meeting was long.", "and short"]


@given(st.text(alphabet=st.sampled_from('aB1ßÑ听م .?!…\n\t"”’“„«»¿(|)。，؟،•Dr'), max_size=80))
def test_sentences_cover_all_that_is_not_blank_in_order(text):
    spans = split_sentences(text)
    assert all(start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())
    assert not [piece for piece in cut(text) if piece != piece.strip()]
