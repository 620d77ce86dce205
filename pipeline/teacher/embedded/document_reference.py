"""Whether a sentence or question can be understood by a reader who has nothing else before them."""

from __future__ import annotations

import re

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_statements import Statement

_CLOSED = (
    lexicon.DETERMINERS
    | lexicon.PREPOSITIONS
    | lexicon.SUBORDINATORS
    | lexicon.AUXILIARIES
    | lexicon.THIRD_PERSON
    | frozenset("and or not to you your people person persons".split())
)


def content_words(text: str) -> set[str]:
    """The words of a text that name something; people and persons are too general to count."""
    return {word for word in re.findall(r"[\w’'-]+", text.lower()) if word not in _CLOSED}


_BANNED = (
    lexicon.DEMONSTRATIVES
    | lexicon.FIRST_PERSON
    | frozenset("he she his her him hers himself herself ones here passage aforementioned".split())
)
_SOURCE = re.compile(
    r"\b(?:the|that|this) (?:section|text|passage|document|chapter|table|figure|paragraph|handout|author|page)\b", re.I
)
"""Words for the document itself, which the reader of a question does not have."""


def is_self_contained(question: str) -> bool:
    """Whether a reader who never saw the passage knows what each word of the question refers to."""
    if _SOURCE.search(question):
        return False
    bare = re.sub(r"“(?![^”]* …”)[^”]*”|\"[^\"]*\"", "quotation", question)
    low = re.findall(r"[\w’'-]+", bare.lower())
    for at, word in enumerate(low):
        follows = low[at + 1] if at + 1 < len(low) else ""
        if word in _BANNED and not (word == "such" and follows == "as"):
            return False
        if word in ("they", "them", "their", "themselves") and not _has_plural_before(low[:at]):
            return False
        dummy = word == "it" and ((low[at - 1] in ("is", "was") and follows == "that") or low[at - 1] == "whether")
        if word in ("it", "its", "itself") and not dummy and not _has_noun_before(low[:at]):
            return False
    return True


def _has_plural_before(words: list[str]) -> bool:
    """Whether "they" has something to stand for: people, a plural, or the singular they of who and someone."""
    if {"who", "whoever", "people"} & set(words):
        return True
    for at, word in enumerate(words):
        verb = at > 0 and words[at - 1] in ("what", "which", "that", "thing", "it") and english.base_of(word, "s")
        if word in lexicon.INDEFINITES - {"something", "nothing"} or english.is_person(word):
            return True
        if english.is_plural(word) and not verb and not english.is_adverb(words[at - 1] if at else ""):
            return True
    return False


def _has_noun_before(words: list[str]) -> bool:
    """Whether "it" has something to stand for."""
    return words[:1] == ["what"] or any(_may_be_noun(word) for word in words)


def _may_be_noun(word: str) -> bool:
    if word in _CLOSED | lexicon.INDEFINITES | _TEMPLATE or len(word) < 3:
        return False
    if english.is_adverb(word) or english.is_adjective(word) or english.is_participle(word):
        return False
    return not (english.is_strong(english.base_of(word, "base")) or english.base_of(word, "s"))


_TEMPLATE = frozenset(
    "reason can explain explanation fact account say ask asked someone name sort thing answer know lies cause subject "
    "would could should purpose aim end suppose circumstances situation condition case way means".split()
)
_LEANING = frozenset(
    "it this that these those they he she we i such both another others here there then so and but or nor yet either "
    "neither his her their its our my one hence thus meantime meanwhile nevertheless therefore instead perhaps".split()
)
_POINTING = re.compile(
    r"\b(?:this|these|those|such(?! (?:as|an?)\b)|the (?:following|former|latter|above|below)|(?:above|below)(?=[.,])|"
    r"aforementioned|he|she|him|his|hers?|we|us|our|ours|me|my|mine|I)\b"
)
_RUN_IN = re.compile(
    r"(?<=[\w,] )(?:The|A|An|Any|Both|All|Each|No|Some|In|On|For|If|When|This|These|It|Section|There|As)\b"
)
"""A capital where no sentence starts: a heading or a page number has run into the line."""
_NO_PROSE = re.compile(r"[;:()\[\]{}<>|=*/\\@#_‘…–—]|--|\.\.|\.\s|\d[.)]\s|(?<![\w’'])[b-hj-z](?![\w’'])")
"""Marks that a plain sentence does without, and letters that stand alone because a word was torn."""


def stands_alone(text: str) -> bool:
    """Whether a sentence is plain prose that needs nothing before it to be understood."""
    outside = re.sub(r"“[^”]*”|\"[^\"]*\"", "“”", text)
    words = outside.split()
    if not 4 <= len(words) <= 42 or not text.endswith((".", "!", ".”")) or not re.match('[“"A-Z]', text):
        return False
    if outside.count("“") != outside.count("”") or outside.count('"') % 2 or re.search(r",[”\"]", text):
        return False
    if words[0].lower().strip(",") in _LEANING or _POINTING.search(outside):
        return False
    if _NO_PROSE.search(outside) or _RUN_IN.search(outside) or not _is_mostly_words(words):
        return False
    return is_self_contained(outside.replace("ones", "things"))


def _is_mostly_words(words: list[str]) -> bool:
    """Whether at most every fifth word is all capitals, a number or a code."""
    shouted = sum(len(word) > 1 and word.isupper() for word in words)
    odd = sum(not re.fullmatch(r"[A-Za-z’'-]*", word.strip('“”".,!?')) for word in words)
    return max(shouted, odd) * 5 <= len(words)


def leans_on_its_neighbours(read: Statement) -> bool:
    """Whether the subject is known only from earlier sentences ("the report", "a similar duty", a tale's "a man")."""
    subject = [word.lower() for word in read.clause.subject]
    names = sum(word[0].isupper() for word in read.clause.subject)
    told = read.clause.past or read.clause.aux in ("was", "were", "had", "did")
    # More capitals than a name has are a heading that ran into the line.
    if names > 5 or (told and not names) or _COMPARED & set(subject[:2]):
        return True
    if subject[0] != "the":
        return bool(read.lead[1:2]) and read.lead[1] in ("each", "all", "most")
    modified = any(word in _MODIFIERS or word[0] in '“"' for word in subject[2:])
    unique = subject[1] in ("most", "best", "first", "last", "only") or subject[1].endswith("est")
    return not (modified or names or unique)


_MODIFIERS = lexicon.PREPOSITIONS | {"that", "who", "which"}
_COMPARED = frozenset("similar additional further several certain same latter remaining respective resulting".split())
