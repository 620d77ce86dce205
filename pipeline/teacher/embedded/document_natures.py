"""Rules that ask what a thing is and how it compares: definitions, descriptions, comparisons, contrasts."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pipeline.teacher.embedded import document_gaps as gaps
from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import document_wordings as wordings
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause, parse_clause
from pipeline.teacher.embedded.document_sentences import Words, joined
from pipeline.teacher.embedded.document_statements import Statement


def definition(sentence: Statement) -> list[str]:
    """X is a Y that ...; X means doing Y."""
    clause = sentence.clause
    low = [word.lower() for word in clause.subject]
    if len(low) > 4 or low[0] in lexicon.QUANTIFIERS | {"the"} or sentence.lead:
        return []
    if set(low) & {"good", "bad", "best", "better", "great", "real", "you"} or set(low) & lexicon.SUBORDINATORS:
        return []
    verb = "are" if clause.plural else "is"
    meant = clause.verb == "mean" and clause.rest and clause.rest[0] not in ("that", "little", "nothing", "more")
    if meant and not sentence.lead and english.is_gerund(clause.rest[0]):
        return wordings.definition(joined(clause.subject), "is")
    if clause.aux == verb and _defines(clause.rest) and sentence.tail[:1] in ((), (",",)):
        return wordings.definition(joined(clause.subject), verb)
    return []


_ABSTRACT = frozenset(
    "ability act process practice art habit study provision capacity willingness skill science state quality use "
    "method amount degree".split()
)
_RELATIVES = frozenset("that which who".split())
_KINDS = frozenset("that which who of in where whose to".split())


def _defines(rest: Words) -> bool:
    """Whether a complement names a kind and then what sets it apart: "anger that shows itself through delay"."""
    low = [word.lower() for word in rest]
    if "which" in low[1:] and low[low.index("which") - 1] in lexicon.PREPOSITIONS:
        low.remove(low[low.index("which") - 1])
    relatives = (
        at for at, word in enumerate(low[:7]) if word in _RELATIVES and set(low[:at]) & lexicon.PREPOSITIONS == {"of"}
    )
    at = next(relatives, 0)
    if at:
        return low[0] in lexicon.ARTICLES and not is_unique(low)
    at = next((at for at, word in enumerate(low) if word in _KINDS), 0)
    if not 0 < at <= 4 or "one" in low[:at] or english.is_participle(low[0]) or english.is_adjective(low[at - 1]):
        return False
    if (at == 1 and low[0] in lexicon.DETERMINERS) or set(low[:at]) & lexicon.PREPOSITIONS or is_unique(low):
        return False
    if low[at] not in ("of", "in", "to"):
        return True
    abstract = low[at - 1] in _ABSTRACT or (low[at] != "to" and english.is_gerund((*low, "")[at + 1]))
    return low[0] in lexicon.ARTICLES and abstract


class Kind(NamedTuple):
    """What a definition names: the kind of thing, and what sets it apart."""

    kind: Words
    apart: Words


def kind_of_thing(clause: Clause) -> Kind | None:
    """Of "X is a Y that Z", Y and Z; None of anything else."""
    if clause.aux != "is" or not _defines(clause.rest) or clause.rest[0].lower() not in ("a", "an"):
        return None
    at = next((at for at, word in enumerate(clause.rest[:7]) if word.lower() in _RELATIVES), 0)
    return Kind(clause.rest[:at], clause.rest[at:]) if at > 1 and not set(clause.rest[:at]) & {","} else None


def is_unique(low: list[str]) -> bool:
    """Whether a phrase fits one thing only: "the most common sign"."""
    if low[:1] != ["the"] or len(low) < 3:
        return False
    return low[1] in ("most", "best", "worst", "only", "main", "first", "last") or low[1].endswith("est")


def identity(sentence: Statement) -> list[str]:
    """X is the best Y."""
    clause = sentence.clause
    rest = [word.lower() for word in clause.rest]
    if clause.aux not in ("is", "are") or len(rest) < 3 or sentence.tail or sentence.lead or rest[0][0].isdigit():
        return []
    if clause.subject[0].lower() == "the" and {"of", "for"} & set(clause.subject) and _names(rest):
        return wordings.identity(joined(clause.subject), clause.aux) if rest[0] not in ("one", "part", "that") else []
    return wordings.identity(joined(clause.rest), clause.aux) if is_unique(rest) and "and" not in rest else []


def _names(rest: list[str]) -> bool:
    """Whether a complement is a noun phrase: "the Combined Arms Center", not "hard to hear" or "based on law"."""
    if rest[0] in lexicon.QUANTIFIERS - {"all", "both"} or not gaps.starts_noun_phrase(tuple(rest)):
        return False
    described = english.is_adjective(rest[0]) or english.is_participle(rest[0])
    return not described or rest[1] not in lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | {"to", "and", ","}


def comparison(sentence: Statement) -> list[str]:
    """A clear refusal is kinder than a vague promise: which is kinder?"""
    clause = sentence.clause
    rest = clause.rest
    if "than" not in rest or sentence.imperative or sentence.tail:
        return []
    at = rest.index("than")
    left, other = rest[:at], rest[at + 1 :]
    if not _compares(left) or not is_rival(other) or gaps.has_second_verb(clause):
        return []
    if left[-1] in ("more", "less") and clause.aux:
        return []
    person = clause.is_person and any(english.is_person(word) for word in other[:3])
    favoured = replace(clause, rest=left).predicate()
    return sentence.led(wordings.choice(favoured, joined(clause.subject), joined(other), person=person))


def _compares(left: Words) -> bool:
    """Whether what stands before than weighs two subjects: "kinder", "a fuller account"; not "a shorter way home"."""
    if not set(left) & lexicon.COMPARATIVES or set(left) & lexicon.SUBORDINATORS or left[-1] == "rather":
        return False
    return bool({"more", "less"} & set(left)) or left[-1] in lexicon.COMPARATIVES or left[0] == "a"


_NO_RIVALS = lexicon.THIRD_PERSON | frozenset("ones one does do is was meant".split())


def is_rival(words: Words) -> bool:
    """Whether what follows than is a plain noun phrase, and not a clause or "clever ones"."""
    low = [word.lower() for word in words]
    if not low or not gaps.starts_noun_phrase(words) or len(low) > 14 or low[0] in ("ever", "usual", "expected"):
        return False
    finite = set(low) & _NO_RIVALS or english.base_of(low[-1], "past")
    return not finite and parse_clause(words) is None


def contrast(sentence: Statement) -> list[str]:
    """X does this, while Y does that."""
    if not (sentence.hangs_on(",", "while") or sentence.hangs_on(",", "whereas")):
        return []
    other = parse_clause(sentence.tail[2:])
    if other is None or len(other.subject) > 5 or len(sentence.clause.subject) > 5 or sentence.lead:
        return []
    verb = "do" if sentence.clause.plural else "does"
    return wordings.contrast(joined(sentence.clause.subject), joined(other.subject), verb)
