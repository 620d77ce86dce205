"""Grounding: where the quote stands in its passage, and whether the answer's numbers do."""

from __future__ import annotations

import re
import unicodedata

from pipeline.curate.form import Fault
from pipeline.records import Passage

_SAME_SIGN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u00a0": " "})
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


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


def unknown_number(answer: str, passage: Passage) -> Fault | None:
    """A number in the answer that stands neither in the passage nor in its headings."""
    known = set(_NUMBER.findall(passage.text)) | set(_NUMBER.findall(" ".join(passage.heading)))
    strange = [number for number in _NUMBER.findall(answer) if number not in known]
    if strange:
        return Fault("number_not_in_passage", f"The answer says {strange[0]}, which the passage does not.")
    return None
