"""Is this text language at all? Fonts without a map to Unicode give pages that only look like text."""

from __future__ import annotations

import re
import unicodedata

MINIMUM_LETTERS = 100
"""Fewer Latin letters than this say nothing about their frequencies."""

_COMMON = frozenset("eainrsto")
_GLYPH_NAME = re.compile(r"\(cid:\d+\)|glyph<[^<>]*>|(?:/[A-Za-z]{1,2}\d{1,4}\s?){3,}")


def is_gibberish(text: str) -> bool:
    """True where a person could read nothing: glyph names, unmapped codes, or letters put for other letters.

    The first two tests hold for any script. The third looks only at Latin letters, and only where there
    are enough of them: eight letters (e a i n r s t o) make up half of every language written with them
    (English 63 %, Polish 51 %, Turkish 50 %), and 15 to 25 % of text whose letters were shifted.
    """
    visible = [mark for mark in text if not mark.isspace() or (mark < " " and mark not in "\t\n\r\f\v")]
    if len(visible) < 8:
        return False
    named = sum(len(match.group()) for match in _GLYPH_NAME.finditer(text))
    unmapped = sum(1 for mark in visible if _is_unmapped(mark))
    return named > 0.2 * len(visible) or unmapped > 0.05 * len(visible) or _letters_are_shifted(text)


def _is_unmapped(mark: str) -> bool:
    """Control, private and unassigned characters, and the sign that stands for an unknown one."""
    return mark == "�" or unicodedata.category(mark) in {"Cc", "Co", "Cn", "Cs"}


def _letters_are_shifted(text: str) -> bool:
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = [mark for mark in plain if "a" <= mark <= "z"]
    if len(letters) < MINIMUM_LETTERS or len(letters) < 0.5 * sum(mark.isalpha() for mark in plain):
        return False
    return sum(mark in _COMMON for mark in letters) < 0.33 * len(letters)
