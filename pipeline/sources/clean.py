"""Characters repaired and lines joined: ligatures, mojibake, invisible marks and line-end hyphens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ftfy import TextFixerConfig, fix_text

_CONFIG = TextFixerConfig(
    unescape_html=False,  # a manual about HTML means its &amp;
    uncurl_quotes=False,  # a quote must be found again letter for letter
    fix_character_width=False,  # full-width punctuation is how Chinese is written
    normalization="NFC",
)
NOTE_MARK = re.compile(r"[\d*†‡§,]{1,4}$")
_IN_BRACKETS = re.compile(r"\[.*\]$")
_AFTER_WORD = re.compile(r"(?:[^\W\d_]{3}|[.,;:!?)”’\"])$")
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_INVISIBLE = re.compile(
    "[\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u206f\u3164\ufe00-\ufe0d\ufeff"
    "\uffa0\ufff9-\ufffc\U000e0000-\U000e0fff]"  # the last are tags: whole sentences can be written in them unseen
    "|(?<![^\x00-\x7f\\s])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\\s])"
)
_NO_CHARACTER = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
"""Control codes but for blanks, halves of characters, and what only one font gives a shape (Cc, Cs, Co)."""
_PRESENTATION_FORMS = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
_SYMBOL_BULLETS = re.compile(
    "[\uf06c\uf06e\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0e0\uf0fc\u25cf\u25aa\u25a0\u25e6\u2023\u2043]"
)
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\u2028\u2029]")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BROKEN = re.compile(r"[^\w]*((?:[^\W\d_]+-)*[^\W\d_]+)-$")
_LONGEST_WORD = 60
_BROKEN_START = re.compile(r"[^\W\d_]+")
_SOFT_HYPHEN = "\u00ad"


def repaired(line: str) -> str:
    """One line with its characters mended and its blanks made single; a soft hyphen at its end stays visible.

    Marks that nobody sees (zero-width, direction overrides) go, for text could hide behind them; joiners
    stay between letters beyond ASCII, since Persian, Hindi and emoji need them.
    """
    text = _BREAKS.sub(" ", line).rstrip()
    if text.isascii() and text.isprintable():  # nothing to mend; the common case, fifteen times as fast
        return " ".join(text.split())
    broken = text.endswith(_SOFT_HYPHEN)
    text = fix_text(text.replace(_SOFT_HYPHEN, ""), _CONFIG)
    text = _PRESENTATION_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    text = _NO_CHARACTER.sub("", with_plain_bullets(_INVISIBLE.sub("", text)))
    text = _SPACES.sub(" ", text).strip()
    return text + "-" if broken else text


def raised(text: str, before: str) -> str:
    """Small type above the line after `before`: nothing where it points to a note, else raised, for 10⁶ is not 106."""
    mark = text.strip()
    if _IN_BRACKETS.match(mark) or (NOTE_MARK.match(mark) and _AFTER_WORD.search(before)):
        return ""
    return mark.translate(_RAISED) if all(ord(sign) in _RAISED for sign in mark) else text


def with_plain_bullets(text: str) -> str:
    """Bullets that word processors take from symbol fonts, as "•"."""
    return _SYMBOL_BULLETS.sub("•", text)


def vocabulary(lines: Iterable[str]) -> frozenset[str]:
    """The words that stand whole inside lines, compounds both whole and in parts, all in lower case."""
    words: set[str] = set()
    for line in lines:
        broken = _broken_end(line)
        for match in _WORD.finditer(line[: len(line) - len(broken) - 1] if broken else line):
            word = match.group().casefold()
            words.add(word)
            words.update(word.split("-"))
    return frozenset(words)


def joined(lines: Iterable[str], words: frozenset[str]) -> str:
    """The lines of one paragraph as one line; a word broken at a line's end is whole again."""
    parts: list[str] = []
    tail = ""  # all that is looked at of what stands already, so that long paragraphs stay cheap
    for line in filter(None, lines):
        between = _between(tail, line, words) if parts else ""
        if between is None:
            parts[-1], tail, between = parts[-1][:-1], tail[:-1], ""
        parts += [between, line]
        tail = f"{tail}{between}{line}"[-_LONGEST_WORD - 1 :]
    return "".join(parts)


def _between(text: str, line: str, words: frozenset[str]) -> str | None:
    """What belongs between a text and its next line: a blank or nothing, or None if its last hyphen has to go."""
    if (is_unspaced(text[-1]) and is_unspaced(line[0])) or _is_number_among_unspaced(text[-1], line[0]):
        return ""
    end, start = _broken_end(text), _BROKEN_START.match(line)
    if not end or start is None:
        close = text[-1] in "-–—/" and text[-2:-1].isalnum() and line[:1].isalnum()
        return "" if close else " "
    return None if drops_hyphen(end, start.group(), words) else ""


def _broken_end(text: str) -> str:
    """The beginning of a word that `text` breaks off after, or nothing. Looks at the last word alone."""
    if not text.endswith("-"):
        return ""
    found = _BROKEN.match(text[-_LONGEST_WORD:].rpartition(" ")[2])
    return found.group(1) if found else ""


def drops_hyphen(left: str, right: str, words: frozenset[str]) -> bool:
    """Whether `left`-`right`, met across a line's end, is one word.

    It is, unless the document itself writes the compound with its hyphen and never as one word, or the
    parts say so: a capital after the hyphen (Anglo-Saxon), a hyphen before it (face-to-face), or "self".
    """
    whole = (left + right).casefold()
    compound = f"{left}-{right}".casefold()
    if whole in words:
        return True
    if compound in words or "-" in left or left.casefold() == "self":
        return False
    return right.islower() or left.isupper()


def _is_number_among_unspaced(last: str, first: str) -> bool:
    return (last.isdigit() and is_unspaced(first)) or (is_unspaced(last) and first.isdigit())


def word_count(text: str) -> int:
    """About how many words there are: where they are written without blanks, two signs count as one."""
    return len(text.split()) + (0 if text.isascii() else sum(map(is_unspaced, text)) // 2)


def is_unspaced(mark: str) -> bool:
    """Chinese and Japanese put no blank between words, so a line's end is not one either."""
    return "\u2e80" <= mark <= "\u9fff" or "\uf900" <= mark <= "\ufaff" or "\uff00" <= mark <= "\uff60"
