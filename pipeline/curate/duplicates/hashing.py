"""The words and the texts of many questions as numbers, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.curate.duplicates.runs import HIGH, LOW, Keys, Positions, Values
from pipeline.curate.duplicates.wording import words
from pipeline.records import normalised, plain_lines
from pipeline.words import TRIFLES

TEXT = np.uint32(1 << 31)
_SHORTER = np.uint64(33)
"""From 64 bits to the 31 of a key."""
_SPACE, _LINE_FEED = ord(" "), ord("\n")


class Hashed(NamedTuple):
    """Keys of several texts. Two words or texts may share one: it finds candidates and decides nothing."""

    keys: Keys
    """31 bits for each different word, text by text."""
    sizes: Positions
    """Different words of each text."""
    texts: Keys
    """Of each text as a whole, never that of a word. Texts that differ in trifles only have the same."""

    @property
    def owners(self) -> Positions:
        """Of each word, the number of its text."""
        return _owners(self.sizes)

    def only(self, numbers: Sequence[int]) -> Hashed:
        """Of some of the texts, their numbers in ascending order."""
        kept = np.zeros(len(self.sizes), bool)
        kept[numbers] = True
        return Hashed(self.keys[np.repeat(kept, self.sizes)], self.sizes[kept], self.texts[kept])


def hashed(texts: Sequence[str]) -> Hashed:
    """The keys of texts as `normalised` has them: each alone has those that it has among others."""
    each, counts = _each_word(_lines(texts))
    owners = _owners(counts)
    different = owners.astype(np.uint64) << HIGH | each >> _SHORTER
    different.sort()
    different = different[np.flatnonzero(np.diff(different, prepend=~different[:1]))]
    sizes = np.bincount((different >> HIGH).astype(np.int64), minlength=len(counts))
    return Hashed((different & LOW).astype(np.uint32), sizes, _of_wholes(each, owners, len(counts)))


def text_keys(texts: Sequence[str]) -> Keys:
    """The keys of texts as wholes alone: what tells of an exact duplicate."""
    each, counts = _each_word(_lines(texts))
    return _of_wholes(each, _owners(counts), len(counts))


def _lines(texts: Sequence[str]) -> bytes:
    """The words of each text on a line of its own, which ends in a line feed."""
    lines, alone = plain_lines(texts)
    lines += b"\n" if texts else b""
    if not alone:
        return lines
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == _LINE_FEED).tolist()
    parts: list[bytes] = []
    done = 0
    for number in alone:
        parts += lines[done : ends[number - 1] + 1 if number else 0], _spelled(texts[number])
        done = ends[number]
    return b"".join([*parts, lines[done:]])


def _spelled(text: str) -> bytes:
    plain = normalised(text)
    return (plain if plain.isascii() else " ".join(sorted(words(plain)))).encode("utf-8", "surrogatepass")


def _owners(sizes: Positions) -> Positions:
    """Of each word, the number of its text: how many texts have ended before it."""
    total = int(sizes.sum())
    ended = np.bincount(np.cumsum(sizes), minlength=total + 1)
    return np.cumsum(ended[:total])


def _each_word(lines: bytes) -> tuple[Values, Positions]:
    """64 bits for each word, as often as it stands there, and how many words each line has. It ends in a line feed."""
    signs = np.frombuffer(lines, np.uint8)
    within = signs > _SPACE
    edges = np.flatnonzero(np.diff(within, prepend=False))
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    counts = np.diff(np.searchsorted(begins, np.flatnonzero(signs == _LINE_FEED)), prepend=0)
    eights = np.ndarray(len(signs), "<u8", lines + bytes(8), strides=(1,))
    found = _stirred(lengths.astype(np.uint64), eights[begins] & _FIRST_SIGNS.take(np.minimum(lengths, 8)))
    done, longer = 8, np.flatnonzero(lengths > 8)
    while len(longer):
        part = eights[begins[longer] + done] & _FIRST_SIGNS.take(np.minimum(lengths[longer] - done, 8))
        found[longer] = _stirred(found[longer], part)
        done += 8
        longer = longer[lengths[longer] > done]
    return _mixed(found), counts


def _stirred(values: Values, more: Values) -> Values:
    values = (values ^ more) * np.uint64(0x9E3779B97F4A7C15)
    return values ^ values >> np.uint64(29)


def _of_wholes(each: Values, owners: Positions, texts: int) -> Keys:
    return (_as_wholes(each, owners, texts) >> _SHORTER).astype(np.uint32) | TEXT


def _as_wholes(each: Values, owners: Positions, texts: int) -> Values:
    """64 bits for each text: of its words in their order, but for trifles. Those that have no others have the same."""
    told = ~np.isin(each, _TRIFLES)
    each, owners = np.where(each == _ONE, _YOU, each)[told], owners[told]
    counts = np.bincount(owners, minlength=texts)
    begins = np.cumsum(counts) - counts
    sums, filled = np.zeros(texts, np.uint64), counts > 0
    if len(each):
        place = np.arange(len(each)) - np.repeat(begins, counts)
        sums[filled] = np.add.reduceat(_WEIGHTS[place & 255] * each, begins[filled])
    return _mixed(sums)


def _mixed(values: Values) -> Values:
    """Each bit of a number spread over all of it (the end of splitmix64: Steele, Lea and Flood, OOPSLA 2014)."""
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


_FIRST_SIGNS = np.array([(1 << 8 * signs) - 1 for signs in range(9)], np.uint64)
_WEIGHTS = _mixed(np.arange(1, 257, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
"""What each place in a text counts; past the 256th they come again."""
_TRIFLES, _ = _each_word("\n".join([*TRIFLES["en"], ""]).encode())
"""In whatever language: a key may be shared by texts that are not the same."""
_ONE, _YOU = _each_word(b"one you\n")[0]
