"""What one text says that another does not: numbers, names, negations and words, compared by rule.

Two texts may say the same in other words, so little of this is certain by itself; the checks that use it say what is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.curate.meaning import sentences_of, terms
from pipeline.curate.numbers import Number, known_numbers, stated_numbers
from pipeline.curate.persona import facts_in
from pipeline.opposites import swapped
from pipeline.records import normalised

_NEGATIONS = {
    "en": r"not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n['’]t",
    "de": r"nicht|kein\w*|nie|niemals|niemand\w*|nichts|weder|ohne",
    "es": r"no|nunca|jamás|nadie|nada|ni|ningun\w*|ningún|sin",
    "fr": r"ne|n['’](?=\w)|jamais|rien|aucune?|sans",
    "it": r"non|mai|nessun\w*|niente|nulla|senza",
    "pt": r"não|nunca|jamais|ninguém|nada|nenhum\w*|sem",
    "nl": r"niet|geen|nooit|niemand|niets|zonder",
}
# They deny nothing.
_IDLE_NEGATIONS = re.compile(
    r"\b(?:not only|no doubt|(?:do not|don['’]t|never) hesitate|no (?:problem|worries|matter|later than|longer than"
    r"|more than|less than|fewer than)|not to worry|don['’]t worry|never mind|why not|or not|if not"
    r"|nothing (?:but|more than)|no trouble|not at all[,.!])",
    re.IGNORECASE,
)


_LINKS = terms(
    "because since therefore thus hence while whereas although though however once whenever both either also"
)
"""Any of them can stand for another, or be left out."""


def negations(text: str, language: str) -> int | None:
    """How often a text denies something; None in a language whose negations are not known here."""
    words = _NEGATIONS.get(language)
    if words is None:
        return None
    return len(re.findall(rf"\b(?:{words})(?!\w)", _IDLE_NEGATIONS.sub(" ", text), re.IGNORECASE))


def content(text: str, language: str) -> frozenset[str]:
    """Stems of the words that carry what is said, less the negations, which are compared by themselves."""
    words = _NEGATIONS.get(language)
    said = frozenset(word for word in terms(text) - _LINKS if len(word) > 1 or not word.isascii() or word.isdigit())
    return said if words is None else frozenset(word for word in said if not re.fullmatch(words, word))


def held(words: frozenset[str], text: str, language: str) -> float:
    """The share of the words that stand in a text; 1 of none."""
    return len(words & content(text, language)) / len(words) if words else 1.0


class Strange(NamedTuple):
    """What a text states and another does not."""

    numbers: list[Number]
    names: list[str]


def strange_in(text: str, known: Iterable[str], language: str) -> Strange:
    """Numbers and names of a text that none of the known texts holds."""
    everything = "\n".join(known)
    values = known_numbers(everything, language)
    words = set(normalised(everything).split())
    names = (name for name in facts_in(text, language) if not re.search(r"\d", name))
    return Strange(
        [number for number in stated_numbers(text, language) if number.value not in values],
        [name for name in dict.fromkeys(names) if not set(normalised(name).split()) <= words],
    )


class Turned(NamedTuple):
    """A sentence that denies what another affirms, or the other way about, or has the opposite of one of its words."""

    before: str
    after: str
    alike: float
    """Share of the first one's words that stand in the second."""


def turned_round(before: str, after: str, language: str) -> Turned | None:
    """The sentence of `before` whose nearest sentence in `after` denies it or has the opposite of one of its words.

    Of several the one most alike, for what shares few words may deny in another way: `fails to` is `does not`. None if
    there is none, and none where both happen: `not more` is `less`.
    """
    sentences = sentences_of(after)
    found: list[Turned] = []
    for sentence in sentences_of(before):
        words = content(sentence, language)
        nearest = max(sentences, key=lambda other: held(words, other, language))
        counts = negations(sentence, language), negations(nearest, language)
        denied = None not in counts and counts[0] != counts[1]
        opposed = language == "en" and swapped(sentence, nearest) is not None
        if denied != opposed:
            found.append(Turned(sentence, nearest, held(words, nearest, language)))
    return max(found, key=lambda turned: turned.alike, default=None)
