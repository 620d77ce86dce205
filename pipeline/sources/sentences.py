"""Sentences found by rule: where a full stop ends one and where it only shortens a word."""

from __future__ import annotations

import re

_STOP = re.compile(r"""(?:[.!?…]+["'”’“‘»«)\]]*(?=\s)|[。！？｡]+["'”’」』）〉》]*|[؟۔।॥]+["'”’»)\]]*(?=\s|$))""")
_LAST_WORD = re.compile(r"[^\s(\[\"“‘'—–/]+$")
_NEXT_WORD = re.compile(r"\s*([\"“‘'(\[«]*)(\S*)")
_ITEM = re.compile(r"\s*(?:[•*!–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)])\s")
_LABEL = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5}|\d{1,3}(?:[.-]\d{1,3})+)\.$")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+$|Ph\.D\.$")
_NUMBER = re.compile(r"[\dIVXLCivxlc]+\b")

_NEAR = 40
"""How many characters before a full stop are looked at: more than any word it could shorten."""

_WRAPPED = 15
"""Scripts without capitals do not show where a sentence begins; shorter lines than this are no cut paragraphs."""

_TITLES = frozenset(
    "dr mr mrs ms mx prof st mt ft sen rep gen col lt capt sgt maj cpl adm rev hon pres gov messrs mme mlle "
    "hr hrn fr frl dipl ing sr sra srta sres dña ud uds lic sig dott".split()
)
"""A name follows them, so they seldom end a sentence."""
_BEFORE_NUMBER = frozenset(
    "no nos p pp fig figs vol vols ch chap sec sect art eq para tab ed stat ext approx "
    "jan feb mar apr jun jul aug sep sept oct nov dec okt dez "
    "nr abs abb abschn kap bd anm ziff tel núm pág págs cap".split()
)
"""They end a sentence unless a number follows."""
_LINKING = frozenset("vs v ca esp incl al".split())
"""More of the same sentence follows them, unless it plainly starts anew."""
_EXPLAINING = frozenset("e.g i.e cf viz z.b d.h vgl bzw sog ggf evtl ee p.ej".split())
"""More of the same sentence always follows them."""
_AFTER_ORDINAL = frozenset(
    "januar februar märz april mai juni juli august september oktober november dezember jahrhundert jahrhunderts "
    "jahrhunderte jh weltkrieg weltkriegs kapitel auflage geburtstag jahrestag stock klasse platz".split()
)
"""In German a number before them is an ordinal, and its full stop ends nothing."""
_STARTERS = frozenset(
    "the a an this that these those it he she they we you i in on at for if when while but and so as by to from "
    "there here what who why how all each every some many most no not one two after before since because "
    "however moreover therefore then his her their its our your my".split()
)
"""Words that, with a capital, start a sentence even after an abbreviation that could be inside one."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, ascending and without the blanks between them.

    A line is a sentence of its own at least, so a list item and a table row never run into their
    neighbours. Only where a line stops in mid-sentence and the next goes on in small letters (a page's end,
    for the most part) is the line break part of a sentence.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _stretches(text):
        begin = start
        for stop in _STOP.finditer(text, start, end):
            if _ends_sentence(text, begin, stop, end):
                spans.append((begin, stop.end()))
                begin = stop.end()
        spans.append((begin, end))
    return [span for span in (_trimmed(text, *span) for span in spans) if span[0] < span[1]]


def _stretches(text: str) -> list[tuple[int, int]]:
    """The lines of a text, joined where a sentence plainly runs on."""
    found: list[tuple[int, int]] = []
    start, before = 0, ""
    for line in text.split("\n"):
        end = start + len(line)
        if found and line and _runs_on(before, line):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
        start, before = end + 1, line
    return found


def _runs_on(before: str, line: str) -> bool:
    """Whether `line` goes on with the sentence in which `before` stops."""
    if not before.strip() or " | " in before or " | " in line or _ITEM.match(line):
        return False
    last, first = before.rstrip()[-1], line.lstrip()[:1]
    caseless = first.isalpha() and first.upper() == first.lower() and len(before) >= _WRAPPED
    if caseless:
        return last.isalnum() or last in ",，、،；"
    return first.islower() and (last.isalnum() or last in ",;–—-'’\")]”")


def _ends_sentence(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    following = _NEXT_WORD.match(text, stop.end(), end)
    word = following.group(2) if following else ""
    if stop.group()[0] in "。！？｡؟۔।॥" or not word:
        return True
    if word[0].islower() and not (following and following.group(1)):
        return False
    if stop.group()[0] != "." or stop.group().startswith(".."):
        return not word[0].islower()
    near = text[max(begin, stop.start() - _NEAR) : stop.start() + 1]
    return _full_stop_ends(near, word, closed=len(stop.group()) > 1)


def _full_stop_ends(sentence: str, following: str, closed: bool) -> bool:
    """Whether the full stop that `sentence` ends in is the sentence's or only its last word's."""
    found = _LAST_WORD.search(sentence)
    word = found.group() if found else ""
    bare = word.rstrip(".").casefold()
    starts = following.rstrip(",;:").casefold() in _STARTERS
    if _LABEL.match(sentence.strip()):
        return False
    if bare in _BEFORE_NUMBER:
        return not _NUMBER.match(following)
    if bare in _EXPLAINING or (
        bare.isdecimal() and len(bare) <= 2 and following.rstrip(",;:").casefold() in _AFTER_ORDINAL
    ):
        return False
    if bare in _TITLES or bare in _LINKING or (_INITIALS.match(word) and not closed):
        return starts
    return True


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
