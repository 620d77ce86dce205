"""Told again: whether an answer in another voice still says what its parent says, and nothing besides.

A fact is lost, added or changed where a number, a name, a negation or the words say so. Real teachers tell things again
freely, so only what leaves no doubt is rejected; the rest is put to the judge beside the parent's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.curate.findings import Finding, Verdict
from pipeline.curate.meaning import Embedder, sentences_of, terms
from pipeline.curate.numbers import known_numbers
from pipeline.curate.telling import content, held, strange_in, turned_round
from pipeline.recipe import Checks
from pipeline.records import Draft, Record, normalised
from pipeline.words import content_words

if TYPE_CHECKING:
    from pipeline.curate import Material

CHECK = "retold"
_SURE_TURN, _LIKELY_TURN = 0.7, 0.4
"""Of a sentence's words, in the one that denies it: above the first it is that sentence turned round."""
_NOTHING_LEFT = 0.34
_NEARLY_THE_SAME = 0.75
_PARTLY = 0.5
_STATEMENT = 3
"""Words beside those of politeness and of the question, in one sentence: it states something."""

_POLITE = terms(
    """hello hi hey dear good morning afternoon evening day welcome thanks thank many lots kind kindly appreciate great
    nice lovely excellent question ask asking asked enquiry inquiry message letter mail contact contacting contacted
    reach reaching reached touch write writing wrote written get getting got glad happy pleased delighted pleasure help
    helping helps helpful assist assistance support team desk service here hear hearing further more else anything
    something everything know let hesitate feel free please sorry afraid unfortunately apologise apologies regret
    understand hope wish have enjoy best regards sincerely yours warm warmly wonderful fine simply just quickly right
    away straight time times always again soon back next today tomorrow week weekend look looking forward need needs
    want wants like would could come comes up question questions matter matters concern concerns answer answers reply
    note news rest assured sure certainly course indeed definitely absolutely exactly short call phone chat line word
    words drop shout way ways base happens happen find found see take care luck remember mind keep
    interest interested interesting point hand lend gladly try tries customer support worry worries make makes sure"""
)


class _Told(NamedTuple):
    """An answer beside what it tells again."""

    said: str
    parent: str
    """The parent's answer."""
    asked: str
    """The question, which may bring a name with it."""
    around: str
    """The parent's question and quote, and what the recipe says of the voice."""
    passage: str
    language: str

    @property
    def known(self) -> tuple[str, ...]:
        return (self.parent, self.asked, self.around)


def retold(material: Material, checks: Checks) -> Callable[[Sequence[Draft]], Iterable[Sequence[Finding]]]:
    """The check of answers that tell their parent's again, made of what drafts are checked against."""

    def findings(drafts: Sequence[Draft]) -> Iterator[Sequence[Finding]]:
        told = [_beside(draft, material) for draft in drafts]
        alike = _alike([one for one in told if one], material.embedder)
        for one in told:
            if one is None:
                yield ()
                continue
            found = [*_numbers(one), *_names(one), *_turns(one), *_words(one, next(alike), checks), *_additions(one)]
            yield found or [Finding(CHECK, "nothing lost, added or changed")]

    return findings


def _beside(draft: Draft, material: Material) -> _Told | None:
    parent: Record | None = material.parents.get(draft.parent)
    if parent is None:
        return None
    passage = material.passages.get(draft.passage)
    around = "\n".join((parent.question, parent.quote, parent.context, *parent.earlier, material.voice))
    return _Told(
        draft.answer, parent.answer, draft.question, around, passage.text if passage else "", material.language
    )


def _fault(cause: str, measured: str, detail: str, verdict: Verdict = "doubtful") -> Finding:
    return Finding(CHECK, measured, verdict, cause, detail)


def _numbers(told: _Told) -> Iterator[Finding]:
    lost = strange_in(told.parent, [told.said, told.asked], told.language).numbers
    added = strange_in(told.said, told.known, told.language).numbers
    if lost and added:
        measured = f"{lost[0].written} became {added[0].written}"
        yield _fault("changed_number", measured, f"Of its parent's numbers, {measured}.", "rejected")
    elif lost:
        verdict: Verdict = "doubtful" if lost[0].spelled else "rejected"
        yield _fault("lost_number", lost[0].written, f"Its parent says {lost[0].written}, and it does not.", verdict)
    elif added:
        known = not strange_in(told.said, (*told.known, told.passage), told.language).numbers
        verdict = "doubtful" if added[0].spelled or known else "rejected"
        yield _fault("added_number", added[0].written, f"It says {added[0].written}; its parent does not.", verdict)


def _names(told: _Told) -> Iterator[Finding]:
    lost = strange_in(told.parent, [told.said, told.asked], told.language).names
    added = strange_in(told.said, [*told.known, told.passage], told.language).names
    if lost and added:
        measured = f"{lost[0]} became {added[0]}"
        yield _fault("changed_name", measured, f"Of its parent's names, {measured}.", "rejected")
    elif lost:
        yield _fault("lost_name", lost[0], f"Its parent names {lost[0]}, and it does not.")
    elif added:
        yield _fault("added_name", added[0], f"It names {added[0]}, and its parent does not.")


def _turns(told: _Told) -> Iterator[Finding]:
    turned = turned_round(told.parent, told.said, told.language)
    if turned and turned.alike >= _LIKELY_TURN:
        verdict: Verdict = "rejected" if turned.alike >= _SURE_TURN else "doubtful"
        detail = f"Its parent says: {turned.before!r}, and it says otherwise: {turned.after!r}."
        yield _fault("turned_round", f"{turned.alike:.0%} alike, and denied", detail, verdict)
        return
    changed = next(_changed(told), None)
    if changed:
        yield changed


def _changed(told: _Told) -> Iterator[Finding]:
    """A small change in a sentence that is the parent's but for it: a word for another, words gone, another order."""
    known = content(" ".join(told.known), told.language) | _POLITE
    everywhere = content(told.said, told.language)
    for sentence, nearest in _nearest(told):
        before, after = normalised(sentence).split(), normalised(nearest).split()
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        if matcher.ratio() < _NEARLY_THE_SAME:
            continue
        measured = f"{100 * matcher.ratio():.0f} of 100 alike"
        for tag, a1, a2, b1, b2 in matcher.get_opcodes():
            one, other = " ".join(before[a1:a2]), " ".join(after[b1:b2])
            lost, added = content(one, told.language) - everywhere, content(other, told.language) - known
            if known_numbers(one, told.language) and known_numbers(other, told.language):
                continue  # they are compared as numbers
            if tag == "replace" and lost and added and a2 - a1 == b2 - b1 == 1:
                yield _fault("changed_word", measured, f"It says {other!r} where its parent says {one!r}.")
            elif tag == "delete" and lost and (len(lost) > 1 or before[a1] in _JOINING):
                yield _fault("lost_words", measured, f"Its parent's {one!r} is not in it.")
        if _exchanged(_carrying(before), _carrying(after)):
            yield _fault("other_order", measured, f"Two of its parent's words have changed places: {nearest!r}.")


_JOINING = frozenset("and or und oder y o e et ou en of".split())


def _nearest(told: _Told) -> Iterator[tuple[str, str]]:
    """Each sentence of the parent, and the one that says it again."""
    said = sentences_of(told.said)
    for sentence in sentences_of(told.parent):
        words = content(sentence, told.language)
        yield sentence, max(said, key=lambda other: held(words, other, told.language))


def _carrying(words: Sequence[str]) -> list[str]:
    return [word for word in words if content_words(word)]


def _exchanged(before: list[str], after: list[str]) -> bool:
    """Whether two words have changed places: needs rather than positions, positions rather than needs."""
    if len(before) != len(after):
        return False
    others = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    return len(others) == 2 and others[0] == others[1][::-1]


def _words(told: _Told, alike: float | None, checks: Checks) -> Iterator[Finding]:
    """Whether what the parent says beyond the question is still there, in its words or by meaning."""
    words = content(told.parent, told.language)
    brought = words - content(told.asked, told.language) or words
    left = held(brought, told.said, told.language)
    measured = f"{left:.0%} of its parent's words, at least {checks.retold_words:.0%}"
    if alike is not None:
        measured += f", or {alike:.2f} alike in meaning, at least {checks.retold_meaning:g}"
    if left >= checks.retold_words or (alike is not None and alike >= checks.retold_meaning):
        return
    gone = not held(words, told.said, told.language) if alike is None else alike < checks.retold_meaning / 2
    if gone and left < _NOTHING_LEFT:
        yield _fault("lost_fact", measured, "What its parent says is not in it.", "rejected")
    else:
        yield _fault(
            "retold_freely", measured, "It has few of its parent's words; whether it says the same is in doubt."
        )


def _additions(told: _Told) -> Iterator[Finding]:
    """A sentence that is neither politeness nor what the parent says."""
    if told.language != "en":  # the words of politeness are known in English only
        return
    parent, asked = content(told.parent, told.language), content(told.asked, told.language)
    known = content("\n".join(told.known), told.language) | _POLITE
    again = {nearest for _, nearest in _nearest(told)}
    for sentence in (one for one in sentences_of(told.said) if one not in again):
        words = content(sentence, told.language) - _POLITE - asked
        strange = sorted(words - known)
        if len(words) >= _STATEMENT and strange and len(words & parent) <= _PARTLY * len(words):
            detail = f"It adds: {sentence!r}."
            yield _fault("added_statement", f"{', '.join(strange[:4])}: nowhere else", detail)
            return


def _alike(told: Sequence[_Told], embedder: Embedder | None) -> Iterator[float | None]:
    """How near in meaning what is said comes to the parent's answer: the best of its sentences, and of each two."""
    if embedder is None or not told:
        yield from (None for _ in told)
        return
    units = [_units(one.said) for one in told]
    vectors = embedder.encode([*(one.parent for one in told), *(unit for of_one in units for unit in of_one)])
    at = len(told)
    for number, of_one in enumerate(units):
        yield round(float((vectors[at : at + len(of_one)] @ vectors[number]).max()), 4)
        at += len(of_one)


def _units(text: str) -> list[str]:
    sentences = [" ".join(sentence.split()) for sentence in sentences_of(text)]
    return sentences + [f"{one} {other}" for one, other in pairwise(sentences)]
