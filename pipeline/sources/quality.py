"""Is this text language at all? Fonts without a map to Unicode, and bad scans, give pages that only look like text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase

MINIMUM_LETTERS = 100
"""Fewer Latin letters than this say nothing about their frequencies."""
_FEW = 40
"""Fewer characters in words than this say nothing about the share of plausible ones."""

_COMMON = frozenset("eainrsto")
_GLYPH_NAME = re.compile(r"\(cid:\d+\)|glyph<[^<>]*>|(?:/[A-Za-z]{1,2}\d{1,4}\s?){3,}")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e \t\n\r\f\v]")
_PLAIN = re.compile(r"[^\x21-\x7e]+")
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")
_PARTS = re.compile(r"[-–—/’'‘.,:;·&+_@()\[\]…]+")
_NUMBER = re.compile(r"[\W_]*\d[\d\W_]*(?:[a-zA-Zª°º%€$£]{1,3})?$")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")
_CODE = re.compile(r"[A-Za-z]{1,6}[-–/.]?\d[\d.–-]*[A-Za-z]?$")
"""Part numbers, cells and paragraphs: A1, FM1-05, BX1024."""
_UNSPACED = re.compile("[\u2e80-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]")
"""Scripts without blanks between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""
_LONGEST_WORD = 30
_TORN = 0.5
"""Where more of the words than this are single letters, words were torn apart."""


def is_gibberish(text: str) -> bool:
    """True where a person could read nothing: glyph names, unmapped codes, or letters put for other letters.

    The first two tests hold for any script. The third looks only at Latin letters, and only where there
    are enough of them: eight letters (e a i n r s t o) make up half of every language written with them
    (English 63 %, Polish 51 %, Turkish 50 %), and 15 to 25 % of text whose letters were shifted.
    """
    odd = [mark for mark in _NOT_PLAIN.findall(text) if not mark.isspace() or mark < " "]
    visible = len(_PLAIN.sub("", text)) + len(odd)
    if visible < 8:
        return False
    named = sum(len(match.group()) for match in _GLYPH_NAME.finditer(text))
    unmapped = sum(map(_is_unmapped, odd))
    return named > 0.2 * visible or unmapped > 0.05 * visible or _letters_are_shifted(text)


def quality_of(text: str) -> float:
    """The share (0 to 1) of a text's words, by length, that look like words of some language.

    A plausible word has letters of one script, in one case but for its start, and if it is Latin a vowel and
    no six consonants in a row. Words torn into single letters, words run together, letters mixed with digits
    and signs (what bad text recognition gives), unmapped codes and right-to-left text put down backwards
    count against it. Numbers and codes such as A1 count neither way. Text too short to judge has 1, gibberish has 0.
    """
    if is_gibberish(text):
        return 0.0
    tokens = text.split()
    weighed = [_weighed(token) for token in tokens]
    good, bad, single = (sum(column) for column in zip(*weighed, strict=True)) if weighed else (0, 0, 0)
    bad += single if single > _TORN * len(tokens) else 0  # a few are words, initials, variables and labels
    if good + bad < _FEW:
        return 1.0
    return good / (good + bad) * (0.5 if _is_backwards(text) else 1.0)


@lru_cache(maxsize=20_000)
def _weighed(token: str) -> tuple[int, int, int]:
    """How many of its characters stand in plausible words and how many do not, and whether it is one character."""
    word = _EDGES.sub("", token)
    if not word or _NUMBER.match(word) or _CODE.match(word):
        return 0, sum(map(_is_unmapped, token)) + (len(token) > 2 and not word and not _is_rule(token)), 0
    if _UNSPACED.search(word):
        return sum(map(str.isalnum, word)), 0, 0
    if len(word) == 1:
        return 0, 0, 1
    plausible = sum(len(part) for part in _PARTS.split(word) if _is_plausible(part))
    return plausible, len(_PARTS.sub("", word)) - plausible, 0


def _is_plausible(word: str) -> bool:
    if not word or word.isdigit():
        return True
    if not all(map(_is_letter, word)) or len(word) > _LONGEST_WORD:
        return False
    plain = unicodedata.normalize("NFD", word.casefold())
    scripts = {unicodedata.name(mark, "?").split()[0] for mark in plain if not mark.isascii() and mark.isalpha()}
    latin = any("a" <= mark <= "z" for mark in plain)
    if latin:
        return scripts <= {"LATIN", "MODIFIER"} and (word.isupper() or _is_latin_word(word, plain))
    return len(scripts) <= 1


def _is_latin_word(word: str, plain: str) -> bool:
    has_vowel = len(word) <= 3 or re.search(r"[aeiouyæøœıw]", plain)
    cased = word[1:].islower() or not word.isascii() or _is_camel(word)
    return bool(has_vowel and cased and not _CONSONANTS.search(plain))


def _is_letter(mark: str) -> bool:
    return unicodedata.category(mark)[0] in "LM" or mark in "\u200c\u200d"


def _is_camel(word: str) -> bool:
    """McDonald, iPhone, JavaScript: case changes at most twice, and not at every other letter."""
    changes = sum(one.islower() and other.isupper() for one, other in pairwise(word))
    return changes <= max(1, len(word) // 5)


def _is_rule(token: str) -> bool:
    """A line of dots or dashes is drawn, not misread."""
    return len(set(token)) <= 2


def _is_backwards(text: str) -> bool:
    """Arabic or Hebrew in the order of the page and not of speech: its first letters stand last.

    Arabic's article begins words and never ends them; Hebrew's final letters end words and never begin them.
    """
    words = re.findall(r"[\u0590-\u06ff]{3,}", unicodedata.normalize("NFKC", text))
    right: int = sum(word.startswith("ال") or word[-1] in "םןץףךةى" for word in words)
    wrong: int = sum(word.endswith("لا") or word[0] in "םןץףךةى" for word in words)
    return wrong > right


def _is_unmapped(mark: str) -> bool:
    """Control, private and unassigned characters, and the sign that stands for an unknown one."""
    return mark == "�" or unicodedata.category(mark) in {"Cc", "Co", "Cn", "Cs"}


def _letters_are_shifted(text: str) -> bool:
    plain = unicodedata.normalize("NFD", text.casefold())
    counts = {letter: plain.count(letter) for letter in ascii_lowercase}
    letters = sum(counts.values())
    alphabetic = letters if plain.isascii() else sum(map(str.isalpha, plain))
    if letters < MINIMUM_LETTERS or letters < 0.5 * alphabetic:
        return False
    return sum(counts[letter] for letter in _COMMON) < 0.33 * letters
