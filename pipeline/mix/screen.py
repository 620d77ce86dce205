"""What an imported row is held against: form, language, what is held out, own questions, the rows before it.

The checks are those of `pipeline/curate`, less those that say nothing of a row that nobody wrote for this dataset: it
need not be a question, its lengths are the set's, and all that stands before its answer counts. Where an own record
would be flagged for its likeness to another, a row is rejected: nobody looks at so many, and there are others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.constraints import count_words
from pipeline.curate.decontaminate import HeldOut
from pipeline.curate.findings import Finding
from pipeline.curate.form import Form, form_findings
from pipeline.curate.speech import turns
from pipeline.kinds import IMPORTED
from pipeline.mix.rows import Ticket
from pipeline.mix.seen import Seen, key_of
from pipeline.mix.settings import ImportedSet
from pipeline.mix.similar import Meant, Similar
from pipeline.recipe import Checks
from pipeline.records import Draft, normalised
from pipeline.words import less_trifles, names_nothing

_SPECIAL = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
)
"""What tokenizers read as a sign of their own: taught as text it would end an answer or open a turn."""
_SELF_CONTAINED = 40
"""Words from which a question may hold the text that it speaks of: "Sum up the following article: ..."."""


def draft_of(ticket: Ticket, name: str) -> Draft:
    """The row as a draft of the set `name`."""
    return Draft(
        kind=IMPORTED,
        question=ticket.question,
        answer=ticket.answer,
        context=ticket.context,
        earlier=ticket.earlier,
        field=name,
        place=ticket.place,
        request="",
    )


class Against(NamedTuple):
    """What the rows of all sets are held against."""

    checks: Checks
    language: str
    """The recipe's."""
    held_out: HeldOut
    """What the recipe's files hold, and the dataset's own slices."""
    meant: Meant | None
    """The same by meaning; None where there is no embedder."""
    similar: Similar


@dataclass(frozen=True)
class Screen:
    """The checks of one set's rows."""

    wanted: ImportedSet
    against: Against
    seen: Seen
    """Questions of the dataset's own and of the rows that were taken, of all sets."""

    @cached_property
    def _form(self) -> Form:
        checks, language = self.against.checks, self.wanted.language or self.against.language
        changed: dict[str, object] = {"answer_words": self.wanted.answer_words}
        if language == "any":
            changed["language_odds"] = None
        return Form(checks.model_copy(update=changed), language)

    def findings(self, drafts: Sequence[Draft]) -> list[list[Finding]]:
        """Each check's word on each draft, up to the first that rejects it; only `repeats` is not asked."""
        return [list(_till_rejected(self._alone(draft))) for draft in drafts]

    def repeats(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        """Of each draft whether its question was met before; asked for one after the other, each is met from then on
        unless it repeats another."""
        keys = [_keys(draft, self._form.language) for draft in drafts]
        before = self.seen.has([key for pair in keys for key in pair])
        new: set[int] = set()
        for number, (plain, bare) in enumerate(keys):
            exact, near = before[2 * number] or plain in new, before[2 * number + 1] or bare in new
            if exact or near:
                cause = "exact_duplicate" if exact else "near_duplicate"
                same = "the same words" if exact else "the same words but for trifles"
                yield Finding(cause, same, "rejected", cause, f"A question of {same} was taken before.")
                continue
            new |= {plain, bare}
            self.seen.add(plain)
            self.seen.add(bare)
            yield Finding("near_duplicate", "not met before")

    def _alone(self, draft: Draft) -> Iterator[Finding]:
        yield _length(draft, self.wanted.question_words)
        yield _special(draft)
        yield from form_findings(draft, self._form)
        yield _unclear(draft, self._form.language)
        yield _speech(draft)
        yield self.against.similar.finding(draft)
        yield from self.against.held_out.findings([draft])
        if self.against.meant is not None:
            yield self.against.meant.finding(draft)


def meet(seen: Seen, question: str, context: str, earlier: Sequence[str], language: str) -> None:
    """Let a question of the dataset's own be met before all rows."""
    for key in _question_keys(question, context, earlier, language):
        seen.add(key)


def _keys(draft: Draft, language: str) -> tuple[int, int]:
    return _question_keys(draft.question, draft.context, draft.earlier, language)


def _question_keys(question: str, context: str, earlier: Sequence[str], language: str) -> tuple[int, int]:
    """Of the question beside what stands before it: in its own words, and less trifles."""
    plain = normalised(question)
    beside = tuple(" ".join(text.casefold().split()) for text in (context, *earlier))
    return key_of("plain", plain, *beside), key_of("bare", less_trifles(plain, question, language), *beside)


def _till_rejected(findings: Iterator[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        if finding.verdict == "rejected":
            return


def _length(draft: Draft, allowed: tuple[int, int]) -> Finding:
    words = sum(map(count_words, (draft.context, *draft.earlier, draft.question)))
    measured = f"{words} words before the answer, {allowed[0]} to {allowed[1]}"
    if allowed[0] <= words <= allowed[1]:
        return Finding("question_words", measured)
    detail = f"{words} words stand before its answer; the recipe allows {allowed[0]} to {allowed[1]}."
    return Finding("question_words", measured, "rejected", "question_length", detail)


def _special(draft: Draft) -> Finding:
    for text in (draft.question, draft.answer, draft.context, *draft.earlier):
        if found := _SPECIAL.search(text):
            detail = f"A tokenizer would read {found.group()!r} as a sign of its own."
            return Finding("special_token", repr(found.group()), "rejected", "special_token", detail)
    return Finding("special_token", "none")


def _unclear(draft: Draft, language: str) -> Finding:
    """What stands before it may say what a question that names nothing is about."""
    if not (draft.context or draft.earlier) and names_nothing(draft.question, language):
        detail = "The question names nothing that it is about."
        return Finding("unclear_question", "function words only", "rejected", "unclear_question", detail)
    return Finding("unclear_question", "names something, or does not stand alone")


def _speech(draft: Draft) -> Finding:
    """No assistant's phrases, in earlier turns neither; and no text is spoken of that is not shown."""
    shown = bool(draft.context or draft.earlier) or len(draft.question.split()) >= _SELF_CONTAINED
    for pattern, cause, what in turns():
        if cause == "speaks_of_source" and shown:
            continue
        if found := pattern.search(draft.question, draft.answer, *draft.earlier):
            said = repr(found.group().strip())
            return Finding("speech", said, "rejected", cause, f"It {what}: {said}.")
    return Finding("speech", "none of the turns looked for")
