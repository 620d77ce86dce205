"""How English words change and what they are: enough to turn a plain sentence into a question about it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from pipeline.teacher.embedded import document_lexicon as lexicon

Tense = Literal["base", "s", "past", "ing"]
_ADJECTIVE_ENDINGS = ("ful", "ous", "less", "able", "ible")
_IRREGULAR = {
    "arise": "arose arisen", "be": "was been", "become": "became become", "begin": "began begun",
    "bind": "bound bound", "break": "broke broken", "bring": "brought brought", "build": "built built",
    "buy": "bought bought", "catch": "caught caught", "choose": "chose chosen", "come": "came come",
    "cost": "cost cost", "deal": "dealt dealt", "do": "did done", "draw": "drew drawn", "drive": "drove driven",
    "eat": "ate eaten", "fall": "fell fallen", "feel": "felt felt", "fight": "fought fought", "find": "found found",
    "forbid": "forbade forbidden", "foresee": "foresaw foreseen", "forget": "forgot forgotten",
    "forgive": "forgave forgiven", "get": "got got", "give": "gave given", "go": "went gone", "grow": "grew grown",
    "have": "had had", "hear": "heard heard", "hide": "hid hidden", "hold": "held held", "hurt": "hurt hurt",
    "keep": "kept kept", "knit": "knit knit", "know": "knew known", "lay": "laid laid", "lead": "led led",
    "leave": "left left", "let": "let let", "lie": "lay lain", "lose": "lost lost", "make": "made made",
    "mean": "meant meant", "meet": "met met", "mistake": "mistook mistaken", "overcome": "overcame overcome",
    "oversee": "oversaw overseen", "pay": "paid paid", "put": "put put", "read": "read read",
    "rebuild": "rebuilt rebuilt", "repay": "repaid repaid", "rise": "rose risen", "run": "ran run",
    "say": "said said", "see": "saw seen", "seek": "sought sought", "sell": "sold sold", "send": "sent sent",
    "show": "showed shown", "shut": "shut shut", "sit": "sat sat", "speak": "spoke spoken", "spend": "spent spent",
    "spread": "spread spread", "stand": "stood stood", "strike": "struck struck", "strive": "strove striven",
    "swim": "swam swum", "take": "took taken", "teach": "taught taught", "tell": "told told",
    "think": "thought thought", "throw": "threw thrown", "undergo": "underwent undergone",
    "understand": "understood understood", "undertake": "undertook undertaken", "uphold": "upheld upheld",
    "upset": "upset upset", "wear": "wore worn", "win": "won won", "withdraw": "withdrew withdrawn",
    "withhold": "withheld withheld", "write": "wrote written",
}  # fmt: skip
_DOUBLING = lexicon.words(
    "admit begin get let omit permit plan put refer run shut sit slam stop stem spot trigger nod sum win"
)


def third_person(base: str) -> str:
    """The form after he or she: carry, carries; do, does; have, has."""
    if base in ("have", "be"):
        return {"have": "has", "be": "is"}[base]
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ies"
    return base + ("es" if re.search(r"(s|x|z|ch|sh|o)$", base) else "s")


def gerund(base: str) -> str:
    """The form in -ing: make, making; stop, stopping; lie, lying."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + (base[-1] if base in _DOUBLING else "") + "ing"


def past(base: str) -> str:
    """The simple past: carry, carried; give, gave."""
    if base in _IRREGULAR:
        return _IRREGULAR[base].split()[0]
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    return base + (base[-1] if base in _DOUBLING else "") + "ed"


@lru_cache(maxsize=1)
def _forms() -> dict[str, tuple[tuple[str, Tense], ...]]:
    table: dict[str, list[tuple[str, Tense]]] = {}

    def note(form: str, base: str, tense: Tense) -> None:
        table.setdefault(form, []).append((base, tense))

    for base in sorted(lexicon.VERBS | {"have", "do"}):
        note(base, base, "base")
        note(third_person(base), base, "s")
        note(gerund(base), base, "ing")
        note(past(base), base, "past")
    return {form: tuple(readings) for form, readings in table.items()}


PARTICIPLES = frozenset(pair.split()[1] for pair in _IRREGULAR.values())


def base_of(form: str, tense: Tense) -> str:
    """The base form of a verb met as `form` in that tense, or "" if no known verb looks like that."""
    return next((base for base, found in _forms().get(form.lower(), ()) if found == tense), "")


def is_strong(base: str) -> bool:
    """Whether the word is a verb wherever it could be one."""
    return base in lexicon.STRONG_VERBS - lexicon.WEAK_VERBS or base in ("have", "do")


def is_participle(word: str) -> bool:
    """Whether the word can follow has or is: given, asked, overlooked."""
    return word in PARTICIPLES or (word.endswith("ed") and len(word) > 3)


def is_gerund(word: str) -> bool:
    """Whether the word is the -ing form of a verb we know."""
    return bool(base_of(word, "ing"))


def is_adjective(word: str) -> bool:
    """Whether the word is an adjective more often than a noun or verb."""
    return word in lexicon.ADJECTIVES or (len(word) > 6 and word.endswith(_ADJECTIVE_ENDINGS))


def is_adverb(word: str) -> bool:
    """Whether the word may stand between a subject and its verb."""
    return word in lexicon.ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in lexicon.ADJECTIVES)


def is_plural(noun: str) -> bool:
    """Whether the noun takes a verb without -s."""
    word = noun.lower().replace("’", "'")
    if noun.isupper() or word.endswith(("ics", "sis", "xis")):
        return False
    if word in lexicon.IRREGULAR_PLURALS:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "'s")) and word not in lexicon.SINGULAR_IN_S


def is_person(noun: str) -> bool:
    """Whether a question about the noun asks who, not what."""
    word = noun.lower()
    if re.search(r"(?:[aeiou]l|[a-z][^l])ists?$|icians?$", word) and not re.search(
        r"(?:check|^)lists?$|^(?:ex|cons|res|ins|ass|pers|w|tw|wa|wr)ists?$", word
    ):
        return True
    return word in lexicon.PERSONS or (word.endswith("s") and word[:-1] in lexicon.PERSONS)


_POST_MODIFIERS = lexicon.PREPOSITIONS | lexicon.RELATIVES | {"such", ","}


def head(subject: tuple[str, ...]) -> list[str]:
    """The words of a subject up to what modifies its noun from behind; the noun is the last of them."""
    low = [word.lower() for word in subject]
    ends = (at for at, word in enumerate(low) if at > 0 and (word in _POST_MODIFIERS or word in _REDUCED))
    kept = list(subject[: next(ends, len(low))])
    return [word for word in kept if not is_adverb(word.lower()) and word[0] not in '“"'] or kept[:1]


_REDUCED = lexicon.words("left sent made")
"""Participles that open a shortened relative clause: "notes left on a fridge"."""


def number(subject: tuple[str, ...]) -> Literal["singular", "plural", "any"]:
    """Whether the verb after this subject is singular or plural; "any" where the words do not tell."""
    words = head(subject)
    first, noun = words[0].lower(), words[-1]
    if first in lexicon.INDEFINITES or first in ("each", "every"):
        return "singular"
    if first == "you" or "and" in words:
        return "plural"
    if is_gerund(first) and len(words) > 1:
        return "any" if len(words) == 2 and is_plural(noun) else "singular"
    if len(words) == 1 and is_adjective(first):
        return "any"
    return "plural" if is_plural(noun) or noun in ("many", "few", "most", "some", "others") else "singular"
