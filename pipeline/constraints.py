"""What a persona's answer may measure: its words, hashtags and emoji, each between two bounds."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.language import spaced, unspaced_words


class Bounds(BaseModel):
    """The fewest and the most of something, both allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: int = Field(default=0, ge=0, description="the fewest allowed")
    max: int = Field(ge=0, description="the most allowed")

    @model_validator(mode="after")
    def _ascending(self) -> Bounds:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max is {self.max}, so that nothing fits between them")
        return self


class Constraints(BaseModel):
    """What an answer has to keep to; by default it is prose of any sane length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Bounds = Field(default=Bounds(min=1, max=120), description="words, hashtags among them")
    hashtags: Bounds = Field(default=Bounds(max=0), description="#like #these")
    emoji: Bounds = Field(default=Bounds(max=0), description="a flag, a family or a tinted hand is one")

    @model_validator(mode="after")
    def _hashtags_are_words(self) -> Constraints:
        if self.hashtags.min >= self.words.max:
            raise ValueError(
                f"at least {self.hashtags.min} hashtags leave no room for an answer of at most {self.words.max} words"
            )
        return self


def broken_constraints(answer: str, constraints: Constraints) -> list[str]:
    """What the answer has too many or too few of, measured: `31 words, at most 30`. Empty if nothing."""
    measured = (
        (count_words(answer), constraints.words, "word", "words"),
        (len(hashtags(answer)), constraints.hashtags, "hashtag", "hashtags"),
        (len(emoji(answer)), constraints.emoji, "emoji", "emoji"),
    )
    faults = []
    for count, bounds, one, many in measured:
        if bounds.min <= count <= bounds.max:
            continue
        limit = f"at least {bounds.min}" if count < bounds.min else f"at most {bounds.max}"
        faults.append(f"{count} {one if count == 1 else many}, {limit}")
    return faults


# Dashes between words and dots left out part words as a blank does; a hyphen, an apostrophe and a point inside do not.
_GAP = re.compile(r"\s+|—|(?<!\d)–|–(?!\d)|…|\.{2,}")


def words(text: str) -> list[str]:
    """The words as a reader counts them: `don't`, `first-principles`, `3.5` and `#Mars` are one each, emoji are none.

    Scripts that are written without blanks have a run as one word; `count_words` counts inside it.
    """
    if text.isascii():  # no emoji, and of the gaps only these two: the common case, several times as fast
        parts = _GAP.split(text) if ".." in text else text.split()
    else:
        parts = _GAP.split(_EMOJI.sub(" ", text))
    return [word for word in parts if word.isalnum() or any(map(str.isalnum, word))]


@lru_cache(maxsize=1 << 11)  # each check of a draft asks for its texts again
def count_words(text: str) -> int:
    """How many words a text has: `words`, but that scripts written without blanks are counted by their characters."""
    unspaced = unspaced_words(text)
    return len(words(spaced(text))) + unspaced if unspaced else len(words(text))


# A hashtag starts a word and has a letter in it: C#, #1 and the anchor of a URL are none.
_HASHTAG = re.compile(r"(?<![\w&/#＃])[#＃]+(\w*[^\W\d_]\w*)")


def hashtags(text: str) -> list[str]:
    """The hashtags in order, without their mark; decomposed letters come back composed."""
    return _HASHTAG.findall(unicodedata.normalize("NFC", _EMOJI.sub(" ", text)))


def emoji(text: str) -> list[str]:
    """The emoji in order, each as a reader sees it: joined, tinted and flag sequences come whole."""
    return _EMOJI.findall(text)


def _characters(ranges: str) -> str:
    """`23F0 2648-2653` as the inside of a character class."""
    pairs = (part.partition("-") for part in ranges.split())
    return "".join(rf"\U{first:0>8}-\U{last or first:0>8}" for first, _, last in pairs)


# Unicode 17, emoji-data.txt. The standard library knows no emoji properties, hence these tables; above U+1F300 the
# ranges hold what is reserved for later emoji too.
_SHOWN_AS_EMOJI = _characters(
    "231A-231B 23E9-23EC 23F0 23F3 25FD-25FE 2614-2615 2648-2653 267F 2693 26A1 26AA-26AB 26BD-26BE 26C4-26C5 26CE 26D4"
    " 26EA 26F2-26F3 26F5 26FA 26FD 2705 270A-270B 2728 274C 274E 2753-2755 2757 2795-2797 27B0 27BF 2B1B-2B1C 2B50"
    " 2B55 1F004 1F0CF 1F18E 1F191-1F19A 1F201 1F21A 1F22F 1F232-1F236 1F238-1F23A 1F250-1F251 1F300-1F321 1F324-1F393"
    " 1F396-1F397 1F399-1F39B 1F39E-1F3F0 1F3F3-1F3F5 1F3F7-1F4FD 1F4FF-1F53D 1F549-1F54E 1F550-1F567 1F56F-1F570"
    " 1F573-1F57A 1F587 1F58A-1F58D 1F590 1F595-1F596 1F5A4-1F5A5 1F5A8 1F5B1-1F5B2 1F5BC 1F5C2-1F5C4 1F5D1-1F5D3"
    " 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA-1F64F 1F680-1F6C5 1F6CB-1F6D2 1F6D5-1F6E5 1F6E9 1F6EB-1F6F0"
    " 1F6F3-1F6FF 1F7E0-1F7EB 1F7F0 1F90C-1F93A 1F93C-1F945 1F947-1F9FF 1FA70-1FAFF"
)
# Printed as text unless a variation selector, a skin tone or a joiner says otherwise: ©, ™, ❤, ✔ and arrows.
_SHOWN_AS_TEXT = _characters(
    "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 2328 23CF 23ED-23EF 23F1-23F2 23F8-23FA 24C2 25AA-25AB 25B6 25C0"
    " 25FB-25FC 2600-2604 260E 2611 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642 265F-2660 2663"
    " 2665-2666 2668 267B 267E 2692 2694-2697 2699 269B-269C 26A0 26A7 26B0-26B1 26C8 26CF 26D1 26D3 26E9 26F0-26F1"
    " 26F4 26F7-26F9 2702 2708-2709 270C-270D 270F 2712 2714 2716 271D 2721 2733-2734 2744 2747 2763-2764 27A1"
    " 2934-2935 2B05-2B07 3030 303D 3297 3299 1F170-1F171 1F17E-1F17F 1F202 1F237"
)
_TONE = "[\U0001f3fb-\U0001f3ff]"
_PLAIN = f"[{_SHOWN_AS_EMOJI}](?!\ufe0e)(?:\ufe0f?{_TONE}|\ufe0f)?"
_DRESSED = f"[{_SHOWN_AS_TEXT}](?:\ufe0f?{_TONE}|\ufe0f)"
_JOINED = f"[{_SHOWN_AS_EMOJI}{_SHOWN_AS_TEXT}](?:\ufe0f?{_TONE}|\ufe0f)?"
_EMOJI = re.compile(
    "[0-9#*]\ufe0f?\u20e3"  # keycaps
    "|[\U0001f1e6-\U0001f1ff]{2}"  # flags of countries
    "|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # flags of regions
    f"|{_JOINED}(?:\u200d{_JOINED})+|{_PLAIN}|{_DRESSED}"
)
