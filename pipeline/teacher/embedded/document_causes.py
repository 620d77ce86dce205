"""Rules that ask why, what for, how and when: reasons, purposes, means, occasions and advice."""

from __future__ import annotations

from dataclasses import replace

from pipeline.teacher.embedded import document_gaps as gaps
from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause, parse_clause
from pipeline.teacher.embedded.document_reference import content_words
from pipeline.teacher.embedded.document_sentences import Words, joined
from pipeline.teacher.embedded.document_statements import Statement, is_finite_lead


def reason(sentence: Statement) -> list[str]:
    """Why do people interrupt?"""
    clause = sentence.clause
    if not sentence.hangs_on("because"):
        return []
    return sentence.led(wordings.why(clause.asked(), clause.told()))


def consequence(sentence: Statement) -> list[str]:
    """People forget, so a note helps: why does a note help?"""
    tail = sentence.tail
    if not sentence.hangs_on(",", "so") or sentence.hangs_on(",", "so", "that") or sentence.imperative:
        return []
    effect = parse_clause(tail[2:])
    if effect is None or not effect.rest:
        return []
    effect = _with_noun_for_it(effect, sentence.clause.subject)
    asked, told = effect.asked(), effect.told()
    return [*wordings.why(asked, told)[:5], *wordings.result(sentence.clause.told()), *wordings.why(asked, told)[5:]]


def _with_noun_for_it(effect: Clause, subject: Words) -> Clause:
    """Forgiveness may take time, so nobody should demand it: "it" can only be the first subject there."""
    if effect.subject[0] not in lexicon.INDEFINITES or "it" not in effect.rest or len(subject) > 3:
        return effect
    at = effect.rest.index("it")
    return replace(effect, rest=(*effect.rest[:at], *subject, *effect.rest[at + 1 :]))


def aim(sentence: Statement) -> list[str]:
    """so that, in order to, and a "to" that hangs on a whole action."""
    clause, tail = sentence.clause, sentence.tail
    if sentence.hangs_on("so", "that") or sentence.hangs_on("in", "order", "to"):
        kept = clause
    elif (at := _purpose_start(clause)) and not tail and not sentence.lead:
        kept = replace(clause, rest=clause.rest[:at])
    else:
        return []
    if sentence.imperative and not sentence.lead:
        doing = joined((english.gerund(kept.rest[0]), *kept.rest[1:]))
        return [*wordings.point_of(doing), f"why {kept.asked()}"]
    return sentence.led(wordings.purpose(kept.asked(), kept.told()))


_COMPLETED_BY_TO = frozenset(
    "ask tell want need try learn remember forget agree refuse help allow get invite encourage teach persuade remind "
    "warn prepare expect decide choose continue begin start promise offer have give take let make find show be".split()
)
_CLAUSE_OPENERS = frozenset("that what how whether who which".split())


def _purpose_start(clause: Clause) -> int:
    """Where "to spare the person an audience" starts in "be given in private to spare ...", or 0.

    Only advice, a passive and a quoted question are safe: after most other words "to" completes verb or noun.
    """
    rest = clause.rest
    if clause.subject == ("you",) and rest[0] in _COMPLETED_BY_TO:
        return 0
    at = next((at for at in range(2, len(rest) - 1) if rest[at] == "to" and english.base_of(rest[at + 1], "base")), 0)
    if not at or not clause.aux or _CLAUSE_OPENERS & set(rest[:at]):
        return 0
    if clause.subject == ("you",):
        before = rest[at - 1]
        loose = at >= 3 and before not in gaps.TAKES_TO and not english.is_adjective(before) and "and" not in rest[:at]
        return at if loose else 0
    if "be" in rest[:2]:
        participle = rest[rest.index("be") + 1]
        complete = at >= 3 and rest[at - 1] not in ("used", "likely", "able")
        return at if complete and english.is_participle(participle) else 0
    quoted = rest[at - 1][0] in '“"'
    return at if quoted and rest[0] in ("ask", "say", "use") else 0


def means(sentence: Statement) -> list[str]:
    """can end it by asking ..."""
    clause = sentence.clause
    if not sentence.hangs_on("by") or not clause.rest:
        return []
    questions = wordings.how(clause.asked(), clause.told())
    parts = gaps.predicate(clause)
    if parts and not parts.before and not sentence.imperative:
        doing = clause.doing
        questions.insert(1, f"what {doing.asked()} to {joined((parts.verb, *parts.after))}")
        questions.insert(4, f"what is it that {doing.told()} to {joined((parts.verb, *parts.after))}")
    return sentence.led(questions)


def manner(sentence: Statement) -> list[str]:
    """should be written down with a name; should be told by voice"""
    clause = sentence.clause
    if clause.aux not in lexicon.MODALS or clause.rest[:1] != ("be",) or sentence.lead or len(clause.rest) < 4:
        return []
    at = next((at for at, word in enumerate(clause.rest) if word in ("by", "with") and at > 1), 0)
    if not at or not english.is_participle(clause.rest[1]) or at > 3 or {"once", "twice"} & set(clause.rest[:at]):
        return []  # "How should it be boiled twice?" does not ask what it is boiled with
    kept = clause.rest[:at]
    return wordings.how(clause.asked(kept), clause.told(kept))


_OCCASIONS = frozenset(("when", "if", "only", "unless"))


def occasion(sentence: Statement) -> list[str]:
    """When does silence turn into a weapon?"""
    clause, tail = sentence.clause, sentence.tail
    if not tail or tail[0] not in _OCCASIONS or sentence.imperative:
        return []
    return sentence.led(wordings.when(clause.asked(), clause.told()))


_OPENING = frozenset("open close begin start end".split())


def is_hours(clause: Clause) -> bool:
    """Whether it says at which hour something opens or ends: what it "does" would be the wrong question."""
    return clause.verb in _OPENING and clause.rest[:1] == ("at",) and len(clause.rest) > 1


def hours(sentence: Statement) -> list[str]:
    """When does the desk open?"""
    if not is_hours(sentence.clause) or sentence.tail or sentence.lead:
        return []
    kept = replace(sentence.clause, rest=())
    return wordings.hours(kept.asked(), kept.told())


def advice(sentence: Statement) -> list[str]:
    """When feedback seems unfair, thank the speaker: what should you do when it does?"""
    if not sentence.imperative or not is_finite_lead(sentence.lead):
        return []
    return wordings.advice(joined(sentence.lead))


def outcome(sentence: Statement) -> list[str]:
    """What happens when the line breaks up?"""
    lead, advises = joined(sentence.lead), sentence.clause.aux in lexicon.MODALS - {"will", "can"}
    if sentence.imperative or advises or not is_finite_lead(sentence.lead):
        return []
    # With fewer words of its own the situation could be that of many sentences.
    return wordings.outcome(lead) if lead.startswith(_SITUATIONS) and len(content_words(lead)) >= 3 else []


_SITUATIONS = ("when ", "if ", "once ", "whenever ")
