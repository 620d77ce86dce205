"""Checks of form: what a question and an answer must look like, whatever they say."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.recipe import Checks
from pipeline.records import Draft, normalised
from pipeline.words import subject_words


class Fault(NamedTuple):
    """What is wrong with a draft: a code named after the fault, and a sentence."""

    cause: str
    detail: str


_SOURCE_SPEAK = re.compile(
    r"\b(?:the|this|that|said|above|given|following)\s+"
    r"(?:text|passage|document|article|excerpt|extract|paragraph|section|chapter|author)\b"
    r"|\bmentioned (?:above|here|earlier)\b|\baccording to (?:it|this|that)\b",
    re.IGNORECASE,
)
_TEACHER_SPEAK = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model|assistant)\b"
    r"|\bI (?:cannot|can't) (?:assist|help) with\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[(?:insert|your|name|topic|answer|question)[^\]]*\]|<(?:insert|answer|question)[^>]*>|\blorem ipsum\b|\bTODO\b",
    re.I,
)
_CUT_END = re.compile(r"(?:[,;:(\[{–—-]|\b(?:and|or|but|because|the|an?|which)[.…]*)$", re.IGNORECASE)
_QUESTION_MARKS = ("?", "？", "؟", ";")
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("«", "»"))


def question_form(draft: Draft, checks: Checks) -> Fault | None:
    """The first fault in the form of the question."""
    question = draft.question
    words = len(question.split())
    least, most = checks.question_words
    if not question.endswith(_QUESTION_MARKS):
        return Fault("not_a_question", "The question does not end with a question mark.")
    if not least <= words <= most:
        return Fault("question_length", f"The question has {words} words; the recipe allows {least} to {most}.")
    if _unbalanced(question):
        return Fault("cut_question", "The question holds a bracket or quotation mark without its partner.")
    if not subject_words(question):
        return Fault("unclear_question", "The question names nothing that it is about.")
    return None


def answer_form(draft: Draft, checks: Checks) -> Fault | None:
    """The first fault in the form of the answer."""
    words = len(draft.answer.split())
    least, most = checks.answer_words
    if not least <= words <= most:
        return Fault("answer_length", f"The answer has {words} words; the recipe allows {least} to {most}.")
    if _CUT_END.search(draft.answer) or _unbalanced(draft.answer):
        return Fault("cut_answer", f"The answer breaks off: …{draft.answer[-30:]!r}.")
    if normalised(draft.answer) == normalised(draft.question):
        return Fault("answer_repeats_question", "The answer only repeats the question.")
    return None


def wording(draft: Draft) -> Fault | None:
    """Speaks of its source, of itself, or holds a placeholder."""
    for text in (draft.question, draft.answer):
        for pattern, cause, what in (
            (_SOURCE_SPEAK, "speaks_of_source", "speaks of its source"),
            (_TEACHER_SPEAK, "teacher_speak", "speaks as a language model"),
            (_PLACEHOLDER, "placeholder", "holds a placeholder"),
        ):
            found = pattern.search(text)
            if found:
                return Fault(cause, f"It {what}: {found.group(0)!r}.")
    return None


def _unbalanced(text: str) -> bool:
    # A lone closing bracket is no cut: "a) ..." is how lists are numbered.
    return any(text.count(opening) > text.count(closing) for opening, closing in _PAIRS) or text.count('"') % 2 == 1
