"""Evolved questions: whether a child asks something else than its parent, and keeps the limits that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.constraints import count_words
from pipeline.curate.findings import Finding
from pipeline.recipe import Checks
from pipeline.records import Draft, normalised
from pipeline.words import alike, bare, content_words

if TYPE_CHECKING:
    from pipeline.curate import Material


def asks_anew(material: Material, checks: Checks) -> Callable[[Sequence[Draft]], Iterable[Sequence[Finding]]]:
    """The check of a child's question beside its parent's, by its words and, where there is an embedder, by meaning."""

    def findings(drafts: Sequence[Draft]) -> Iterator[Sequence[Finding]]:
        asked = [
            material.parents[draft.parent].question if draft.parent in material.parents else "" for draft in drafts
        ]
        near = _near(drafts, asked, material)
        for draft, question, cosine in zip(drafts, asked, near, strict=True):
            yield [_finding(draft, question, cosine, checks, material.language)] if question else ()

    return findings


def _finding(draft: Draft, question: str, cosine: float | None, checks: Checks, language: str) -> Finding:
    new = set(content_words(draft.question)) - set(content_words(question))
    same = bare(draft.question, language) == bare(question, language) or (
        not new and len(content_words(draft.question)) >= len(content_words(question))
    )
    if same or alike(draft.question, question, checks.near_duplicate):
        return _same("no word that its parent has not", question)
    # A limit on the answer changes what is asked and hardly what is meant.
    if cosine is not None and cosine >= checks.same_meaning and not limits_in(draft.question):
        return _same(f"{cosine:.2f} alike in meaning, under {checks.same_meaning:g}", question)
    measured = f"{len(new)} words that its parent has not" if new else "fewer words than its parent"
    return Finding("asks_anew", measured if cosine is None else f"{measured}, {cosine:.2f} alike in meaning")


def _same(measured: str, question: str) -> Finding:
    return Finding("asks_anew", measured, "rejected", "same_as_parent", f"It asks what its parent asks: {question!r}.")


def _near(drafts: Sequence[Draft], asked: Sequence[str], material: Material) -> Iterator[float | None]:
    if material.embedder is None or not drafts:
        yield from (None for _ in drafts)
        return
    vectors = material.embedder.encode([*(draft.question for draft in drafts), *asked])
    for number in range(len(drafts)):
        yield round(float(vectors[number] @ vectors[len(drafts) + number]), 4)


_NUMBERS = {"one": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
            "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20}  # fmt: skip
_N = rf"(?P<number>\d+|{'|'.join(_NUMBERS)})"
_LIMIT = re.compile(
    rf"\b(?:in|with|within|using) (?P<how>at most|no more than|not more than|up to|under|fewer than|less than|exactly"
    rf"|at least|just|only|a)? ?{_N} (?P<what>word|sentence)s?\b(?P<or_less> or (?:less|fewer))?",
    re.IGNORECASE,
)
_WITHOUT = re.compile(r"\bwithout (?:using |saying )?the words? [“\"'‘](?P<word>[^”\"'’]+)[”\"'’]", re.IGNORECASE)
_WITH = re.compile(
    r"(?<!without )\b(?:using|with|that (?:holds|has)) the words? [“\"'‘](?P<word>[^”\"'’]+)[”\"'’]", re.IGNORECASE
)


_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?![a-z])")


def limits_in(question: str) -> list[str]:
    """The limits on the answer that a question names and that can be measured, in its words."""
    return [found.group() for pattern in (_LIMIT, _WITHOUT, _WITH) for found in pattern.finditer(question)]


def keeps_limits(draft: Draft) -> Finding:
    """Whether the answer keeps them: so many words or sentences, a word that it must or must not hold."""
    limits = limits_in(draft.question)
    for broken in _broken(draft.question, draft.answer):
        detail = f"The question asks for an answer {broken}."
        return Finding("keeps_limits", broken, "rejected", "breaks_limit", detail)
    return Finding("keeps_limits", f"kept: {', '.join(limits)}" if limits else "names no limit that can be measured")


def _broken(question: str, answer: str) -> Iterator[str]:
    for found in _LIMIT.finditer(question):
        wanted = int(found["number"]) if found["number"].isdigit() else _NUMBERS[found["number"].lower()]
        has = count_words(answer) if found["what"].lower() == "word" else len(_SENTENCE_END.split(answer))
        how = (found["how"] or "").lower()
        if how == "at least":
            kept = has >= wanted
        elif found["or_less"] or how in ("at most", "no more than", "not more than", "up to"):
            kept = has <= wanted
        elif how in ("under", "fewer than", "less than"):
            kept = has < wanted
        else:
            kept = has == wanted
        if not kept:
            yield f"{found.group()}, and it has {has}"
    said = f" {normalised(answer)} "
    for pattern, must in ((_WITHOUT, False), (_WITH, True)):
        for found in pattern.finditer(question):
            if (f" {normalised(found['word'])} " in said) != must:
                yield found.group()
