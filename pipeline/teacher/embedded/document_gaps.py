"""Which part of a predicate a question word can stand for without leaving a broken sentence behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause
from pipeline.teacher.embedded.document_sentences import Words


@dataclass(frozen=True)
class Gap:
    """A question word, and the clause with a hole where the word's answer stood."""

    word: str
    clause: Clause


@dataclass(frozen=True)
class Predicate:
    """A predicate without its auxiliary: the words before the verb, its base form, and what follows it."""

    before: Words
    verb: str
    after: Words


_CLAUSE_OPENERS = frozenset("that what whether how who which why where when".split())
_TELLING = frozenset("tell teach show remind warn convince persuade ask inform assure".split())
_CAUSING = frozenset(
    "ask invite encourage help allow enable force cause teach persuade lead tempt permit remind tell urge motivate "
    "instruct expect require advise warn want".split()
)
TAKES_TO = frozenset(
    "ability capability capacity chance duty effort need obligation opportunity permission plan power right time "
    "willingness way decision attempt reason".split()
)
_MAKING = frozenset("make let help".split())
_GIVING = frozenset("give offer send bring show teach tell spare grant pay lend".split())
_MOVING = {
    "turn": "into", "mistake": "for", "put": "on", "move": "to", "compare": "with", "transform": "into",
    "convert": "into", "take": "for", "exchange": "for", "blame": "for", "translate": "into", "base": "on",
    "prefer": "to", "attach": "to", "replace": "with", "push": "towards", "combine": "with", "treat": "as",
    "regard": "as", "divide": "into", "protect": "from", "add": "to",
}  # fmt: skip
_STRANDED = {
    "look": "like at for", "sound": "like", "feel": "like", "depend": "on upon", "lead": "to", "turn": "into to",
    "begin": "with", "start": "with", "belong": "with to", "agree": "on with", "ask": "for about", "deal": "with",
    "consist": "of", "rely": "on", "refer": "to", "result": "in from", "apply": "to", "come": "with from",
    "talk": "about", "think": "about of", "wait": "for", "listen": "to for", "respond": "to", "react": "to",
    "contribute": "to", "focus": "on", "concentrate": "on", "grow": "into", "suffer": "from", "benefit": "from",
    "worry": "about", "fit": "into", "relate": "to", "differ": "from", "arise": "from", "derive": "from",
    "succeed": "in", "insist": "on", "interfere": "with", "comply": "with", "complain": "about", "believe": "in",
    "aim": "at", "point": "to", "end": "in with",
}  # fmt: skip
_COMPLEX = frozenset(
    "make keep leave find call render consider put get let help give tell show teach ask send offer bring spare "
    "grant pay set shut turn mistake have do take treat regard move slow expect see hear pick run break hold "
    "read".split()
)
_LINKING = frozenset(
    "be become remain seem appear stay feel look sound grow turn go come fall last happen occur exist arise belong "
    "tend behave travel fade work act rest lie live differ suffer sit stand wait talk think speak listen fail "
    "succeed vary depend rely refer agree disagree fight laugh smile thrive survive proceed matter help worry "
    "breathe return".split()
)
_SENSING = frozenset("sound feel look seem appear".split())
_AFFECTING = frozenset(
    "damage weaken ruin hurt help embarrass insult confuse improve harm slow shut soften prolong protect strengthen "
    "offend annoy frustrate distract undermine spoil calm comfort steady lower raise reduce increase".split()
)
_PARTICLES = frozenset("away down back off up out apart aside together".split())


def predicate(clause: Clause) -> Predicate | None:
    """The verb of the clause in its base form, or None for be, passives and anything unclear."""
    if not clause.aux:
        return Predicate((), clause.verb, clause.rest)
    if clause.aux in lexicon.BE | lexicon.HAVE:
        return None
    at = 0
    while at < len(clause.rest) and (clause.rest[at] == "not" or english.is_adverb(clause.rest[at])):
        at += 1
    if at == len(clause.rest):
        return None
    verb = clause.rest[at]
    known = english.base_of(verb, "base") or verb == "be"
    return Predicate(clause.rest[:at], verb, clause.rest[at + 1 :]) if known else None


def with_object(clause: Clause, parts: Predicate, after: Words) -> Clause:
    """The clause with another object, its auxiliary and adverbs as they were."""
    return replace(clause, rest=(*parts.before, parts.verb, *after) if clause.aux else after)


def object_gap(clause: Clause) -> Gap | None:
    """The hole that leaves the most natural question about the predicate, or None."""
    parts = predicate(clause)
    if parts is None or (parts.verb == "be" and english.is_participle((*parts.after, "")[0])):
        return _passive_gap(clause)
    if has_second_verb(clause):
        return None
    for find in _FINDERS:
        if found := find(parts):
            word, after = found
            return Gap(word, with_object(clause, parts, after))
    return None


def _question_word(words: Words) -> str:
    """Whom for a person, what for anything else."""
    low = [word.lower() for word in words]
    stops = lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | {"to", ","}
    end = next(
        (at for at, word in enumerate(low) if word in stops or (at > 1 and word in lexicon.DETERMINERS)), len(low)
    )
    end = 1 if low[1:2] and low[1] in lexicon.ARTICLES else end
    return "whom" if low[:end] and english.is_person(low[end - 1]) else "what"


Found = tuple[str, Words] | None


def _told(parts: Predicate) -> Found:
    """tells the speaker [that ...], says [that ...]"""
    after = parts.after
    at = next((at for at, word in enumerate(after) if word.lower() in _CLAUSE_OPENERS), None)
    if at is None or (at > 0 and parts.verb not in _TELLING) or (at > 0 and not _is_noun_phrase(after[:at])):
        return None
    if at == 0 and (parts.verb in _LINKING or (parts.verb == "ask" and after[0] == "that")):
        return None
    return "what", after[:at]


def _caused(parts: Predicate) -> Found:
    """encourages people [to try]; makes the other person [stop]; makes your voice sound [warmer]"""
    after = parts.after
    if parts.verb in _CAUSING and "to" in after:
        at = after.index("to")
        quoted = any(word[0] in '“"' for word in after[:at])
        unfinished = quoted or after[at - 1] in TAKES_TO
        if (
            at > 0
            and at + 1 < len(after)
            and not unfinished
            and _is_noun_phrase(after[:at])
            and english.base_of(after[at + 1], "base")
        ):
            return "what", (*after[:at], "to", "do")
    if parts.verb in _MAKING:
        for at in range(1, min(len(after), 6)):
            verb = english.base_of(after[at], "base")
            if verb in _SENSING and _is_noun_phrase(after[:at]):
                return "how", after[: at + 1]
            if verb and english.is_strong(verb) and _is_noun_phrase(after[:at]) and at + 1 < len(after):
                return "what", (*after[:at], "do")
    return None


def _given(parts: Predicate) -> Found:
    """gives a hesitant speaker [time to find the right words]"""
    if parts.verb not in _GIVING:
        return None
    at = _noun_phrase_end(parts.after)
    if not at or at >= len(parts.after):
        return None
    follows = parts.after[at].lower()
    nominal = follows in lexicon.DETERMINERS | {"time", "something", "nothing", "permission", "room"}
    return ("what", parts.after[:at]) if nominal else None


def _moved(parts: Predicate) -> Found:
    """turns a vague complaint into [something useful]; "of" and the like after it stay with the hole"""
    preposition = _MOVING.get(parts.verb)
    if not preposition or preposition not in parts.after:
        return None
    at = parts.after.index(preposition)
    if at == 0 or at + 1 == len(parts.after) or not _is_noun_phrase(parts.after[:at]):
        return None
    return "what", parts.after[: at + 1]


def _stranded(parts: Predicate) -> Found:
    """sounds like [criticism]; should be shorter than [the message]"""
    after = [word.lower() for word in parts.after]
    if len(after) > 1 and after[1:] != ["the", "end"] and after[0] in _STRANDED.get(parts.verb, "").split():
        return "what", parts.after[:1]
    sensed = parts.verb in _SENSING | {"be"} and len(after) > 2 and after[1] == "than"
    return ("what", parts.after[:2]) if sensed and after[0] in lexicon.COMPARATIVES else None


def _plain(parts: Predicate) -> Found:
    """includes [posture and gesture]; points out [a bad habit]"""
    after = parts.after
    if parts.verb in _COMPLEX | _LINKING or not after or (parts.verb in _CAUSING and "to" in after):
        return None
    particle = after[:1] if after[0] in _PARTICLES else ()
    after = after[len(particle) :]
    if not after or not starts_noun_phrase(after) or any(word in _PARTICLES for word in after):
        return None
    if low_quantity(after) or "than" in after:
        return None
    return _question_word(after), particle


def low_quantity(words: Words) -> bool:
    """Whether the words give an amount and no thing: "more in a year"."""
    amount = words[0].lower() in lexicon.QUANTIFIERS
    return amount and (len(words) == 1 or words[1].lower() in lexicon.PREPOSITIONS | lexicon.SUBORDINATORS)


_FINDERS: tuple[Callable[[Predicate], Found], ...] = (_caused, _told, _given, _moved, _stranded, _plain)


def _passive_gap(clause: Clause) -> Gap | None:
    """can be replaced by [an email]; is a sign of [respect]"""
    rest = clause.rest
    used = next((at for at in range(1, len(rest) - 1) if rest[at - 1 : at + 1] == ("used", "to")), 0)
    if used and english.base_of(rest[used + 1], "base"):
        return Gap("what", replace(clause, rest=(*rest[: used + 1], "do")))
    first = next((word for word in rest if word not in ("not", "be") and not english.is_adverb(word)), "")
    passive = english.is_participle(first)
    if passive and "by" in rest[1:-1] and (clause.aux in lexicon.BE or "be" in rest):
        at = rest.index("by")
        if not english.is_gerund(rest[at + 1]) and (
            english.is_participle(rest[at - 1]) or english.is_adverb(rest[at - 1])
        ):
            return Gap("what", replace(clause, rest=rest[: at + 1]))
    if (
        clause.aux in ("is", "are")
        and len(rest) > 3
        and rest[0] in ("a", "an")
        and rest[2] == "of"
        and rest[1] in _RELATIONS
    ):
        return Gap("what", replace(clause, rest=rest[:3]))
    return None


_RELATIONS = frozenset("sign cause result part source consequence symptom mark proof symbol measure".split())


def affected(clause: Clause) -> Words:
    """Whom or what the predicate changes: "people" in "makes people defensive"; empty where nothing is changed."""
    parts = predicate(clause)
    if parts is None or parts.before or has_second_verb(clause):
        return ()
    after = parts.after
    if parts.verb == "make" and len(after) > 1:
        last = after[-1].lower()
        if (english.is_adjective(last) or last in lexicon.COMPARATIVES) and _is_noun_phrase(after[:-1]):
            return after[:-1]
        return ()
    if parts.verb in _AFFECTING and after:
        kept = after[:-1] if after[-1] in _PARTICLES else after
        return kept if _is_noun_phrase(kept) and not set(kept) & lexicon.PREPOSITIONS else ()
    return ()


def starts_noun_phrase(words: Words) -> bool:
    """Whether an object may start here: an article, a noun, a gerund or a quotation."""
    word = words[0].lower()
    if word[0] in '“"' or word in lexicon.DETERMINERS or english.is_gerund(word):
        return word not in ("much", "such", "most") or len(words) > 1
    closed = (
        lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | lexicon.THIRD_PERSON | lexicon.AUXILIARIES | lexicon.COMPARATIVES
    )
    if word in closed or word in ("to", "and", "or", "not", ",", "you", "yourself") or english.is_adverb(word):
        return False
    return not english.is_adjective(word) or len(words) > 1


def _is_noun_phrase(words: Words) -> bool:
    """Whether the words are one short noun phrase with no verb of its own."""
    low = [word.lower() for word in words]
    if not low or len(low) > 7 or not (starts_noun_phrase(words) or low == ["you"]):
        return False
    return not any(
        word in lexicon.SUBORDINATORS | lexicon.AUXILIARIES | lexicon.THIRD_PERSON | {"and", ","} for word in low
    )


def _noun_phrase_end(words: Words) -> int:
    """How many words the first object of give takes: article, adjectives, one noun."""
    at = 0
    if at < len(words) and words[at].lower() in lexicon.DETERMINERS:
        at += 1
    while at < len(words) and english.is_adjective(words[at].lower()):
        at += 1
    if at >= len(words) or not starts_noun_phrase(words[at:]) or words[at].lower() in lexicon.DETERMINERS:
        return 0
    return at + 1


def has_second_verb(clause: Clause) -> bool:
    """Whether a second predicate is joined on: "names the harm and accepts the blame"."""
    rest = [word.lower() for word in clause.rest]
    tense: english.Tense = "past" if clause.past else "s" if not clause.plural and not clause.aux else "base"
    for at, word in enumerate(rest[1:], 1):
        if rest[at - 1] not in ("and", "or", "but", ",") or at + 1 >= len(rest):
            continue
        if english.base_of(word, tense) and (starts_noun_phrase(tuple(rest[at + 1 :])) or tense != "base"):
            return True
        base = english.base_of(word, tense)
        if base and tense == "base" and english.is_strong(base) and "to" not in rest[:at]:
            return True
        if base and rest[at + 1] in lexicon.PREPOSITIONS | lexicon.ADVERBS | lexicon.THIRD_PERSON:
            return True
    return False
