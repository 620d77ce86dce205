"""Finds the main verb of a plain English clause, or says that it cannot."""

from __future__ import annotations

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_sentences import Words

_STOPS = frozenset(", ; : because although though unless whereas so but".split())
_SUBJECT_RELATIVES = lexicon.RELATIVES - {"how"}
_MAX_SUBJECT = 16


def main_verb(words: Words, *, past: bool) -> int | None:
    """Where the main verb stands. A relative clause inside the subject uses up a verb of its own."""
    pending = 0
    for at, raw in enumerate(words[: _MAX_SUBJECT + 1]):
        word = raw.lower()
        if word in _STOPS:
            break
        if (word in _SUBJECT_RELATIVES and (at > 0 or word == "who")) or word == "whoever":
            pending += 1
        elif at > 0 and not raw[0].isupper() and _may_be_verb(words, at):
            strength = _strength(words, at, past=past or pending > 0)
            if pending and strength:
                pending -= 1
            elif strength and _agrees(words[:at], word, past):
                if strength == "strong" or (_stands_after_a_noun(words, at) and _continues(words, at)):
                    return None if past and _is_doubtful(words, at) else at
            elif past and english.is_strong(english.base_of(word, "s")):
                return None
    return None


def _may_be_verb(words: Words, at: int) -> bool:
    """Whether the word before allows a finite verb here: no article, preposition, adjective or helper does."""
    before = at - 1
    while before > 0 and english.is_adverb(words[before].lower()):
        before -= 1
    word = words[before].lower()
    if word in lexicon.INDEFINITES or word == "others" or (word in ("no", "at") and before < at - 1):
        return True
    if word == "other" and words[before - 1].lower() == "each":
        return True
    closed = (
        lexicon.DETERMINERS
        | lexicon.PREPOSITIONS
        | lexicon.MODALS
        | lexicon.DO
        | lexicon.BE
        | {"to", "and", "or", "not"}
    )
    if word.endswith(("’s", "'s", "s’")) or (word in closed and word not in lexicon.RELATIVES):
        return word in _PARTICLES and bool({"who", "that", "which"} & {w.lower() for w in words[:at]})
    return not english.is_adjective(word) or word in lexicon.PERSONS


_PARTICLES = frozenset("up on in off out over about for with at".split())


def _strength(words: Words, at: int, *, past: bool) -> str:
    word = words[at].lower()
    if word in lexicon.AUXILIARIES:
        return "strong"
    found = english.base_of(word, "base") or english.base_of(word, "s") or (past and english.base_of(word, "past"))
    if not found:
        return ""
    return "strong" if english.is_strong(found) else "weak"


def _agrees(subject: Words, word: str, past: bool) -> bool:
    number = english.number(subject)
    if word in lexicon.MODALS or word in ("did", "had"):
        return True
    if word in ("was", "were"):
        return number in ("any", "singular" if word == "was" else "plural")
    if past:
        return bool(english.base_of(word, "past"))
    singular = word in ("is", "has", "does") or bool(english.base_of(word, "s"))
    return number in ("any", "singular" if singular else "plural")


def _stands_after_a_noun(words: Words, at: int) -> bool:
    """Whether a word that is often a noun is no part of the subject before it: "requests cause", "the joint force"."""
    before = words[at - 1].lower()
    if before.endswith("ing") and at > 1:
        return False
    if not english.base_of(words[at], "base"):
        return True
    return english.is_plural(before) or english.is_adverb(before) or before[0] in '“"' or before[-1] in '”"'


def _continues(words: Words, at: int) -> bool:
    """Whether what follows shows that a verb stands here: an article, a preposition, an adverb, a quotation."""
    if at + 1 >= len(words):
        return False
    after = words[at + 1].lower()
    clear = (
        lexicon.DETERMINERS | lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | lexicon.THIRD_PERSON | lexicon.INDEFINITES
    )
    if after in clear or english.is_adverb(after) or after[0] in '“"' or after in ("people", "you"):
        return True
    if english.is_adjective(after) or english.is_gerund(after) or after in lexicon.COMPARATIVES:
        return True
    return bool(english.base_of(words[at], "base")) and english.is_plural(after)


def _is_doubtful(words: Words, at: int) -> bool:
    """A past form may be a participle: "a message sent at midnight woke him"."""
    word = words[at].lower()
    if word in lexicon.AUXILIARIES:
        return False
    rest = [w.lower() for w in words[at + 1 :]]
    return "by" in rest[:1] or any(
        w in lexicon.AUXILIARIES or english.base_of(w, "past") for w in rest if w not in ("had",)
    )


def is_auxiliary(words: Words, at: int) -> bool:
    """Whether the word at that place is is, can, or a has or do that helps another verb."""
    word = words[at].lower()
    if word in lexicon.BE | lexicon.MODALS:
        return True
    after = [w.lower() for w in words[at + 1 :] if not english.is_adverb(w.lower())]
    if word in lexicon.HAVE and after:
        return english.is_participle(after[0])
    if word in lexicon.DO and after:
        return after[0] == "not" or bool(english.base_of(after[0], "base") and after[0] not in lexicon.DETERMINERS)
    return False
