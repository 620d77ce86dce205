"""Whether a text breaks off: a bracket or quotation mark without its partner, or an end at which nothing ends."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.constraints import count_words


class Cut(NamedTuple):
    """Where a text breaks off."""

    text: str
    certain: bool
    """False where a sentence may end so: "what they asked for"."""


_BRACKETS = (("(", ")"), ("[", "]"), ("（", "）"), ("「", "」"), ("『", "』"), ("【", "】"))
_GUILLEMETS = "«»"
_CURLY = re.compile("[“”„‟]")
_STRAIGHT = re.compile(r'(?<!\d)"|(?<=\d)"(?=\S*")')  # 6" is six inches
_SMILEY = re.compile(r"(?<!\w)[:;=8]['’]?-?[(\[]+(?!\w)")


def unbalanced(text: str) -> str:
    """The sign that lacks its partner; empty if none does. A lone closing bracket is no cut: `a) ...` numbers a list.

    Languages open and close with other quotation marks („…“, “…”, »…«), so these are only counted.
    """
    plain = _SMILEY.sub("", text) if "(" in text or "[" in text else text
    for opening, closing in _BRACKETS:
        if plain.count(opening) > plain.count(closing):
            return opening
    if not plain.isascii():
        if len(_CURLY.findall(plain)) % 2:
            return "“"
        if sum(map(plain.count, _GUILLEMETS)) % 2:
            return "«"
    return '"' if '"' in plain and len(_STRAIGHT.findall(plain)) % 2 else ""


# What cannot end a sentence, in small letters, for "A" may be a vitamin. By language: "die" ends an English one.
_NO_END = {
    "en": "and or but because the an a nor although whereas whose every",
    "de": "und oder aber weil dass der das einem eines sowie obwohl sondern",
    "es": "y o pero porque el los las un de del que e u aunque cuyo",
    "fr": "et ou mais parce le les de du des que dont puisque",
    "it": "e o ma perché il gli di del della che",
    "pt": "e ou mas porque os de do da dos das que",
    "nl": "en of maar omdat de het wiens",
    "ar": "و أو لأن ثم التي الذي",
}
# What may end a sentence ("what they asked for."), but seldom one that lacks its full stop.
_OPEN_END = {
    "en": "of with for from by to in on at than as if when while who which that is are was were will your their its",
    "de": "von für bei in als wenn während die dem den des ein eine einen zum zur im am vom seine ihre",
    "es": "con para por en a al como si cuando su sus es son se la lo",
    "fr": "avec pour par en à au aux comme si quand sa ses son est sont se la l",
    "it": "con per da in a al come se quando la i le è sono si",
    "pt": "com para por em no na ao como se quando o a as é são",
    "nl": "van met voor uit bij te in op aan als wanneer die dat is zijn",
    "ar": "في من على إلى عن مع",
}
_SENTENCE = 3
"""Words from which a text is a sentence: shorter ones ("Yes", "Vitamin C") need no full stop."""
_TAIL = 80
"""Characters looked at: longer than any last word, and no run of letters makes the search slow."""
_DANGLING = re.compile(r"[,;:(\[{–—、，；：（،؛]$|(?<=[^\W\d_])-$")
_LAST_WORD = re.compile(r"([^\W\d_]+)['’]?([.…。]*)$")


def broken_end(text: str, language: str) -> Cut | None:
    """The end at which the text breaks off; None if it may well end so."""
    text = text.rstrip()[-_TAIL:]
    if found := _DANGLING.search(text):
        return Cut(found.group(), True)
    last = _LAST_WORD.search(text)
    if last is None or last[1] != last[1].lower():
        return None
    if last[1] in _NO_END.get(language, "").split():
        return Cut(last.group(), True)
    open_end = not last[2] and last[1] in _OPEN_END.get(language, "").split()
    return Cut(last.group(), False) if open_end and count_words(text) >= _SENTENCE else None
