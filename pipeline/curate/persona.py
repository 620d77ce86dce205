"""Checks of an answer in a persona's voice: its constraints, the facts in it, and phrases that wear out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipeline.constraints import Constraints, broken_constraints, words
from pipeline.curate.findings import Finding
from pipeline.curate.frequent import Frequent
from pipeline.records import Draft, content_id, normalised
from pipeline.words import subject_words


def keeps_constraints(draft: Draft, constraints: Constraints) -> Finding:
    """As many words, hashtags and emoji as the persona allows."""
    broken = broken_constraints(draft.answer, constraints)
    if not broken:
        return Finding("constraints", "all kept")
    measured = "; ".join(broken)
    return Finding("constraints", measured, "rejected", "breaks_constraint", f"The answer has {measured}.")


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# What is put into somebody's mouth is no statement of fact, and a hashtag none either.
_NOT_STATED = re.compile(r"[#＃]\w+|(?<!\w)['‘][^'‘’]*(?:['’]\w[^'‘’]*)*['’](?!\w)|[\"“„«][^\"“”„«»]*[\"”“»]")
# After one of these a capital says nothing, for a sentence or a quotation begins with it.
_BEGINS = re.compile(r"(?:^|[.!?…:;\"“”„«»(\[–—*]|[^\w\s,'’&/-])\s*$")
_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_POSSESSIVE = re.compile("['’]s?$")
_NO_NAMES = frozenset(
    """i i'm i'd i'll i've i’m i’d i’ll i’ve monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december english internet""".split()
)
_CAPITALISED_NOUNS = frozenset({"de", "lb"})
"""Languages that write every noun with a capital, so that it tells no name."""


def facts_in(answer: str, language: str) -> list[str]:
    """Numbers, years and names in an answer, as it writes them; a name is a word with a capital inside a sentence."""
    plain = _NOT_STATED.sub(" “ ", answer)
    found = _NUMBER.findall(plain)
    if language in _CAPITALISED_NOUNS:
        return found
    for match in _NAME.finditer(plain):
        word = match.group()
        named = word[0].isupper() and not word.isupper() and word.casefold() not in _NO_NAMES
        if named and not _BEGINS.search(plain[max(0, match.start() - 8) : match.start()]):
            found.append(_POSSESSIVE.sub("", word))
    return found


def unknown_facts(draft: Draft, carried: str, language: str, most: int) -> Finding:
    """Facts that neither the persona's file (`carried`) nor a question holds: nobody can say where they come from.

    In a dialogue the questions before count as well, and the answers before do not: one that made a name up would
    vouch for it in the next.
    """
    known = set(normalised(" ".join((carried, *draft.earlier[::2], draft.question))).split())
    strange = [fact for fact in facts_in(draft.answer, language) if not set(_bare(fact)) <= known]
    told = ", ".join(dict.fromkeys(strange))
    measured = f"{len(strange)} facts, at most {most}" + (f": {told}" if told else "")
    if len(strange) <= most:
        return Finding("persona_facts", measured)
    detail = f"The answer names what neither the persona's file nor a question does: {told}."
    return Finding("persona_facts", measured, "flagged", "unknown_fact", detail)


def _bare(fact: str) -> list[str]:
    return [word for word in normalised(fact).split() if len(word) > 1 or word.isdigit()]


PHRASE_WORDS = 3
"""A catch-phrase has at least so many words; a longer one is found by its parts."""
Trigram = tuple[str, ...]


class Said(NamedTuple):
    """An answer by the id of its record."""

    id: str
    answer: str


def catch_phrases(said: Iterable[Said], share: float, least: int) -> Mapping[str, Finding]:
    """By record id, the answers above the cap on a phrase that more than `share` of all answers hold.

    Of these the cap's number passes, chosen by hash, so that the choice depends on nothing but the texts; `least`
    answers may share any phrase. `said` is gone through twice, and each time only once; what is held meanwhile does
    not grow with it but for the holders of worn phrases.
    """
    frequent: Frequent[Trigram] = Frequent(share)
    for one in said:
        frequent.add(_trigrams(one.answer))
    total = frequent.texts
    allowed = max(least, int(share * total))
    # A count may fall short by a tenth of the share; the holders are counted anew below.
    worn = {phrase for phrase, count in frequent.counts.items() if count > allowed - share * total / 10}
    holders: dict[Trigram, list[tuple[str, str]]] = {phrase: [] for phrase in worn}
    runs: dict[str, str] = {}
    for one in said if worn else ():
        held = [trigram for trigram in _trigrams(one.answer) if trigram in worn]
        for trigram in set(held):
            holders[trigram].append((content_id("catch_phrase", one.id), one.id))
        if held:
            runs[one.id] = _joined(held)
    found: dict[str, Finding] = {}
    for trigram in sorted(worn):
        for _, name in sorted(holders[trigram])[allowed:]:
            measured = f"{runs[name]!r} in {len(holders[trigram])} of {total} answers, at most {allowed}"
            detail = f"It wears out a phrase: {measured}."
            found.setdefault(name, Finding("catch_phrase_share", measured, "flagged", "catch_phrase", detail))
    return found


def _trigrams(answer: str) -> Iterator[Trigram]:
    """Runs of three words that say something: "the way it" is nobody's catch-phrase."""
    said = [word for word in normalised(" ".join(words(answer))).split() if word]
    for at in range(len(said) - PHRASE_WORDS + 1):
        trigram = tuple(said[at : at + PHRASE_WORDS])
        if subject_words(" ".join(trigram)):
            yield trigram


def _joined(trigrams: list[Trigram]) -> str:
    """The first run of overlapping trigrams as one phrase: "the universe enjoys", "universe enjoys irony"."""
    phrase = list(trigrams[0])
    for trigram in trigrams[1:]:
        if tuple(phrase[-2:]) != trigram[:2]:
            break
        phrase.append(trigram[-1])
    return " ".join(phrase)
