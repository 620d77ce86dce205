"""Parts a plain English clause into subject and predicate, and puts it into the order of a question."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_sentences import Words, joined
from pipeline.teacher.embedded.document_verbs import is_auxiliary, main_verb


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
            english.third_person(word)
            if at > 0 and self.rest[at - 1] == "but" and english.base_of(word, "base")
            else word
            for at, word in enumerate(self.rest)
        )

    @property
    def is_person(self) -> bool:
        """Whether the subject is somebody, so that a question asks who."""
        return "who" in self.subject or english.is_person(english.head(self.subject)[-1])

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


def parse_clause(words: Words) -> Clause | None:
    """Subject and predicate of a clause without a lead, or None. The present tense is looked for first."""
    at = main_verb(words, past=False)
    past = at is None
    if at is None:
        at = main_verb(words, past=True)
    if at is None or at + 1 >= len(words):
        return None
    start = at
    while start > 1 and words[start - 1].lower() in lexicon.PREVERBAL:
        start -= 1
    subject, adverbs, rest = words[:start], words[start:at], words[at + 1 :]
    if "," in subject or not _is_subject(subject):
        return None
    plural = english.number(subject) == "plural"
    word = words[at].lower()
    if is_auxiliary(words, at):
        return (
            None if adverbs else Clause(subject, rest, aux=word, plural=plural or word in ("are", "were", "have", "do"))
        )
    readings = [english.base_of(word, tense) for tense in ("base", "s", "past")]
    verb = readings[2] if past else readings[0] or readings[1]
    return Clause(subject, rest, verb=verb, adverbs=adverbs, past=past, plural=plural or (not past and word == verb))


def _is_subject(words: Words) -> bool:
    low = [word.lower() for word in words]
    if low[0] in lexicon.THIRD_PERSON | lexicon.FIRST_PERSON | lexicon.DEMONSTRATIVES | {"here", "and", "but", "not"}:
        return False
    if "there" in low:
        return False
    if low[0] in lexicon.PREPOSITIONS or (low[0] in lexicon.SUBORDINATORS and low[0] not in ("whoever", "what")):
        return False
    if english.is_adverb(low[0]) or (len(words) == 1 and english.is_adjective(low[0])):
        return False
    if not english.is_gerund(low[0]) and any(_starts_anew(low, at) for at in range(1, len(low))):
        return False
    return any(word not in lexicon.DETERMINERS | lexicon.PREPOSITIONS for word in low)


def _starts_anew(low: list[str], at: int) -> bool:
    """Whether a noun phrase begins where none can: "adaptability impacts the way people work" hides a verb."""
    if low[at] not in lexicon.ARTICLES | lexicon.POSSESSIVES:
        return False
    opens = lexicon.PREPOSITIONS | lexicon.SUBORDINATORS | lexicon.QUANTIFIERS | {"and", "or", "not", "to"}
    return (
        low[at - 1] not in opens and not (set(low[:at]) & lexicon.RELATIVES) and not low[at - 1].endswith(("ing", "ed"))
    )
