"""Pairs: whether the rejected answer is well-formed, another than the chosen one, and worse in the way that is said.

What rules can show passes by itself; what they cannot is doubtful, and the judge is asked about the rejected answer:
if it finds nothing wrong with it, the pair is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.constraints import count_words
from pipeline.curate.findings import Finding, Verdict
from pipeline.curate.form import Form, answer_cut, answer_language, mojibake, source_and_teacher_speak
from pipeline.curate.telling import content, held, strange_in, turned_round
from pipeline.recipe import Checks
from pipeline.records import Draft, normalised

if TYPE_CHECKING:
    from pipeline.curate import Material

_SURE_TURN = 0.7
"""Of a sentence's words, in the one that denies it: then it is that sentence turned round."""
_MUCH_LOST = 0.2
_LITTLE_LEFT = 0.34
_NEARLY_ALL = 0.8
_LONGER = 1.5
_DECLINES = re.compile(
    r"\b(?:sorry|apologi[sz]e|afraid|unable|cannot|can['’]t|not able|won['’]t be able|do(?:es)? not know|don['’]t know"
    r"|(?:rather|prefer) not|keep (?:our|this|the) (?:discussion|conversation)"
    r"|leider|kann (?:ich|dazu|darüber)|weiß ich nicht|lo siento|no puedo|désolée?|je ne (?:peux|sais)|mi dispiace"
    r"|non posso|desculpe|não posso|helaas|kan ik niet)\b|抱歉|对不起|无法|不能回答|عذر|آسف|لا أستطيع",
    re.IGNORECASE,
)


class _Pair(NamedTuple):
    """What a pair is judged by."""

    draft: Draft
    around: Sequence[str]
    """Passage, question and what is shown with it."""
    language: str
    refusals: Sequence[str]

    @property
    def chosen(self) -> str:
        return self.draft.answer

    @property
    def rejected(self) -> str:
        return self.draft.rejected_answer

    def left(self) -> float:
        """Of what the chosen answer brings beyond the words of the question, the share that the rejected one has."""
        words = content(self.chosen, self.language)
        brought = words - content(self.draft.question, self.language) or words
        return held(brought, self.rejected, self.language)


class _Worse(NamedTuple):
    """How a rejected answer compares."""

    measured: str
    verdict: Verdict
    detail: str = ""


def worse(material: Material, checks: Checks) -> Callable[[Sequence[Draft]], Iterable[Sequence[Finding]]]:
    """The check of pairs, made of what drafts are checked against."""
    form = Form(checks, material.language)

    def findings(draft: Draft) -> list[Finding]:
        evidence = material.evidence(draft)
        around = (*evidence, draft.question, draft.context) if evidence else (draft.question, draft.context)
        pair = _Pair(draft, around, material.language, material.refusals)
        ill_formed = _ill_formed(draft, form)
        return [ill_formed] if ill_formed else [_finding(pair)]

    return lambda drafts: map(findings, drafts)


def _ill_formed(draft: Draft, form: Form) -> Finding | None:
    """A fault of form in the rejected answer: a pair that tells the two apart by that teaches nothing else."""
    alone = draft.model_copy(update={"answer": draft.rejected_answer})
    looks = [answer_cut, mojibake, answer_language]
    if draft.field != "refuses":  # which is how teachers speak
        looks.append(source_and_teacher_speak)
    for look in looks:
        found = look(alone, form)
        if found.verdict == "rejected":
            return found._replace(check=f"rejected answer: {found.check}", detail=f"Rejected answer: {found.detail}")
    return None


def _finding(pair: _Pair) -> Finding:
    if normalised(pair.chosen) == normalised(pair.rejected):
        return Finding("worse", "the same", "rejected", "no_difference", "The two answers are one.")
    found = _WAYS[pair.draft.field](pair)
    if found.verdict == "passed":
        return Finding("worse", found.measured)
    cause = "not_worse" if found.verdict == "rejected" else "worse_unproved"
    return Finding("worse", found.measured, found.verdict, cause, found.detail)


def _wrong_fact(pair: _Pair) -> _Worse:
    strange = strange_in(pair.rejected, [pair.chosen, *pair.around], pair.language)
    said = [number.written for number in strange.numbers] + strange.names
    if said:
        return _Worse(f"says {said[0]}, which nothing around it does", "passed")
    other = strange_in(pair.rejected, [pair.chosen, pair.draft.question], pair.language).numbers
    missed = strange_in(pair.chosen, [pair.rejected, pair.draft.question], pair.language).numbers
    if other and missed:
        return _Worse(f"says {other[0].written} in place of {missed[0].written}", "passed")
    turned = turned_round(pair.chosen, pair.rejected, pair.language)
    if turned and turned.alike >= _SURE_TURN:
        return _Worse("denies what the chosen answer says, or the other way about", "passed")
    changed = sorted(content(pair.rejected, pair.language) - content(pair.chosen, pair.language))
    told = f"says {', '.join(changed[:3])} where the chosen answer does not" if changed else "says it in another order"
    return _Worse(told, "doubtful", "Nothing shows by rule that the rejected answer states something wrongly.")


def _incomplete(pair: _Pair) -> _Worse:
    lost = 1 - pair.left()
    measured = f"{lost:.0%} of what the chosen answer brings is gone, at least {_MUCH_LOST:.0%}"
    if not lost:
        return _Worse(measured, "rejected", "The rejected answer leaves nothing out.")
    shorter = count_words(pair.rejected) < count_words(pair.chosen)
    if (
        lost >= _MUCH_LOST
        and shorter
        and not any(strange_in(pair.rejected, [pair.chosen, *pair.around], pair.language))
    ):
        return _Worse(measured, "passed")
    return _Worse(measured, "doubtful", "The rejected answer is not plainly the chosen one with something left out.")


def _off_point(pair: _Pair) -> _Worse:
    left = pair.left()
    measured = f"{left:.0%} of what the chosen answer brings, at most {_LITTLE_LEFT:.0%}"
    if left <= _LITTLE_LEFT:
        return _Worse(measured, "passed")
    if left >= _NEARLY_ALL:
        return _Worse(measured, "rejected", "The rejected answer says what the chosen one says.")
    return _Worse(measured, "doubtful", "The rejected answer has much of the chosen one.")


def _too_long(pair: _Pair) -> _Worse:
    times = count_words(pair.rejected) / max(1, count_words(pair.chosen))
    measured = f"{times:.1f} times as long, at least {_LONGER:g}"
    if times >= _LONGER:
        return _Worse(measured, "passed")
    return _Worse(measured, "rejected", "The rejected answer is hardly longer than the chosen one.")


def _refuses(pair: _Pair) -> _Worse:
    declines = pair.rejected in pair.refusals or bool(_DECLINES.search(pair.rejected))
    left = held(content(pair.chosen, pair.language), pair.rejected, pair.language)
    measured = f"{'declines' if declines else 'does not decline'}, with {left:.0%} of the chosen answer's words"
    if declines and left < _NEARLY_ALL:
        return _Worse(measured, "passed")
    return _Worse(measured, "rejected", "The rejected answer does not refuse.")


_WAYS: dict[str, Callable[[_Pair], _Worse]] = {
    "wrong_fact": _wrong_fact,
    "incomplete": _incomplete,
    "off_point": _off_point,
    "too_long": _too_long,
    "refuses": _refuses,
}
"""By the name of the fault, as `pipeline/draft/preference.py` asks for it."""
