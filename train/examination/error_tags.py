"""What is wrong with an answer, in words for a count: tags that a program can find, none of which needs a judge."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from rapidfuzz.distance import OSA

from pipeline.publish.schema import Row
from train.examination import metrics
from train.generation import Answer

TAGS_IN_WORDS = {
    "empty": "nothing was said",
    "answered": "should have been refused, and was answered",
    "refused": "has an answer, and was refused",
    "partial_refusal": "holds the refusal sentence beside other text, or twice",
    "another_fact": "is word for word the answer to another question of the dataset",
    "truncated": "did not end by itself and was cut at the limit",
    "repetitive": "says a run of words again: a fifth of its four-word runs, or a third of it in one piece",
    "too_long": "has twice the words of the expected answer, and five more at least",
    "too_short": "has half the words of the expected answer, and five fewer at least",
    "misspelt": "holds a word that the dataset has not, a slip away from one that it has",
    "off_language": "reads like another language than the dataset's",
    "invented_number": "names a number that stands in no text of its question",
    "leaked_prompt": "holds the frame that questions are put in",
}
"""Every tag with what it says; an answer may have several."""

_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ENDINGS = ("s", "es", "ed", "d", "ing", "ly", "er", "'s", "’s", "n", "en", "e")
"""A known word with another ending is a form of it and no slip."""
_SHORTEST = 4
_LONG = 8
_FEWEST_PLAIN = 6
_SURE = 0.95


class ErrorTags:
    """Knows the words, answers and language of one dataset, and tags wrong answers by them."""

    def __init__(self, rows: Iterable[Row], refusals: Iterable[str], frame: str, language: str) -> None:
        """`frame` is the prompt format, `language` the recipe's; empty if the manifest does not say."""
        self._refusals = tuple(refusals)
        self._language = language
        self._frames = [part.strip() for part in re.split(r"\{\w*\}", frame) if len(part.strip()) > 2]
        self._known: set[str] = set()
        self._answers: set[str] = set()
        for row in rows:
            for text in (row.answer, row.quote, row.context, row.question if not row.typo_of else ""):
                self._known.update(_words(text))
            if not row.refusal:
                self._answers.add(metrics.normalised(row.answer))
        self._by_initial: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._known):
            self._by_initial[word[0]].append(word)
        self._is_slip = lru_cache(maxsize=None)(self._slip_of_a_known_word)

    def of(self, row: Row, answer: Answer) -> tuple[str, ...]:
        """The tags of an answer that is not right, in the order of the table."""
        return tuple(self._found(row, answer))

    def _found(self, row: Row, answer: Answer) -> Iterator[str]:
        text = answer.text
        said, wanted = metrics.words_of(text), metrics.words_of(row.answer)
        refusing = metrics.refusing(text, self._refusals)
        foreign = self._off_language(text)
        found = {
            "empty": not said,
            "answered": row.refusal and bool(said) and refusing == "no",
            "refused": not row.refusal and refusing == "full",
            "partial_refusal": refusing == "partial",
            "another_fact": refusing == "no" and said != wanted and metrics.normalised(text) in self._answers,
            "truncated": answer.stopped_by == "limit",
            "repetitive": metrics.repetition(text) >= 1 / 5
            or (metrics.longest_repeat(text) >= 1 / 3 and len(said) > 5),
            "too_long": len(said) >= max(2 * len(wanted), len(wanted) + 5),
            "too_short": refusing != "full" and bool(said) and len(said) <= min(len(wanted) / 2, len(wanted) - 5),
            "misspelt": not foreign and self._misspelt(row, text),
            "off_language": foreign,
            "invented_number": self._invented(row, text),
            "leaked_prompt": any(frame in text for frame in self._frames),
        }
        return (tag for tag in TAGS_IN_WORDS if found[tag])

    def _misspelt(self, row: Row, text: str) -> bool:
        unknown = set(_words(text)) - self._known - set(_words(row.question))
        return any(self._is_slip(word) for word in sorted(unknown) if len(word) >= _SHORTEST)

    def _slip_of_a_known_word(self, word: str) -> bool:
        """One slip away (two in a long word) from a known word of the same first letter, and no form of one."""
        most = 2 if len(word) >= _LONG else 1
        near = [
            known
            for known in self._by_initial.get(word[0], ())
            if abs(len(known) - len(word)) <= most and OSA.distance(known, word, score_cutoff=most) <= most
        ]
        return bool(near) and not any(_forms_of_one(word, known) for known in near)

    def _off_language(self, text: str) -> bool:
        plain = [word for word in text.split()[1:] if word.isalpha() and word.islower()]
        if not self._language or len(plain) < _FEWEST_PLAIN:
            return False
        # A text of the dataset's own words is in its language, whatever a detector makes of a few of them.
        if sum(word in self._known for word in plain) >= len(plain) / 2:
            return False
        language, sure = _detector().classify(" ".join(plain))
        return bool(language != self._language and sure >= _SURE)

    @staticmethod
    def _invented(row: Row, text: str) -> bool:
        given = {
            number
            for source in (row.question, row.answer, row.quote, row.context, *row.earlier)
            for number in metrics.numbers_in(source)
        }
        return any(number not in given for number in metrics.numbers_in(text))


def _says_again(text: str) -> bool:
    return metrics.repetition(text) >= 1 / 5 or metrics.longest_repeat(text) >= 1 / 3


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _LETTERS.findall(text)]


def _forms_of_one(word: str, known: str) -> bool:
    """Whether two words differ in their ending only."""
    stem = 0
    while stem < min(len(word), len(known)) and word[stem] == known[stem]:
        stem += 1
    tails = {word[stem:], known[stem:]}
    return stem >= 3 and tails <= {"", *_ENDINGS, "y", "ies", "ied"}


@lru_cache(maxsize=1)
def _detector() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
