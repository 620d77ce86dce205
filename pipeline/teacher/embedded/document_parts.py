"""Rules that ask for a part of the sentence: its object, its action, its effect, its subject, its end."""

from __future__ import annotations

import re

from pipeline.teacher.embedded import document_causes as causes
from pipeline.teacher.embedded import document_gaps as gaps
from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause
from pipeline.teacher.embedded.document_reference import content_words
from pipeline.teacher.embedded.document_sentences import joined
from pipeline.teacher.embedded.document_statements import Statement


def _is_specific(clause: Clause) -> bool:
    """Whether the subject alone says what is meant: two full words and a gerund, preposition or relative clause."""
    low = [word.lower() for word in clause.subject]
    full = len(content_words(joined(clause.subject)))
    modified = any(word in lexicon.PREPOSITIONS | lexicon.RELATIVES for word in low) or english.is_gerund(low[0])
    return (full >= 2 and modified) or any("“" in word for word in low)


def object_part(sentence: Statement) -> list[str]:
    """What does jargon save?"""
    if sentence.imperative and not (sentence.context or sentence.lead):
        return []
    gap = gaps.object_gap(sentence.clause)
    if gap is None or _opposes_verbs(sentence):
        return []
    stranded = bool(gap.clause.rest) and gap.clause.rest[-1] in lexicon.PREPOSITIONS
    # "What does it sound like rather than a partner?" is no English; without the second half it is.
    context = "" if stranded and sentence.tail[:1] in (("rather",), ("instead",)) else sentence.context
    asked, told = gap.clause.asked() + context, gap.clause.told() + context
    if sentence.imperative and sentence.lead:
        return sentence.led([f"{gap.word} {asked}"])
    return sentence.led(wordings.what(asked, told, gap.word))


def _opposes_verbs(sentence: Statement) -> bool:
    """Whether one action stands against another: "praise people rather than thank the department"."""
    return sentence.hangs_on("rather", "than") and bool(english.base_of((*sentence.tail, "", "")[2], "base"))


_STATIVE = frozenset(
    "work help fail succeed happen occur continue tend seem be mean include belong need contain consist know sound "
    "look feel seem have want stay become depend cost last matter remain appear exist like love prefer lack own "
    "deserve involve concern differ resemble understand weigh measure".split()
)
_TIMES = frozenset("before after until while when if only unless".split())


def action(sentence: Statement) -> list[str]:
    """What does a good refusal do? What should a caller do before ...?"""
    clause, tail = sentence.clause, sentence.tail
    parts = gaps.predicate(clause)
    if parts is None or parts.verb in _STATIVE or parts.before or (sentence.imperative and sentence.lead):
        return []
    if causes.is_hours(clause) or not (clause.aux or clause.rest):
        return []  # "What does a guarantee do when somebody opens the base?" It ends; when does it end?
    doing = clause.doing
    if tail[:1] and (tail[0] in _TIMES or _opposes_verbs(sentence)):
        asked, told = doing.asked() + sentence.context, doing.told() + sentence.context
        return sentence.led(wordings.what(asked, told))
    if sentence.imperative or sentence.lead or not _acts(clause, parts.verb):
        return []
    return wordings.what(doing.asked(), doing.told())


def _acts(clause: Clause, verb: str) -> bool:
    """Whether "what does X do" asks for the predicate and X alone tells which sentence is meant."""
    named = len(content_words(joined(clause.subject))) > 1 and not {"and", "or"} & set(clause.subject)
    if gaps.has_second_verb(clause) and named:
        return True
    return _is_specific(clause) and (bool(clause.aux) or clause.is_person or verb in _CAUSAL)


_CAUSAL = frozenset(
    "make turn cause help slow shut lower damage weaken ruin hurt embarrass insult confuse save teach encourage "
    "protect soften give move reveal keep prolong stop break open start spoil invite push raise harm improve reduce "
    "tell show put attack describe thank name".split()
)


def effect(sentence: Statement) -> list[str]:
    """What is the effect of raising your voice?"""
    clause = sentence.clause
    parts = gaps.predicate(clause)
    if parts is None or parts.verb not in _CAUSAL or clause.aux or not _is_bare(sentence):
        return []
    if not (english.is_gerund(clause.subject[0]) and _is_specific(clause)) or sentence.hangs_on("instead"):
        return []
    return wordings.effect_of(joined(clause.subject), clause.do)


def effect_on(sentence: Statement) -> list[str]:
    """What effect does public praise have on some people?"""
    clause = sentence.clause
    changed = gaps.affected(clause)
    if not changed or clause.aux or not _is_bare(sentence):
        return []
    return wordings.effect_on(joined(clause.subject), joined(changed), clause.do)


def _is_bare(sentence: Statement) -> bool:
    return not (sentence.imperative or sentence.lead)


def subject_part(sentence: Statement) -> list[str]:
    """What sounds like criticism? Who ...?"""
    clause = sentence.clause
    if sentence.imperative or not _can_lose_subject(clause):
        return []
    if clause.verb == "mean" or natures.definition(sentence) or natures.identity(sentence):
        return []
    context = sentence.context or _second_half(sentence)
    told = joined(clause.rest) + context
    if len((content_words(told) | {clause.verb}) - {""}) < 3:
        return []
    return sentence.led(wordings.doer(clause.predicate() + context, person=clause.is_person))


def _second_half(sentence: Statement) -> str:
    """Of "it cannot be returned, but it can be repaired" what follows, without the pronoun: both are true of the one
    that is asked for."""
    comma, conjunction, pronoun, helping, *rest = (*sentence.tail, "", "", "", "")
    same = pronoun == ("they" if sentence.clause.plural else "it") and helping in lexicon.MODALS | lexicon.BE
    if comma != "," or conjunction not in ("and", "but") or not same or sentence.clause.plural:
        return ""
    return f"{comma} {conjunction} {joined((helping, *rest)).strip()}"


def _can_lose_subject(clause: Clause) -> bool:
    """Whether who or what may stand for the subject: an amount, a name or a denial would come out false or odd."""
    first = clause.subject[0].lower()
    if first in lexicon.QUANTIFIERS | lexicon.NUMERALS | lexicon.INDEFINITES or clause.subject == ("people",):
        return first == "whoever"
    if "never" in clause.adverbs or clause.rest[:1] == ("not",) or _is_named(clause):
        return False
    if clause.plural and gaps.has_second_verb(clause) and "but" not in clause.rest:
        return False
    return clause.aux not in lexicon.BE or _can_follow_what(clause)


def _is_named(clause: Clause) -> bool:
    """Whether the subject is a name, which may be a person's as well as a thing's."""
    return clause.subject[0] != "the" and any(word[0].isupper() and not word.isupper() for word in clause.subject)


def _can_follow_what(clause: Clause) -> bool:
    """Whether "what is ..." asks for the subject: "what is a sign of respect", not "what is the United Nations"."""
    rest = (*clause.rest, "", "")
    if rest[0].lower() in ("as", "to", "one") or (rest[0] == "the" and rest[1][:1].isupper()):
        return False
    nominal = bool(clause.rest) and gaps.starts_noun_phrase(clause.rest) and not english.is_participle(rest[0])
    return not nominal or (not clause.plural and rest[0] in ("a", "an", "the"))


def completion(sentence: Statement) -> list[str]:
    """The sentence up to the part that the other questions ask for."""
    clause, tail = sentence.clause, sentence.tail
    if sentence.imperative or sentence.lead:
        return []
    if tail and tail[0] != ",":
        size = 2 if tail[:2] in (("so", "that"), ("rather", "than"), ("instead", "of"), ("only", "if")) else 1
        opening = clause.told() + " " + joined(tail[:size])
    else:
        gap = gaps.object_gap(clause)
        stem = gap.clause if gap and gap.clause.rest[-1:] != ("do",) else None
        opening = stem.told() if stem else clause.told(clause.rest[: _head_of_rest(clause)])
    if re.search('[“”"]', opening) or len(content_words(opening)) < 2:
        return []
    return wordings.completion(opening[0].upper() + opening[1:])


def _head_of_rest(clause: Clause) -> int:
    """How much of the rest a cloze shows: up to its first preposition or conjunction, never the last word."""
    stops = lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | {"to", "and", ","}
    at = next((at + 1 for at, word in enumerate(clause.rest) if at > 0 and word in stops), len(clause.rest) // 2)
    return min(at, max(len(clause.rest) - 1, 0))
