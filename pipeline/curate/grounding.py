"""Grounding: where the quote stands in its passage, and whether the answer's numbers do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rapidfuzz.distance import Indel
from rapidfuzz.fuzz import partial_ratio_alignment

from pipeline.curate.findings import Finding
from pipeline.curate.numbers import SPELLING_LANGUAGES, Number, computable, known_numbers, stated_numbers
from pipeline.kinds import KINDS
from pipeline.records import Draft, Passage

_SAME_SIGN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u00a0": " "})
_ELISION = re.compile(r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.)\s*")
_LEAST_FUZZY = 20
"""Characters below which any few letters in a row would pass for a quote."""


_LEAST_BLOCK = 4
"""Characters in a row that agree by more than chance."""


class Place(NamedTuple):
    """Where a quote stands in the text of its passage."""

    start: int
    end: int
    alike: float
    """0 to 100; 100 is the same words."""


def find_quote(quote: str, passage: str) -> tuple[int, int] | None:
    """Span of the quote in the passage: exact, or exact but for spacing, quotation marks and dashes."""
    start = passage.find(quote)
    if quote and start >= 0:
        return start, start + len(quote)
    folded, places = _folded(passage)
    wanted, _ = _folded(quote)
    start = folded.find(wanted) if wanted else -1
    if start < 0:
        return None
    return places[start], places[start + len(wanted) - 1] + 1


def align_quote(quote: str, passage: str, least: float) -> Place | None:
    """Where the quote stands: exactly, with words left out at an ellipsis, or alike to at least `least` (0 to 100)."""
    found = find_quote(quote, passage)
    if found is not None:
        return Place(*found, 100.0)
    elided = _elided(quote, passage)
    if elided is not None:
        return elided
    return _nearest(quote, passage, least)


def _nearest(quote: str, passage: str, least: float) -> Place | None:
    """The stretch of the passage most like the quote.

    rapidfuzz's partial ratio finds whereabouts it is, in a window as long as the quote; from a window somewhat larger
    the stretch is cut where the two first and last agree, and its Indel similarity to the quote is what counts.
    """
    (folded, places), (wanted, _) = _folded(passage), _folded(quote)
    if not _LEAST_FUZZY <= len(wanted) <= len(folded):
        return None
    about = partial_ratio_alignment(wanted, folded)
    if about is None:
        return None
    slack = len(wanted) // 4
    first, last = max(0, about.dest_start - slack), min(len(folded), about.dest_end + slack)
    alike = [block for block in Indel.opcodes(wanted, folded[first:last]) if block.tag == "equal"]
    alike = [block for block in alike if block.dest_end - block.dest_start >= _LEAST_BLOCK]
    if not alike:
        return None
    span = _whole_words(folded, first + alike[0].dest_start, first + alike[-1].dest_end)
    ratio = 100 * Indel.normalized_similarity(wanted, folded[slice(*span)])
    return Place(places[span[0]], places[span[1] - 1] + 1, round(ratio, 1)) if ratio >= least else None


def _elided(quote: str, passage: str) -> Place | None:
    """A quote of parts that all stand in the passage, in this order; its likeness is the share of the span it holds."""
    parts = [part for part in _ELISION.split(quote) if part]
    if len(parts) < 2 or any(len(part) < _LEAST_FUZZY // 2 for part in parts):
        return None
    spans: list[tuple[int, int]] = []
    at = 0
    for part in parts:
        found = find_quote(part, passage[at:])
        if found is None:
            return None
        spans.append((at + found[0], at + found[1]))
        at = spans[-1][1]
    start, end = spans[0][0], spans[-1][1]
    held = sum(stop - begin for begin, stop in spans)
    return Place(start, end, round(100 * held / (end - start), 1))


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The span grown to the ends of the words it cuts."""
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _folded(text: str) -> tuple[str, list[int]]:
    """The text with runs of white space as one blank and signs unified; and each character's place in the original."""
    characters: list[str] = []
    places: list[int] = []
    for place, original in enumerate(text):
        for character in unicodedata.normalize("NFKC", original.translate(_SAME_SIGN)):
            blank = character.isspace()
            if blank and (not characters or characters[-1] == " "):
                continue
            characters.append(" " if blank else character)
            places.append(place)
    while characters and characters[-1] == " ":
        characters.pop()
        places.pop()
    return "".join(characters), places


def own_words(quote: str, place: Place, passage: Passage) -> str:
    """The quote for the record: as the teacher gave it, or the passage's own words where it strays from them."""
    if find_quote(quote, passage.text) is not None:
        return quote
    return " ".join(passage.text[place.start : place.end].split())


def quote_finding(quote: str, passage: Passage, least: float) -> Finding:
    """Whether the quote stands in the passage; one that strays from its words is flagged."""
    place = align_quote(quote, passage.text, least)
    if place is None:
        sentence = f"The quote does not stand in the passage: {quote[:80]!r}."
        return Finding("quote_alike", f"under {least:g}", "rejected", "quote_not_in_passage", sentence)
    measured = f"{place.alike:g}, at least {least:g}"
    if find_quote(quote, passage.text) is not None:
        return Finding("quote_alike", measured)
    detail = f"The quote strays from the passage's words ({place.alike:g} of 100 alike); these stand in its place."
    return Finding("quote_alike", measured, "flagged", "quote_not_verbatim", detail)


def number_finding(draft: Draft, passages: Sequence[Passage], quoted: str, language: str) -> Finding:
    """Whether the answer's numbers stand in what is quoted, its passages or the headings above them.

    Rejected is a number in digits that stands nowhere and cannot have been computed from the quote's. What is spelled
    out, computed, or stands only outside the quote is doubtful, and so is every unknown number in a language whose
    spelled-out numbers nobody here understands.
    """
    stated = stated_numbers(draft.answer, language)
    headings = " ".join(part for passage in passages for part in passage.heading)
    text = "\n".join(passage.text for passage in passages)
    near = known_numbers(f"{quoted}\n{headings}", language) if stated else frozenset()
    everywhere = known_numbers(f"{text}\n{headings}", language) if stated else frozenset()
    measured = ", ".join(number.written for number in stated) or "no number"
    strange = [number for number in stated if number.value not in everywhere]
    if strange:
        certain = [number for number in strange if _certainly_wrong(number, near, language)]
        worst = (certain or strange)[0]
        detail = f"The answer says {worst.written}, which the passage does not."
        return Finding("numbers", measured, "rejected" if certain else "doubtful", "number_not_in_passage", detail)
    outside = [number for number in stated if number.value not in near]
    if outside:
        detail = f"The answer says {outside[0].written}, which stands in the passage but not in the quote."
        return Finding("numbers", measured, "doubtful", "number_not_in_quote", detail)
    return Finding("numbers", measured)


def _certainly_wrong(number: Number, known: frozenset[Decimal], language: str) -> bool:
    return language in SPELLING_LANGUAGES and not number.spelled and not computable(number.value, known)


def grounding_findings(
    draft: Draft, passages: Sequence[Passage], quote_alike: float, language: str
) -> Sequence[Finding]:
    """What can be said of a draft beside the passages that bear it out alone: each one's quote, then numbers.

    Where a kind needs no quotes and there are none, the whole of the passages stands for them.
    """
    if not (KINDS[draft.kind].quoted or draft.quote):
        return [number_finding(draft, passages, "\n".join(passage.text for passage in passages), language)]
    quotes = (draft.quote, *draft.further_quotes)
    if len(quotes) != len(passages):
        detail = f"It rests on {len(passages)} passages and quotes {len(quotes)}."
        return [Finding("quote_alike", "a quote is lacking", "rejected", "quote_lacking", detail)]
    found: list[Finding] = []
    quoted: list[str] = []
    for quote, passage in zip(quotes, passages, strict=True):
        found.append(quote_finding(quote, passage, quote_alike))
        if found[-1].verdict == "rejected":
            return found
        place = align_quote(quote, passage.text, quote_alike)
        quoted.append(passage.text[place.start : place.end] if place else "")
    return [*found, number_finding(draft, passages, "\n".join(quoted), language)]
