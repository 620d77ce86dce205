"""Finds the subject, the verb and the tail of a plain English sentence, or says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_sentences import joined, tokens, uncapitalised, without_full_stop

Words = tuple[str, ...]
_STOPS = frozenset(", ; : because although though unless whereas so but".split())
_SUBJECT_RELATIVES = english.RELATIVES - {"how"}
_MAX_SUBJECT = 16


@dataclass(frozen=True)
class Clause:
    """Subject and predicate. With an auxiliary, `rest` is all that follows it and `verb` is empty."""

    subject: Words
    rest: Words
    verb: str = ""
    aux: str = ""
    adverbs: Words = ()
    past: bool = False
    plural: bool = False

    def asked(self, rest: Words | None = None) -> str:
        """The words after a question word: "does silence give a hesitant speaker"."""
        rest = self.rest if rest is None else rest
        if self.aux:
            return joined((self.aux, *self.subject, *self.adverbs, *rest))
        return joined((self.do, *self.subject, *self.adverbs, self.verb, *rest))

    def told(self, rest: Words | None = None) -> str:
        """The clause as it stands: "silence gives a hesitant speaker"."""
        rest = self.rest if rest is None else rest
        return joined((*self.subject, *self.adverbs, self.finite, *rest))

    def predicate(self) -> str:
        """The predicate as it would follow the question word who or what, which are singular."""
        finite = self.finite
        if self.plural:
            finite = {"are": "is", "were": "was", "have": "has", "do": "does"}.get(self.aux, self.aux)
            finite = finite or (self.finite if self.past else english.third_person(self.verb))
        return joined((*self.adverbs, finite, *self._singular_rest()))

    def _singular_rest(self) -> Words:
        """The rest with a second verb made singular too: "softens a request but looks careless"."""
        if not self.plural or self.aux or self.past:
            return self.rest
        return tuple(
            english.third_person(word) if at > 0 and self.rest[at - 1] == "but" and english.base_of(word, "base") else word
            for at, word in enumerate(self.rest)
        )

    @property
    def finite(self) -> str:
        """The auxiliary, or the verb in the form that goes with the subject."""
        if self.aux:
            return self.aux
        if self.past:
            return english.past(self.verb)
        return self.verb if self.plural else english.third_person(self.verb)

    @property
    def do(self) -> str:
        """The form of do that turns this clause into a question."""
        return "did" if self.past else "do" if self.plural else "does"

    @property
    def doing(self) -> Clause:
        """The same clause with its predicate reduced to "do", to ask what somebody does."""
        if self.aux:
            return replace(self, rest=("do",))
        return replace(self, verb="do", rest=())


@dataclass(frozen=True)
class Statement:
    """A sentence in parts: what stands before the main clause, the clause, and what hangs on behind."""

    clause: Clause
    lead: Words = ()
    tail: Words = ()
    imperative: bool = False


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
    if not (kept or tail) or not _is_plausible(kept):
        return None
    return Statement(replace(clause, rest=kept), lead, tail, imperative)


def _with_nouns_for_ones(words: Words) -> Words:
    """Plain words ... clever ones: the plural noun met last says what the ones are."""
    if "ones" not in words:
        return words
    at = words.index("ones")
    nouns = [word for word in words[:at] if english.is_plural(word) and not english.base_of(word, "s")]
    nouns = nouns or [word for word in words[:at] if english.is_plural(word)]
    if not nouns:
        return words
    noun = nouns[0] if "than" in words[:at] else nouns[-1]
    return (*words[:at], noun, *words[at + 1 :])


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
    opens = follows in english.DETERMINERS | english.PREPOSITIONS | english.SUBORDINATORS | {"yourself", "people"}
    return bool(base) and words[0] == words[0].lower() and (opens or english.is_strong(base))


def parse_clause(words: Words) -> Clause | None:
    """Subject and predicate of a clause without a lead, or None. The present tense is looked for first."""
    at = _main_verb(words, past=False)
    past = at is None
    if at is None:
        at = _main_verb(words, past=True)
    if at is None or at + 1 >= len(words):
        return None
    start = at
    while start > 1 and words[start - 1].lower() in english.PREVERBAL:
        start -= 1
    subject, adverbs, rest = words[:start], words[start:at], words[at + 1 :]
    if "," in subject or not _is_subject(subject):
        return None
    plural = english.number(subject) == "plural"
    word = words[at].lower()
    if _is_auxiliary(words, at):
        return None if adverbs else Clause(subject, rest, aux=word, plural=plural or word in ("are", "were", "have", "do"))
    readings = [english.base_of(word, tense) for tense in ("base", "s", "past")]
    verb = readings[2] if past else readings[0] or readings[1]
    return Clause(subject, rest, verb=verb, adverbs=adverbs, past=past, plural=plural or (not past and word == verb))


def _is_auxiliary(words: Words, at: int) -> bool:
    """Whether the word at that place is is, can, or a has or do that helps another verb."""
    word = words[at].lower()
    if word in english.BE | english.MODALS:
        return True
    after = [w.lower() for w in words[at + 1 :] if not english.is_adverb(w.lower())]
    if word in english.HAVE and after:
        return english.is_participle(after[0])
    if word in english.DO and after:
        return after[0] == "not" or bool(english.base_of(after[0], "base") and after[0] not in english.DETERMINERS)
    return False


def _main_verb(words: Words, *, past: bool) -> int | None:
    """Where the main verb stands. A relative clause inside the subject uses up a verb of its own."""
    pending = 0
    for at, raw in enumerate(words[: _MAX_SUBJECT + 1]):
        word = raw.lower()
        if word in _STOPS:
            break
        if word in _SUBJECT_RELATIVES and (at > 0 or word == "who") or word == "whoever":
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
    if word in english.INDEFINITES or word == "others" or (word in ("no", "at") and before < at - 1):
        return True
    if word == "other" and words[before - 1].lower() == "each":
        return True
    closed = english.DETERMINERS | english.PREPOSITIONS | english.MODALS | english.DO | english.BE | {"to", "and", "or", "not"}
    if word.endswith(("’s", "'s", "s’")) or (word in closed and word not in english.RELATIVES):
        return word in _PARTICLES and bool({"who", "that", "which"} & {w.lower() for w in words[:at]})
    return not english.is_adjective(word) or word in english.PERSONS


_PARTICLES = frozenset("up on in off out over about for with at".split())


def _strength(words: Words, at: int, *, past: bool) -> str:
    word = words[at].lower()
    if word in english.AUXILIARIES:
        return "strong"
    found = english.base_of(word, "base") or english.base_of(word, "s") or (past and english.base_of(word, "past"))
    if not found:
        return ""
    return "strong" if english.is_strong(found) else "weak"


def _agrees(subject: Words, word: str, past: bool) -> bool:
    number = english.number(subject)
    if word in english.MODALS or word in ("did", "had"):
        return True
    if word in ("was", "were"):
        return number in ("any", "singular" if word == "was" else "plural")
    if past:
        return bool(english.base_of(word, "past"))
    singular = word in ("is", "has", "does") or bool(english.base_of(word, "s"))
    return number == "any" or number == ("singular" if singular else "plural")


def _stands_after_a_noun(words: Words, at: int) -> bool:
    """Whether a word that is often a noun follows its subject, and is no part of it: "vague requests cause", "the joint force"."""
    before = words[at - 1].lower()
    if before.endswith("ing") and at > 1:
        return False
    plural_form = bool(english.base_of(words[at], "base"))
    return not plural_form or english.is_plural(before) or english.is_adverb(before) or before[0] in "“\"" or before[-1] in "”\""


def _continues(words: Words, at: int) -> bool:
    """Whether what follows shows that a verb stands here: an article, a preposition, an adverb, a quotation."""
    if at + 1 >= len(words):
        return False
    after = words[at + 1].lower()
    clear = english.DETERMINERS | english.PREPOSITIONS | english.SUBORDINATORS | english.THIRD_PERSON | english.INDEFINITES
    if after in clear or english.is_adverb(after) or after[0] in "“\"" or after in ("people", "you"):
        return True
    if english.is_adjective(after) or english.is_gerund(after) or after in english.COMPARATIVES:
        return True
    return bool(english.base_of(words[at], "base")) and english.is_plural(after)


def _is_doubtful(words: Words, at: int) -> bool:
    """A past form may be a participle: "a message sent at midnight woke him"."""
    word = words[at].lower()
    if word in english.AUXILIARIES:
        return False
    rest = [w.lower() for w in words[at + 1 :]]
    return "by" in rest[:1] or any(
        w in english.AUXILIARIES or english.base_of(w, "past") for w in rest if w not in ("had",)
    )


def _is_subject(words: Words) -> bool:
    low = [word.lower() for word in words]
    if low[0] in english.THIRD_PERSON | english.FIRST_PERSON | english.DEMONSTRATIVES | {"there", "here", "and", "but"}:
        return False
    if low[0] in english.PREPOSITIONS or (low[0] in english.SUBORDINATORS and low[0] not in ("whoever", "what")):
        return False
    if english.is_adverb(low[0]) or len(words) == 1 and english.is_adjective(low[0]):
        return False
    return any(word not in english.DETERMINERS | english.PREPOSITIONS for word in low)


def _is_plausible(rest: Words) -> bool:
    """Whether every helping verb in the rest has a word before it that opens a clause."""
    opened = False
    low = [word.lower() for word in rest]
    if low[:1] == [","] or ("not" in low and low[low.index("not") + 1 :][:1] == ["only"]):
        return False
    for at, word in enumerate(low):
        opened = opened and word != ","
        opened = opened or word in english.SUBORDINATORS | english.SUBJECT_PRONOUNS | {"and", "but", "that", "or"}
        if word in english.BE | english.MODALS | english.DO and at > 0 and not opened:
            return False
    return True


def _gerund_next(low: list[str], at: int) -> bool:
    return at + 1 < len(low) and low[at + 1].endswith("ing") and english.is_gerund(low[at + 1])


def _clause_next(low: list[str], at: int) -> bool:
    """Whether a whole clause or a gerund follows, and not only a noun as in "after an answer"."""
    if _gerund_next(low, at):
        return True
    after = tuple(low[at + 1 :])
    return bool(after) and (after[0] in english.SUBJECT_PRONOUNS or parse_clause(after) is not None)


def _opens_clause(low: list[str], at: int) -> bool:
    """Whether ", and" or ", but" joins a clause with a subject of its own, and not a last item or a second verb."""
    return low[at] not in ("and", "or", "but") or parse_clause(tuple(low[at + 1 :])) is not None


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
    "when": lambda low, at: True,
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
