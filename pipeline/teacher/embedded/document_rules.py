"""The rules that read a fact off a sentence: definitions, reasons, purposes, conditions, comparisons and the rest.

Every rule takes a parsed sentence and returns wordings, or nothing where it does not fit. A rule's weight
says how directly it asks for what the sentence says; wordings of all rules that fit are merged by weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from pipeline.teacher.embedded import document_gaps as gaps
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause, Statement, Words, is_finite_lead, parse_clause
from pipeline.teacher.embedded.document_sentences import joined

COMPLETION_RANK = 7.0
Rule = Callable[[Statement], list[str]]


def ranked_wordings(sentence: Statement) -> Iterator[tuple[float, str]]:
    """Every wording that a rule offers for the sentence, with its rank: lower is more direct."""
    for weight, rule in RULES:
        for place, wording in enumerate(rule(sentence)):
            yield weight + place, wording


def _opening(tail: Words, *words: str) -> bool:
    return tail[: len(words)] == words


def _context(sentence: Statement) -> str:
    """The tail as part of a question about something else; an afterthought behind a comma is left out."""
    tail = sentence.tail
    return "" if not tail or tail[0] in (",", "because", "so", "in") else " " + joined(tail)


def _led(sentence: Statement, questions: list[str]) -> list[str]:
    """The same questions with the sentence's lead before them, for it limits what is said."""
    if not sentence.lead:
        return questions
    lead = joined(sentence.lead)
    wrapped = ("can you ", "do you ", "if ", "how would you explain ")
    before = [f"{lead}, {question}" for question in questions if not question.startswith(wrapped)]
    return before + [f"{question} {lead}" for question in questions if question.startswith(wrapped) and "," not in question]


def _is_specific(clause: Clause) -> bool:
    """Whether the subject alone says what is meant: a phrase with a gerund, a relative clause or three full words."""
    text = joined(clause.subject)
    full = len(wordings.content_words(text))
    return full >= 3 or (full >= 2 and english.is_gerund(clause.subject[0])) or any("“" in word for word in clause.subject)


def _reason(sentence: Statement) -> list[str]:
    clause = sentence.clause
    if not _opening(sentence.tail, "because"):
        return []
    return _led(sentence, wordings.why(clause.asked(), clause.told()))


def _consequence(sentence: Statement) -> list[str]:
    """People forget, so a note helps: why does a note help?"""
    tail = sentence.tail
    if not _opening(tail, ",", "so") or _opening(tail, ",", "so", "that") or sentence.imperative:
        return []
    effect = parse_clause(tail[2:])
    if effect is None or not effect.rest:
        return []
    effect = _with_noun_for_it(effect, sentence.clause.subject)
    asked, told = effect.asked(), effect.told()
    return [*wordings.why(asked, told)[:5], *wordings.result(sentence.clause.told()), *wordings.why(asked, told)[5:]]


def _with_noun_for_it(effect: Clause, subject: Words) -> Clause:
    """Forgiveness may take time, so nobody should demand it: "it" can only be the first subject there."""
    if effect.subject[0] not in english.INDEFINITES or "it" not in effect.rest or len(subject) > 3:
        return effect
    at = effect.rest.index("it")
    return replace(effect, rest=(*effect.rest[:at], *subject, *effect.rest[at + 1 :]))


def _aim(sentence: Statement) -> list[str]:
    """so that, in order to, and a "to" that hangs on a whole action."""
    clause, tail = sentence.clause, sentence.tail
    if _opening(tail, "so", "that") or _opening(tail, "in", "order", "to"):
        kept = clause
    elif (at := _purpose_start(clause)) and not tail:
        kept = replace(clause, rest=clause.rest[:at])
    else:
        return []
    if sentence.imperative and not sentence.lead:
        doing = joined((english.gerund(kept.rest[0]), *kept.rest[1:]))
        return [*wordings.point_of(doing), f"why {kept.asked()}"]
    return _led(sentence, wordings.purpose(kept.asked(), kept.told()))


_NEEDS_TO = frozenset(
    "want need learn try help ask tell teach invite encourage allow force make give take seem tend fail refuse have "
    "require urge motivate decide expect hope plan prefer promise agree choose continue begin start cause lead advise "
    "permit enable instruct order persuade remind warn apply go come appear happen get let wish intend manage "
    "mean like love hate cease claim afford belong refer relate due know believe consider say think prove find".split()
)


def _purpose_start(clause: Clause) -> int:
    """Where "to spare the person an audience" starts in "be given in private to spare ...", or 0."""
    rest = clause.rest
    if "to" not in rest[2:] or set(rest) & {"that", "what", "how", "whether", "who", "which"} - set(rest[rest.index("to") :]):
        return 0
    at = rest.index("to")
    if at + 1 >= len(rest) or not english.base_of(rest[at + 1], "base") or english.base_of(rest[at + 1], "base") == "do":
        return 0
    parts = gaps.predicate(clause)
    passive = clause.aux != "" and "be" in rest[:2] and english.is_participle(rest[1] if rest[0] == "be" else rest[2])
    if passive:
        unfinished = at < 3 or rest[at - 1] in ("used", "likely", "able")
        return 0 if unfinished else at
    quoted = rest[at - 1][0] in "“\""
    return at if parts and quoted and parts.verb in ("ask", "say", "use") else 0


def _definition(sentence: Statement) -> list[str]:
    """X is a Y that ...; X means doing Y."""
    clause = sentence.clause
    low = [word.lower() for word in clause.subject]
    if len(low) > 4 or low[0] in english.QUANTIFIERS | {"the"} or sentence.lead:
        return []
    if set(low) & {"good", "bad", "best", "better", "great", "real", "you"} or set(low) & english.SUBORDINATORS:
        return []
    verb = "are" if clause.plural else "is"
    meant = clause.verb == "mean" and clause.rest and clause.rest[0] not in ("that", "little", "nothing", "more")
    if meant and not sentence.lead and english.is_gerund(clause.rest[0]):
        return wordings.definition(joined(clause.subject), "is")
    if clause.aux == verb and _defines(clause.rest) and sentence.tail[:1] in ((), (",",)):
        return wordings.definition(joined(clause.subject), verb)
    return []


_ABSTRACT = frozenset(
    "ability act process practice art habit study provision capacity willingness skill science state quality use method "
    "amount degree".split()
)


def _defines(rest: Words) -> bool:
    low = [word.lower() for word in rest]
    kinds = {"that", "which", "who", "of", "in", "where", "whose", "to"}
    if english.is_participle(low[0]):
        return False
    at = next((at for at, word in enumerate(low) if word in kinds), 0)
    if not 0 < at <= 4 or (at == 1 and low[0] in english.DETERMINERS) or english.is_adjective(low[at - 1]):
        return False
    if low[at] in ("of", "in", "to"):
        abstract = low[at - 1] in _ABSTRACT or (low[at] != "to" and english.is_gerund(low[at + 1]))
        if low[0] not in ("a", "an", "the") or not abstract:
            return False
    superlative = low[0] == "the" and (low[1] in ("most", "best", "only", "first", "main", "worst") or low[1].endswith("est"))
    return not superlative and not (set(low[:at]) & english.PREPOSITIONS) and "one" not in low[:at]


def _identity(sentence: Statement) -> list[str]:
    """X is the best Y."""
    clause = sentence.clause
    rest = [word.lower() for word in clause.rest]
    if clause.aux not in ("is", "are") or len(rest) < 3 or sentence.tail or sentence.lead:
        return []
    if clause.subject[0].lower() == "the" and {"of", "for"} & set(clause.subject) and gaps.starts_noun_phrase(clause.rest):
        return wordings.identity(joined(clause.subject), clause.aux) if rest[0] not in ("one", "part", "that") else []
    if len(rest) < 4 or rest[0] != "the":
        return []
    unique = rest[1] in ("most", "best", "worst", "only", "main", "first", "last") or rest[1].endswith("est")
    return wordings.identity(joined(clause.rest), clause.aux) if unique and "and" not in rest else []


def _means(sentence: Statement) -> list[str]:
    """can end it by asking ..."""
    clause, tail = sentence.clause, sentence.tail
    if not _opening(tail, "by") or not clause.rest:
        return []
    questions = wordings.how(clause.asked(), clause.told())
    parts = gaps.predicate(clause)
    if parts and not parts.before and not sentence.imperative:
        doing = clause.doing
        questions.insert(1, f"what {doing.asked()} to {joined((parts.verb, *parts.after))}")
        questions.insert(4, f"what is it that {doing.told()} to {joined((parts.verb, *parts.after))}")
    return _led(sentence, questions)


def _manner(sentence: Statement) -> list[str]:
    """should be written down with a name; should be told by voice"""
    clause = sentence.clause
    if clause.aux not in english.MODALS or clause.rest[:1] != ("be",) or sentence.lead or len(clause.rest) < 4:
        return []
    at = next((at for at, word in enumerate(clause.rest) if word in ("by", "with") and at > 1), 0)
    if not at or not english.is_participle(clause.rest[1]) or at > 3:
        return []
    kept = clause.rest[:at]
    return wordings.how(clause.asked(kept), clause.told(kept))


_OCCASIONS = frozenset(("when", "if", "only", "unless"))


def _occasion(sentence: Statement) -> list[str]:
    clause, tail = sentence.clause, sentence.tail
    if not tail or tail[0] not in _OCCASIONS or sentence.imperative:
        return []
    return _led(sentence, wordings.when(clause.asked(), clause.told()))


def _advice(sentence: Statement) -> list[str]:
    """When feedback seems unfair, thank the speaker: what should you do when it does?"""
    if not sentence.imperative or not is_finite_lead(sentence.lead):
        return []
    return wordings.advice(joined(sentence.lead))


def _outcome(sentence: Statement) -> list[str]:
    if sentence.imperative or not is_finite_lead(sentence.lead) or sentence.clause.aux in english.MODALS - {"will", "can"}:
        return []
    if sentence.lead[0] not in ("when", "if", "once", "whenever") or len(wordings.content_words(joined(sentence.lead))) < 3:
        return []
    return wordings.outcome(joined(sentence.lead))


def _object(sentence: Statement) -> list[str]:
    """What does jargon save?"""
    if sentence.imperative and not (_context(sentence) or sentence.lead):
        return []
    gap = gaps.object_gap(sentence.clause)
    if gap is None or _opposes_verbs(sentence):
        return []
    context = _context(sentence)
    if gap.clause.rest[-1:] and gap.clause.rest[-1] in english.PREPOSITIONS and sentence.tail[:1] in (("rather",), ("instead",)):
        context = ""
    if sentence.imperative and sentence.lead:
        return _led(sentence, [f"{gap.word} {gap.clause.asked()}{context}"])
    return _led(sentence, wordings.what(gap.clause.asked() + context, gap.clause.told() + context, gap.word))


def _opposes_verbs(sentence: Statement) -> bool:
    """Whether one action stands against another: "praise people rather than thank the department"."""
    return _opening(sentence.tail, "rather", "than") and bool(english.base_of((*sentence.tail, "", "")[2], "base"))


_STATIVE = frozenset(
    "work help fail succeed happen occur be mean include belong need contain consist know sound look feel seem have want stay become depend cost last matter "
    "remain appear exist like love prefer lack own deserve involve concern differ resemble understand".split()
)
_TIMES = frozenset("before after until while when if instead rather without only unless".split())


def _action(sentence: Statement) -> list[str]:
    """What does a good refusal do? What should a caller do before ...?"""
    clause, tail = sentence.clause, sentence.tail
    parts = gaps.predicate(clause)
    if parts is None or parts.verb in _STATIVE or parts.before or (sentence.imperative and sentence.lead):
        return []
    timed = bool(tail) and tail[0] in _TIMES and (tail[0] not in ("rather", "instead", "without") or _opposes_verbs(sentence))
    double = gaps.has_second_verb(clause) and len(wordings.content_words(joined(clause.subject))) > 1
    if not timed and (not (_is_specific(clause) or double) or sentence.imperative or sentence.lead):
        return []
    context = _context(sentence) if timed else ""
    doing = clause.doing
    if not timed and not (clause.aux or double or _is_person(clause) or parts.verb in _CAUSAL):
        return []
    return _led(sentence, wordings.what(doing.asked() + context, doing.told() + context))


def _is_person(clause: Clause) -> bool:
    nouns = [word for word in clause.subject[:4] if english.is_person(word)]
    before = [word for word in clause.subject if word.lower() in english.PREPOSITIONS | {"that"}]
    if not nouns or clause.subject[0].lower() == "you":
        return False
    return not before or clause.subject.index(nouns[0]) < clause.subject.index(before[0])


_CAUSAL = frozenset(
    "make turn cause help slow shut lower damage weaken ruin hurt embarrass insult confuse save teach encourage protect "
    "soften give move reveal keep prolong stop break open start spoil invite push raise harm improve reduce tell show "
    "put attack describe thank name".split()
)


def _effect(sentence: Statement) -> list[str]:
    clause = sentence.clause
    parts = gaps.predicate(clause)
    if parts is None or parts.verb not in _CAUSAL or parts.before or sentence.imperative or sentence.lead:
        return []
    if clause.aux or _is_person(clause) or not _is_specific(clause):
        return []
    if not english.is_gerund(clause.subject[0]) or _opening(sentence.tail, "instead"):
        return []
    return wordings.effect_of(joined(clause.subject), clause.do)


def _effect_on(sentence: Statement) -> list[str]:
    clause = sentence.clause
    object_ = gaps.affected(clause)
    if not object_ or clause.aux or sentence.imperative or sentence.lead:
        return []
    return wordings.effect_on(joined(clause.subject), joined(object_), clause.do)


def _subject(sentence: Statement) -> list[str]:
    """What sounds like criticism? Who ...?"""
    clause = sentence.clause
    complement = clause.aux in english.BE and not _can_follow_what(clause)
    first = clause.subject[0].lower()
    if sentence.imperative or complement or clause.verb == "mean" or _definition(sentence) or _identity(sentence):
        return []
    if clause.plural and gaps.has_second_verb(clause) and "but" not in clause.rest:
        return []
    if first in english.QUANTIFIERS | english.NUMERALS or clause.subject == ("people",):
        return []
    context = _context(sentence)
    if len((wordings.content_words(joined(clause.rest) + context) | {clause.verb}) - {""}) < 3:
        return []
    if set(clause.adverbs) & {"never"} or "not" in clause.rest[:1] or first in ("nobody", "no", "none", "nothing"):
        return []
    return _led(sentence, wordings.doer(clause.predicate() + context, person=_is_person(clause)))


def _can_follow_what(clause: Clause) -> bool:
    """Whether "what is ..." with this complement asks for the subject: "a sign of respect", not "the United Nations"."""
    rest = (*clause.rest, "", "")
    if rest[0].lower() in ("as", "to", "one") or (rest[0] == "the" and rest[1][:1].isupper()):
        return False
    nominal = bool(clause.rest) and gaps.starts_noun_phrase(clause.rest) and not english.is_participle(rest[0])
    return not nominal or (not clause.plural and rest[0] in ("a", "an", "the"))


def _comparison(sentence: Statement) -> list[str]:
    """A clear refusal is kinder than a vague promise: which is kinder?"""
    clause = sentence.clause
    rest = clause.rest
    if "than" not in rest or sentence.imperative or sentence.tail:
        return []
    at = rest.index("than")
    left, other = rest[:at], rest[at + 1 :]
    if not any(word in english.COMPARATIVES for word in left) or left[-1] == "rather" or not _is_rival(other):
        return []
    if not {"more", "less"} & set(left) and left[-1] not in english.COMPARATIVES and left[:1] != ("a",):
        return []
    if gaps.has_second_verb(clause) or set(left) & english.SUBORDINATORS or (left[-1] in ("more", "less") and clause.aux):
        return []
    kept = replace(clause, rest=left)
    rival_person = any(english.is_person(word) for word in other[:3])
    person = _is_person(clause) and rival_person
    return _led(sentence, wordings.choice(kept.predicate(), joined(clause.subject), joined(other), person=person))


def _is_rival(words: Words) -> bool:
    """Whether what follows than is a plain noun phrase, and not a clause or "clever ones"."""
    if not words or not gaps.starts_noun_phrase(words) or len(words) > 14 or words[0] in ("ever", "usual", "expected"):
        return False
    low = [word.lower() for word in words]
    if set(low) & (english.THIRD_PERSON | {"ones", "one", "does", "do", "is", "was"}) or parse_clause(words) is not None:
        return False
    return not (english.base_of(low[-1], "past") or low[-1] in english.AUXILIARIES)


def _contrast(sentence: Statement) -> list[str]:
    """X does this, while Y does that."""
    if not (_opening(sentence.tail, ",", "while") or _opening(sentence.tail, ",", "whereas")):
        return []
    other = parse_clause(sentence.tail[2:])
    if other is None or len(other.subject) > 5 or len(sentence.clause.subject) > 5 or sentence.lead:
        return []
    verb = "do" if sentence.clause.plural else "does"
    return wordings.contrast(joined(sentence.clause.subject), joined(other.subject), verb)


def _completion(sentence: Statement) -> list[str]:
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
    if re.search("[“”\"]", opening) or len(wordings.content_words(opening)) < 2:
        return []
    return wordings.completion(opening[0].upper() + opening[1:])


def _head_of_rest(clause: Clause) -> int:
    """How much of the rest a cloze shows: up to its first preposition or conjunction, never the last word."""
    stops = english.PREPOSITIONS | english.SUBORDINATORS | {"to", "and", ","}
    at = next((at + 1 for at, word in enumerate(clause.rest) if at > 0 and word in stops), len(clause.rest) // 2)
    return min(at, max(len(clause.rest) - 1, 0))


RULES: tuple[tuple[float, Rule], ...] = (
    (0, _definition),
    (0, _identity),
    (0, _reason),
    (0, _aim),
    (0, _means),
    (0, _advice),
    (0, _consequence),
    (0.2, _comparison),
    (0.4, _occasion),
    (0.6, _object),
    (0.7, _manner),
    (0.8, _contrast),
    (1.2, _action),
    (2.0, _effect_on),
    (2.4, _outcome),
    (2.6, _effect),
    (3.0, _subject),
    (COMPLETION_RANK, _completion),
)
"""Each rule with the rank of its first wording."""
