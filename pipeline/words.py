"""Words of a question: which carry its content, and when two questions are the same but for trifles.

Likeness knows English function words only: in other languages every word counts as content, so fewer questions
are called alike and none is called alike wrongly. Whether a question names anything is asked of more languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio

from pipeline.records import normalised

# Question words and negations are left out on purpose: "why" is not "how", "is" is not "is not".
_FUNCTION_WORDS = frozenset(
    """a an the and or but if of in on at to for from by with about as into than then so that this these those it its
    is are was were be been being am do does did done has have had having will would shall should can could may might
    must i you he she we they me him her us them my your his our their one ones someone somebody anyone please tell
    explain say describe know there here just really actually exactly simply also too very some any""".split()
)
_QUESTION_WORDS = frozenset("what which who whom whose when where why how".split())


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry the content, in order, normalised; question words among them."""
    return tuple(word for word in normalised(text).split() if word not in _FUNCTION_WORDS)


def subject_words(text: str) -> frozenset[str]:
    """Crude stems of the content words less the question words: what a question is about."""
    return frozenset(_stem(word) for word in content_words(text) if word not in _QUESTION_WORDS)


# Words that a question in the language may hold without naming anything. Of Chinese and Japanese, characters.
_EMPTY = {
    "de": """was wer wen wem wessen wie wo wann warum wieso weshalb welche welcher welches welchen woher wohin ist sind
    war waren wird werden hat haben kann können soll sollen muss müssen darf dürfen tut tun das dies dieses
    diese dieser der die den dem des ein eine es er sie ihn ihm ihr ihnen wir du man hier dort da denn so und
    oder nicht für mit von zu bei auf in an über damit dafür davon dazu also""",
    "es": """qué que quién quien quiénes cuál cuáles cómo cuándo dónde adónde por para cuánto cuánta cuántos cuántas es
    son fue era eran será está están hay ha han tiene tienen hace hacen puede pueden debe deben esto eso aquello
    este esta ese esa estos estas el la los las lo un una ello él ella ellos ellas se le les me te de en con a y
    o no aquí allí así""",
    "fr": """que quoi qui quel quelle quels quelles comment quand où pourquoi combien est sont était a ont fait font
    peut peuvent doit doivent ce cela ça c celui celle ceux celles il elle ils elles on le la les l un une de du des
    en y à et ou ne pas n qu ici là ainsi cette cet ces est-ce qu'est-ce c'est""",
    "it": """che cosa chi quale quali come quando dove perché quanto quanta quanti quante è sono era erano ha hanno fa
    fanno può possono deve devono questo questa quello quella ciò esso essa lui lei loro lo la il i gli le un
    una di a da in con per e o non qui lì così si""",
    "pt": """o que quem qual quais como quando onde por porque porquê quanto quanta quantos quantas é são foi era eram
    está tem têm faz fazem pode podem deve devem isto isso aquilo este esta esse essa ele ela eles elas a os as
    um uma de em com para e ou não aqui ali assim se""",
    "nl": """wat wie waar wanneer waarom hoe welke welk hoeveel is zijn was waren wordt worden heeft hebben kan kunnen
    moet moeten doet doen dit dat deze die het de een hij zij ze er hier daar zo en of niet voor met van te op
    in aan""",
    "ar": """ما ماذا من متى أين كيف لماذا لم هل كم أي هو هي هم هذا هذه ذلك تلك هؤلاء يكون تكون كان كانت في على عن إلى و
    أو لا كذلك""",
    "zh": "这 那 它 他 她 们 是 什 么 的 吗 呢 为 何 怎 样 哪 里 谁 有 会 能 可 以 在 了 个 些",
    "ja": "こ れ そ あ ど の 何 な に は が を で も か す ま た い つ 誰 だ う",
}
_EMPTY_WORDS = {language: frozenset(words.split()) for language, words in _EMPTY.items()}


def names_nothing(question: str, language: str) -> bool:
    """Whether a question holds nothing but function words: "What is it?", "¿Qué es eso?", "这是什么？".

    False in a language whose function words are not known here.
    """
    if language == "en":
        return not subject_words(question)
    empty = _EMPTY_WORDS.get(language)
    if empty is None:
        return False
    text = normalised(question)
    return empty.issuperset(text.replace(" ", "") if language in ("zh", "ja") else text.split())


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def same_word(one: str, other: str) -> bool:
    """Equal, or a slip of one letter inside a long word; numbers only if equal."""
    if one == other:
        return True
    if min(len(one), len(other)) < 6 or one[0] != other[0] or re.search(r"\d", one + other):
        return False
    return Levenshtein.distance(one, other, score_cutoff=1) <= 1


def alike(one: str, other: str, threshold: float) -> bool:
    """The same question but for spelling slips and function words.

    `threshold` is the least Indel ratio (0 to 100) of the normalised texts. Above it they still differ
    if any content word or number does ("limit for A?", "limit for B?"), or if the order of these does:
    no similarity alone tells a near-duplicate from a minimal pair.
    """
    first, second = normalised(one), normalised(other)
    if first == second:
        return True
    if ratio(first, second, score_cutoff=threshold) < threshold:
        return False
    left, right = content_words(one), content_words(other)
    return len(left) == len(right) and all(map(same_word, left, right))


TRIFLES: dict[str, frozenset[str]] = {"en": frozenset("a an the please really actually exactly simply".split())}
"""By language. Prepositions, auxiliaries and `and` are none: may is not must, to Word is not from Word."""


def bare(question: str, language: str = "en") -> str:
    """The question less what nobody would miss. Two with the same bare text ask the same."""
    return less_trifles(normalised(question), question, language)


def less_trifles(plain: str, question: str, language: str) -> str:
    """`bare` of a question whose normalised form is `plain`.

    A capital A inside the question is a name (grade A, vitamin A), not an article.
    """
    trifles = TRIFLES.get(language)
    if trifles is None or not plain.isascii():  # a Spanish a is a preposition, whatever the recipe's language
        return plain
    if " A" in question and re.search(r" A\b", question):
        trifles = trifles - {"a"}
    kept = [word for word in plain.split() if word not in trifles]
    if "one" in kept:
        kept = ["you" if word == "one" else word for word in kept]
    return " ".join(kept) or plain


class Questions:
    """Questions by name; each is found again by one that differs from it in trifles only."""

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._names: dict[str, str] = {}

    def add(self, name: str, question: str) -> None:
        """Remember a question under a name, unless one like it is known."""
        self._names.setdefault(bare(question, self._language), name)

    def like(self, question: str) -> str | None:
        """Name of the first question added that is this one but for trifles; None if there is none."""
        return self._names.get(bare(question, self._language))


class AlikeQuestions:
    """An index of questions that finds those `alike` to another.

    Candidates share all content words, or all but one of them; each is then compared exactly, so the
    index decides nothing itself.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._known: list[tuple[str, str]] = []
        self._blocks: dict[int, int | list[int]] = {}
        """Hash of the words to the places of the questions that have them; most have one, and a list takes room."""

    def add(self, name: str, question: str) -> None:
        """Remember a question under a name."""
        place = len(self._known)
        for key in _keys(question):
            block = self._blocks.setdefault(key, place)
            if isinstance(block, list):
                block.append(place)
            elif block != place:
                self._blocks[key] = [block, place]
        self._known.append((name, question))

    def like(self, question: str) -> tuple[str, str] | None:
        """Name and text of the first question added that is alike to this one; None if there is none."""
        return next(self.every_like(question), None)

    def every_like(self, question: str) -> Iterator[tuple[str, str]]:
        """Name and text of every question that is alike to this one, in the order added."""
        candidates: set[int] = set()
        for key in _keys(question):
            block = self._blocks.get(key, ())
            candidates.update((block,) if isinstance(block, int) else block)
        for place in sorted(candidates):
            if alike(question, self._known[place][1], self._threshold):
                yield self._known[place]


def _keys(question: str) -> Iterable[int]:
    words = content_words(question)
    yield hash(words)
    if len(words) >= 3:
        for index in range(len(words)):
            yield hash((*words[:index], "", *words[index + 1 :]))
