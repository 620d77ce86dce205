"""Checks of form: what a question and an answer must look like, whatever they say.

Each check is a pure function of a draft and the recipe's thresholds. None raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rapidfuzz.fuzz import ratio

from pipeline.constraints import count_words
from pipeline.curate.cut import Cut, broken_end, unbalanced
from pipeline.curate.findings import Finding, Verdict
from pipeline.curate.speech import SPEAKS_OF_SOURCE, closing, turns
from pipeline.kinds import KINDS
from pipeline.language import told, unspaced_words
from pipeline.recipe import Checks
from pipeline.records import Draft, normalised
from pipeline.words import content_words, names_nothing


class Form(NamedTuple):
    """What the form of a draft is held against."""

    checks: Checks = Checks()
    language: str = "en"
    """The dataset's, as the recipe names it."""


def form_findings(draft: Draft, form: Form) -> Iterator[Finding]:
    """What every check of form finds that says something about its kind, in the order in which the first rejection
    gives the cause."""
    skipped = KINDS[draft.kind].skips
    for check in (
        question_mark,
        question_length,
        answer_length,
        question_cut,
        answer_echo,
        answer_cut,
        list_mark,
        quoted_question,
        unclear_question,
        source_and_teacher_speak,
        assistant_closing,
        mojibake,
        question_language,
        answer_language,
    ):
        if check.__name__ not in skipped:
            yield check(draft, form)


def _rejected(check: str, measured: str, cause: str, detail: str) -> Finding:
    return Finding(check, measured, "rejected", cause, detail)


# What ends a question, by language; in all others it is ?. A closing quotation mark or bracket may follow.
_MARKS = {"ar": "؟", "fa": "؟", "ur": "؟", "zh": "？", "ja": "？", "el": ";\u037e", "hy": "՞"}
_ENDS = re.compile(r"[?？؟;\u037e՞!！]+[\"'”“’»)）」』]*$")
_TAIL = 40
_ASKS = re.compile("[?？؟՞]")
_JAPANESE_END = re.compile("か[。．]?$")


def question_mark(draft: Draft, form: Form) -> Finding:
    """Ends as a question does in its language: ? or ？ or ؟; a Spanish one that opens without ¿ is flagged."""
    question, name = draft.question, "question_mark"
    own = _MARKS.get(form.language, "?")
    end = _ENDS.search(question[-_TAIL:])
    asks = end is not None and (_ASKS.search(end.group()) or (form.language == "el" and end.group()[0] in own))
    if not asks and not (form.language == "ja" and _JAPANESE_END.search(question)):
        return _rejected(
            name, f"ends with {question[-1:]!r}", "not_a_question", "It does not end with a question mark."
        )
    if form.language == "es" and "¿" not in question:
        return Finding(name, "no ¿", "flagged", "question_mark", "A Spanish question opens with ¿.")
    return Finding(name, f"ends with {question[-1:]!r}")


def _length(name: str, text: str, allowed: tuple[int, int], cause: str) -> Finding:
    words = count_words(text)
    measured = f"{words} words, {allowed[0]} to {allowed[1]}"
    if allowed[0] <= words <= allowed[1]:
        return Finding(name, measured)
    return _rejected(name, measured, cause, f"It has {words} words; the recipe allows {allowed[0]} to {allowed[1]}.")


def question_length(draft: Draft, form: Form) -> Finding:
    """As many words as the recipe allows; of scripts without blanks, as many as their characters make up."""
    allowed = KINDS[draft.kind].question_words or form.checks.question_words
    return _length("question_words", draft.question, allowed, "question_length")


def answer_length(draft: Draft, form: Form) -> Finding:
    """As many words as the recipe allows; of scripts without blanks, as many as their characters make up."""
    allowed = KINDS[draft.kind].answer_words or form.checks.answer_words
    return _length("answer_words", draft.answer, allowed, "answer_length")


def question_cut(draft: Draft, form: Form) -> Finding:
    """Every bracket and quotation mark in the question has its partner."""
    sign = unbalanced(draft.question)
    if sign:
        return _rejected("question_cut", f"a lone {sign}", "cut_question", f"A {sign} in it lacks its partner.")
    return Finding("question_cut", "whole")


def answer_cut(draft: Draft, form: Form) -> Finding:
    """The answer does not break off: no lone bracket or quotation mark, no end at which nothing ends."""
    sign = unbalanced(draft.answer)
    end = Cut(sign, True) if sign else broken_end(draft.answer, form.language)
    if end is None:
        return Finding("answer_cut", "whole")
    verdict: Verdict = "rejected" if end.certain else "doubtful"
    detail = f"The answer breaks off: …{draft.answer[-30:]!r}."
    return Finding("answer_cut", f"breaks off at {end.text!r}", verdict, "cut_answer", detail)


_LABEL = (
    r"(?:q|a|question|answer|frage|antwort|pregunta|respuesta|réponse|domanda|risposta|pergunta|resposta|vraag|antwoord"
    r"|问题?|答案?|回答|質問|سؤال|جواب|السؤال|الجواب)"
)
_LIST_MARK = re.compile(
    rf"^(?:\*\*|#+\s|[-*•–▪]\s|\(?\d{{1,3}}[):]\s*|\(?[a-h]\)\s|[①-⑳]|{_LABEL}\s*\d*\s*[.:：)]\s|{_LABEL}\d*[：:]"
    r"|\d{1,3}[、．])",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\d{1,3}\.\s")
_SECOND_ITEM = re.compile(r"\s(?:2[.):]|\(2\)|b\)|[-*•–▪])\s", re.IGNORECASE)


def list_mark(draft: Draft, form: Form) -> Finding:
    """No number, bullet or label is left of the list that the draft stood in; an answer may be a list of its own."""
    for what, text in (("question", draft.question), ("answer", draft.answer)):
        found = _LIST_MARK.search(text) or (_NUMBERED.search(text) if what == "question" else None)
        if found and not (what == "answer" and _SECOND_ITEM.search(text)):
            mark = found.group().strip()
            return _rejected(
                "list_mark", f"{mark!r} leads the {what}", "list_mark", f"The {what} begins with {mark!r}."
            )
    return Finding("list_mark", "none")


_QUOTED = re.compile(r"^([\"'“„«»‘‚「『`]).*[?？؟]\s*[\"'”“»«’‘」』`][.?]?$", re.DOTALL)


def quoted_question(draft: Draft, form: Form) -> Finding:
    """The question does not stand whole between quotation marks, as if somebody else asked it."""
    if _QUOTED.match(draft.question):
        sign = draft.question[0]
        return _rejected("quoted_question", f"between {sign}", "quoted_question", "It stands in quotation marks.")
    return Finding("quoted_question", "not quoted")


def unclear_question(draft: Draft, form: Form) -> Finding:
    """The question names what it is about: "What is it?" does not, unless something was said before."""
    if not draft.earlier and names_nothing(draft.question, form.language):
        detail = "The question names nothing that it is about."
        return _rejected("unclear_question", "function words only", "unclear_question", detail)
    return Finding("unclear_question", "names something")


def answer_echo(draft: Draft, form: Form) -> Finding:
    """The answer does not say the question over again, neither as a whole nor before it answers.

    Alike is not enough: "Is lye safe?" is answered by "Lye is safe.", and "Notes solve nothing, but why?" by "Notes
    solve nothing because nobody replies." An echo begins as the question does, and adds no word to it.
    """
    question, answer = normalised(draft.question), normalised(draft.answer)
    if question and f"{answer} ".startswith(f"{question} "):
        alike = 100.0
    else:
        alike = ratio(question, answer) if _adds_nothing(question, answer) else 0.0
    measured = f"{alike:.0f} alike, under {form.checks.answer_echo:g}"
    if alike >= form.checks.answer_echo:
        return _rejected("answer_echo", measured, "answer_repeats_question", "The answer repeats the question.")
    return Finding("answer_echo", measured)


_CHINESE_PARTICLES = "吗呢"


def _adds_nothing(question: str, answer: str) -> bool:
    asked = dict.fromkeys(question.split())
    if answer.split()[:1] != list(asked)[:1] and not unspaced_words(question):
        return False
    if any(particle in question and particle not in answer for particle in _CHINESE_PARTICLES):
        return False
    return all(word in asked or (word.isalpha() and _slip(word, asked)) for word in content_words(answer))


def _slip(word: str, others: Iterable[str]) -> bool:
    return any(ratio(word, other) >= _SLIP for other in others)


_SLIP = 80
"""Words this alike differ by a slip of the pen: `prof` and `proof`."""


def source_and_teacher_speak(draft: Draft, form: Form) -> Finding:
    """Speaks neither of its source nor as a language model, and holds no placeholder."""
    for text in (draft.question, draft.answer):
        for pattern, cause, what in turns():
            if draft.context and cause == SPEAKS_OF_SOURCE:
                continue  # the student sees it
            if found := pattern.search(text):
                said = found.group().strip()
                return _rejected("speech", repr(said), cause, f"It {what}: {said!r}.")
    return Finding("speech", "none of the turns looked for")


def assistant_closing(draft: Draft, form: Form) -> Finding:
    """Does not end as an assistant's reply does: "I hope this helps!"."""
    if found := closing().pattern.search(draft.answer):
        said = found.group().strip()
        return _rejected("speech", repr(said), "teacher_speak", f"It {closing().what}: {said!r}.")
    return Finding("speech", "no offer of help")


def mojibake(draft: Draft, form: Form) -> Finding:
    """No text that was read in another encoding than it was written in, as ftfy's table of bad sequences tells."""
    from ftfy.badness import is_bad

    for what, text in (("question", draft.question), ("answer", draft.answer)):
        if not text.isascii() and ("\ufffd" in text or is_bad(text)):
            return _rejected("mojibake", f"in the {what}", "mojibake", f"The {what} was read in a wrong encoding.")
    return Finding("mojibake", "none")


def question_language(draft: Draft, form: Form) -> Finding:
    """The question is in the dataset's language."""
    return _language("question", draft.question, form)


def answer_language(draft: Draft, form: Form) -> Finding:
    """The answer is in the dataset's language."""
    return _language("answer", draft.answer, form)


def _language(what: str, text: str, form: Form) -> Finding:
    odds = form.checks.language_odds
    if odds is None:
        return Finding("language_odds", f"the {what}: the recipe does not ask")
    best = told(text, form.language)
    if best is None:
        return Finding("language_odds", f"the {what}: too little to tell")
    measured = f"the {what}: {best.language} {best.odds:.3g} times as likely, under {odds:g}"
    if best.odds < odds:
        return Finding("language_odds", measured)
    detail = f"The {what} is in {best.language!r}, and the dataset in {form.language!r}."
    sure = count_words(text) >= form.checks.language_words
    return Finding("language_odds", measured, "rejected" if sure else "flagged", "wrong_language", detail)
