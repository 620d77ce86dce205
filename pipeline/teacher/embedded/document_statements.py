"""Parts a sentence into what stands before its main clause, the clause, and what hangs on behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_clauses import Clause, parse_clause
from pipeline.teacher.embedded.document_sentences import Words, joined, tokens, uncapitalised, without_full_stop


@dataclass(frozen=True)
class Statement:
    """A sentence in parts: what stands before the main clause, the clause, and what hangs on behind."""

    clause: Clause
    lead: Words = ()
    tail: Words = ()
    imperative: bool = False

    def hangs_on(self, *words: str) -> bool:
        """Whether the tail opens with these words: "because", "so that"."""
        return self.tail[: len(words)] == words

    @property
    def context(self) -> str:
        """The tail as part of a question about something else; a reason or an afterthought is left out."""
        tail = self.tail
        return "" if not tail or tail[0] in (",", "because", "so", "in") else " " + joined(tail)

    def led(self, questions: list[str]) -> list[str]:
        """The same questions with the lead of the sentence, for it limits what is said."""
        if not self.lead:
            return questions
        lead = joined(self.lead)
        wrapped = ("can you ", "do you ", "if ", "how would you explain ")
        before = [f"{lead}, {question}" for question in questions if not question.startswith(wrapped)]
        return before + [
            f"{question} {lead}" for question in questions if question.startswith(wrapped) and "," not in question
        ]


def statement(text: str, proper: frozenset[str]) -> Statement | None:
    """The parts of a sentence, or None where the reading is not safe."""
    words = tokens(without_full_stop(text))
    lead, main = _without_lead(words)
    main = uncapitalised(main, proper) if not lead else main
    lead = uncapitalised(lead, proper)
    if not main:
        return None
    main = _with_nouns_for_ones(main)
    clause = parse_clause(main)
    imperative = clause is None and _is_imperative(main)
    if imperative:
        clause = Clause(subject=("you",), aux="should", rest=main, plural=True)
    if clause is None:
        return None
    cut = tail_start(clause.rest)
    kept, tail = clause.rest[:cut], clause.rest[cut:]
    if not (kept or tail) or not _is_plausible(kept) or "ones" in main or _is_inverted(clause):
        return None
    return Statement(replace(clause, rest=kept), lead, tail, imperative)


def _with_nouns_for_ones(words: Words) -> Words:
    """Plain words ... clever ones: the noun they share, where only one noun or a comparison makes it plain."""
    if "ones" not in words:
        return words
    at = words.index("ones")
    nouns = [word for word in words[:at] if english.is_plural(word) and not english.base_of(word, "s")]
    clear = len(nouns) == 1 or (nouns and "than" in words[:at])
    return (*words[:at], nouns[0], *words[at + 1 :]) if clear else words


_LEADS = frozenset("when if after before while once unless since whenever".split())
_LEAD_PREPOSITIONS = frozenset("after before during in on at with without for among by within between".split())


def _without_lead(words: Words) -> tuple[Words, Words]:
    first = words[0].lower() if words else ""
    if first in _LEADS | _LEAD_PREPOSITIONS and "," in words:
        comma = words.index(",")
        return words[:comma], words[comma + 1 :]
    return (), words


def is_finite_lead(lead: Words) -> bool:
    """Whether "when feedback seems unfair" it is, and not "after a setback"."""
    return bool(lead) and lead[0].lower() in _LEADS and parse_clause(lead[1:]) is not None


def _is_imperative(words: Words) -> bool:
    base = english.base_of(words[0].lower(), "base")
    follows = words[1].lower() if len(words) > 1 else ""
    opens = follows in lexicon.DETERMINERS | lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | {"yourself", "people"}
    return bool(base) and words[0] == words[0].lower() and (opens or english.is_strong(base))


def _is_plausible(rest: Words) -> bool:
    """Whether every helping verb in the rest has a word before it that opens a clause."""
    opened = False
    low = [word.lower() for word in rest]
    broken = low[:1] == [","] or (low[-1:] and low[-1] in (",", "and", "or", "but"))
    if broken or "not only" in " ".join(low):
        return False
    for at, word in enumerate(low):
        opened = opened and word != ","
        opened = opened or word in lexicon.SUBORDINATORS | lexicon.SUBJECT_PRONOUNS | {"that"}
        joined_on = at > 0 and low[at - 1] in ("and", "or", "but")
        if word in lexicon.BE | lexicon.MODALS | lexicon.DO and at > 0 and not (opened or joined_on):
            return False
    return True


def _is_inverted(clause: Clause) -> bool:
    """Whether the subject stands behind the verb: "east of the river lies the city"."""
    return clause.verb in ("lie", "come", "go", "sit", "occur", "exist", "arise") and clause.rest[:1] in (
        ("the",),
        ("a",),
        ("an",),
    )


def _gerund_next(low: list[str], at: int) -> bool:
    return at + 1 < len(low) and low[at + 1].endswith("ing") and english.is_gerund(low[at + 1])


def _clause_next(low: list[str], at: int) -> bool:
    """Whether a whole clause or a gerund follows, and not only a noun as in "after an answer"."""
    if _gerund_next(low, at):
        return True
    after = tuple(low[at + 1 :])
    return bool(after) and (after[0] in lexicon.SUBJECT_PRONOUNS or parse_clause(after) is not None)


_PRONOUNS = {(word,) for word in ("it", "they", "he", "she")}


def _opens_clause(low: list[str], at: int) -> bool:
    """Whether ", and" or ", but" joins a clause with a subject of its own, and not a last item or a second verb."""
    after = tuple(low[at + 1 :])
    return low[at] not in ("and", "or", "but") or after[:1] in _PRONOUNS or parse_clause(after) is not None


_AFTER_COMMA = frozenset("so while but and or which not though although because whereas as or unless except".split())
_ASKERS = frozenset("say ask tell know see wonder explain decide check remember show forget".split())
_MOMENTS = frozenset("time moment day hour date point case situation".split())
_TAILS: dict[str, Callable[[list[str], int], bool]] = {
    ",": lambda low, at: low[at + 1 : at + 2] != [] and low[at + 1] in _AFTER_COMMA and _opens_clause(low, at + 1),
    "because": lambda low, at: at + 1 < len(low) and low[at + 1] != "of",
    "so": lambda low, at: low[at + 1 : at + 2] == ["that"],
    "in": lambda low, at: low[at + 1 : at + 3] == ["order", "to"],
    "rather": lambda low, at: low[at + 1 : at + 2] == ["than"],
    "instead": lambda low, at: low[at + 1 : at + 2] == ["of"],
    "only": lambda low, at: low[at + 1 : at + 2] in (["if"], ["when"]),
    "when": lambda low, at: low[at + 1 : at + 2] != ["to"],
    "if": lambda low, at: True,
    "unless": lambda low, at: True,
    "until": _clause_next,
    "while": lambda low, at: True,
    "before": _clause_next,
    "after": _clause_next,
    "without": _gerund_next,
    "by": _gerund_next,
}
_OPENERS = frozenset("that what whether how who whom which why where whose".split())


def tail_start(rest: Words) -> int:
    """Where the part begins that hangs on behind; the length where there is none.

    A word that opens a clause of its own before it makes the attachment uncertain, so nothing is cut then.
    """
    low = [word.lower() for word in rest]
    for at, word in enumerate(low):
        if word in _OPENERS or (word in ("when", "if") and at > 0 and low[at - 1] in _ASKERS | _MOMENTS):
            break
        if word in _TAILS and _TAILS[word](low, at):
            return at
    return len(rest)
