"""A quote is found where its words stand, and a number however it is written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import Curator, Material, Origin, curate
from pipeline.curate.grounding import align_quote, find_quote, grounding_findings
from pipeline.curate.numbers import known_numbers, stated_numbers
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage

TEXT = (
    "The harbour was opened on 12 March 1998 for 1,250 boats. About 40 % of these are sailing boats,\n"
    "and each pays 15 euros a night. In summer three wardens keep watch; in winter nobody does. "
    "The lighthouse beside it is eighty-two feet high."
)
PASSAGE = Passage(
    id="p1", document="a.pdf", document_sha256="0", start=50, end=50 + len(TEXT), pages=((0, 3), (100, 4)), text=TEXT,
    heading=("Chapter IV", "Harbour"),
)  # fmt: skip


def draft(answer="Boats pay 15 euros.", quote="each pays 15 euros a night", **changes) -> Draft:
    values = dict(kind="document", question="What do boats pay?", answer=answer, quote=quote, passage="p1",
                  fact="f", request="r") | changes  # fmt: skip
    return Draft(**values)


def numbers(answer: str, quote: str = TEXT, language: str = "en"):
    return grounding_findings(draft(answer, quote), [PASSAGE], 90, language)[-1]


@pytest.mark.parametrize(
    "answer",
    [
        "It holds 1250 boats.", "It holds 1 250 boats.", "It holds one thousand two hundred and fifty boats.",
        "Forty per cent are sailing boats.", "There are 3 wardens.", "It is 82 feet high.", "It opened in March 1998.",
        "It opened on 1998-03-12.", "It opened on 12/3/1998.", "It opened in nineteen ninety-eight.",
        "One should see it; first in summer, and a second time.", "It stands in chapter 4.", "It may be the best.",
        "It holds 1.25 thousand boats.",
    ],
)  # fmt: skip
def test_a_number_of_the_passage_passes_however_it_is_written(answer):
    assert numbers(answer).verdict == "passed"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("It holds 1,350 boats.", "rejected"),
        ("It holds 126 thousand boats.", "doubtful"),
        ("It opened in 1989.", "rejected"),
        ("It is 73 feet high.", "rejected"),
        ("There are five wardens.", "doubtful"),
        ("It opened on 12 May 1998.", "doubtful"),
        ("It holds about 1,300 boats.", "doubtful"),
        ("Sixty per cent are no sailing boats.", "doubtful"),
        ("Two nights cost 30 euros; a week 105.", "doubtful"),
    ],
)
def test_a_changed_number_is_rejected_and_one_that_is_computed_or_spelled_out_is_doubtful(answer, verdict):
    finding = numbers(answer)
    assert (finding.verdict, finding.cause) == (verdict, "number_not_in_passage")
    assert finding.detail


def test_a_number_of_the_passage_that_the_quote_does_not_hold_is_doubtful():
    finding = numbers("Boats pay 40 euros.", "each pays 15 euros a night")
    assert (finding.verdict, finding.cause) == ("doubtful", "number_not_in_quote")


def test_where_nobody_understands_spelled_out_numbers_an_unknown_one_is_doubtful():
    assert numbers("可停泊 30 艘船。", language="zh").verdict == "doubtful"
    assert {number.value for number in stated_numbers("١٢ سنة", "ar")} == {12}


def test_roman_numbers_are_known_and_what_only_looks_like_one_is_passed_over():
    assert known_numbers("Part XIV, LXXXII and XC; CC, CXII, IIX", "en") == {14, 82, 90}


def test_a_decimal_comma_is_read_by_language():
    assert {number.value for number in stated_numbers("1.250,5 und 3,5", "de")} == {Decimal("1250.5"), Decimal("3.5")}
    assert {number.value for number in stated_numbers("1,250.5 and 3.5", "en")} == {Decimal("1250.5"), Decimal("3.5")}


@given(st.integers(2, 10**7), st.sampled_from(["{}", "{:,}", "${:,}", "{:,}%"]), st.sampled_from(["{}", "{:,}"]))
def test_every_whole_number_is_known_again_with_or_without_separators(value, here, there):
    (stated,) = stated_numbers(f"It is {here.format(value)} in all.", "en")
    assert stated.value in known_numbers(f"Of {there.format(value)}.", "en")


@given(
    st.text(max_size=200) | st.text("IVXLC 0123456789.,", max_size=40) | st.text("twohundre-million 1.,", max_size=60),
    st.sampled_from(["en", "de", "zh"]),
)
def test_numbers_are_read_from_any_text_and_those_stated_are_known(text, language):
    known = known_numbers(text, language)
    assert all(number.value in known for number in stated_numbers(text, language))


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("About 40 % of those are sailing boats, and each pays 15 euros", "About 40 % of these are sailing boats, and"),
        ("In summer three wardens keep watch ... in winter nobody does", "In summer three wardens keep watch; in"),
        ("The harbour was opened in March 1998 for 1,250 boats.", "The harbour was opened on 12 March 1998 for"),
    ],
)
def test_a_quote_that_strays_is_flagged_and_the_record_keeps_the_passages_own_words(quote, stands):
    (record,) = curate(
        [draft("It is a harbour.", quote)], Material({"p1": PASSAGE}, lambda key: Origin("t", "p")), CHECKS
    )
    assert "quote_not_verbatim" in record.flags
    assert record.quote.startswith(stands)
    start, end = record.span
    assert " ".join(TEXT[start - 50 : end - 50].split()) == record.quote
    assert record.page == PASSAGE.page_at(start - 50)


CHECKS = Checks(support_words=0.01)


@pytest.mark.parametrize("quote", ["The lighthouse beside it is very old and painted red.", "wardens", "", "opened in",
                                   TEXT + " " + TEXT])  # fmt: skip
def test_words_that_do_not_stand_in_the_passage_are_no_quote(quote):
    found = align_quote(quote, TEXT, 90)
    assert found is None or quote == "wardens"
    if found is None:
        assert grounding_findings(draft(quote=quote), [PASSAGE], 90, "en")[0].cause == "quote_not_in_passage"


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.text(max_size=3), st.floats(0, 1))
def test_an_aligned_quote_is_at_least_as_alike_as_asked_and_lies_inside(one, other, noise, at):
    start, end = sorted((one, other))
    quote = TEXT[start:end]
    middle = int(at * len(quote))
    place = align_quote(quote[:middle] + noise + quote[middle:], TEXT, 90)
    if place is not None:
        assert 0 <= place.start < place.end <= len(TEXT)
        assert place.alike <= 100
    if find_quote(quote, TEXT) and not noise:
        assert place is not None and place.alike == 100


def test_why_shows_each_figure_of_the_grounding():
    findings = Curator(Material({"p1": PASSAGE}, lambda key: Origin("t", "p")), Checks()).findings(draft())
    measured = {finding.check: finding.measured for finding in findings}
    assert measured["quote_alike"] == "100, at least 90"
    assert measured["numbers"] == "15"
    assert measured["support_words"].startswith("100%")
