"""Numbers in a text, however they are written: 1,000 and one thousand and 1 000 are one number."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

SPELLING_LANGUAGES = frozenset("en de fr es it pt nl".split())
"""Languages whose spelled-out numbers are understood."""

_DECIMAL_COMMA = frozenset("de fr es it pt nl pl ru uk cs sk sl hr sv da nb no fi tr el hu ro bg id".split())
_BLANK_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\d]|[.,]\d)")
_TOKEN = re.compile(r"(\d+(?:[.,]\d+)*)(st|nd|rd|th)?")
_SCALED = re.compile(r"(\d+(?:[.,]\d+)*) (100|1000|1000000|1000000000|1000000000000)\b")
_YEAR_IN_TWO = re.compile(r"\b(1[5-9]|20) (\d\d)\b")
_ROMAN = re.compile(r"\b(?=[IVXLC]{2,}\b)(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})\b")
_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_MONTH_NAME = re.compile(rf"\b{_MONTH}")
_DATED_MONTH = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|\b{_MONTH} \d")
_FACTORS = tuple(map(Decimal, (7, 12, 24, 30, 52, 60, 100, 365, 1000)))
"""Between units of time, of length and of shares: what a teacher converts by."""
_MOST_TERMS = 24


class Number(NamedTuple):
    """A number that a text states."""

    value: Decimal
    written: str
    spelled: bool
    """In letters, in part at least, or as the name of a month."""


def stated_numbers(text: str, language: str) -> list[Number]:
    """The numbers that a text states, in order. `one`, `first` and `second` are more often no numbers, and left out."""
    plain = _plain(text)
    in_digits = {value for value, _ in _parsed(plain, language)}
    found = [
        Number(value, written, value not in in_digits)
        for value, written in _parsed(_spelled_as_digits(plain, language, 1), language)
        if value in in_digits or value > (2 if written[-1].isalpha() else 1)
    ]
    months = (one or other for one, other in _DATED_MONTH.findall(plain))
    return found + [Number(_month(name), name, True) for name in months]


@lru_cache(maxsize=4096)
def known_numbers(text: str, language: str) -> frozenset[Decimal]:
    """Every number that a text can be said to hold: in digits, letters or Roman, or as the name of a month."""
    plain = _plain(text)
    values = {value for value, _ in _parsed(plain, language)}
    values |= {value for value, _ in _parsed(_spelled_as_digits(plain, language, 0), language)}
    values |= {_month(name) for name in _MONTH_NAME.findall(plain)}
    values |= {_roman(tens, ones) for tens, ones in _ROMAN.findall(plain) if tens or ones}
    return frozenset(values)


def computable(value: Decimal, known: frozenset[Decimal]) -> bool:
    """Whether a number may have been computed from known ones: sum, product, share, other unit, rounding."""
    terms = sorted(term for term in known if term > 1)[:_MOST_TERMS]  # of 1 and 30, anything can be made
    if any(value in (term * factor, term / factor) for term in terms for factor in _FACTORS):
        return True
    if any(_rounded(term, value) for term in terms):
        return True
    return any(
        value in (one + other, one - other, one * other) or value == round(100 * one / other)
        for one, other in permutations(terms, 2)
    )


def _rounded(known: Decimal, value: Decimal) -> bool:
    """1,187 as 1,200: fewer significant digits, and no more than half a unit of the last of them away."""
    plain = value.normalize()
    if not value or len(plain.as_tuple().digits) >= len(known.normalize().as_tuple().digits):
        return False
    return 2 * abs(known - value) <= Decimal(1).scaleb(int(plain.as_tuple().exponent))


def _plain(text: str) -> str:
    """Digits of any script as 0 to 9, and blanks between groups of three gone."""
    ascii_digits = "".join(
        str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in unicodedata.normalize("NFKC", text)
    )
    return _BLANK_GROUPS.sub(lambda found: re.sub(r"\s", "", found.group()), ascii_digits)


def _spelled_as_digits(text: str, language: str, above: int) -> str:
    """`three million` as 3000000; single words up to `above` stay words."""
    if language not in SPELLING_LANGUAGES:
        return text
    from text_to_num import alpha2digit

    digits = str(alpha2digit(text, language, float(above)))
    # "nineteen ninety-eight" comes out as 19 98.
    return _YEAR_IN_TWO.sub(lambda found: found.group() if found.group() in text else "".join(found.groups()), digits)


def _parsed(text: str, language: str) -> list[tuple[Decimal, str]]:
    found: list[tuple[Decimal, str]] = []
    at = 0
    while token := _TOKEN.search(text, at):
        scaled = _SCALED.match(text, token.start())
        values = _values(token.group(1), language)
        if scaled and len(values) == 1:  # 3 million has become 3 1000000
            value = values[0] * int(scaled.group(2))
            found.append((value, f"{value.normalize():,f}"))
        else:
            found += [(value, token.group()) for value in values]
        at = scaled.end() if scaled else token.end()
    return found


def _values(token: str, language: str) -> list[Decimal]:
    """One number, or the parts of what is none: 1.2.3 is a version, 1,2,3 a list."""
    grouping, point = (".", ",") if language in _DECIMAL_COMMA else (",", ".")
    grouped = rf"\d{{1,3}}(?:\{grouping}\d{{3}})+(?:\{point}\d+)?"
    if re.fullmatch(grouped, token) or re.fullmatch(rf"\d+(?:\{point}\d+)?", token):
        return [Decimal(token.replace(grouping, "").replace(point, "."))]
    return [Decimal(part) for part in re.split("[.,]", token)]


def _month(name: str) -> Decimal:
    return Decimal(_MONTHS.index(name[:3].casefold()) + 1)


def _roman(tens: str, ones: str) -> Decimal:
    total = 0
    signs = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[sign] for sign in tens + ones]
    for sign, following in zip(signs, [*signs[1:], 0], strict=True):
        total += -sign if sign < following else sign
    return Decimal(total)
