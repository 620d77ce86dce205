"""How questions and answers are written, measured: their lengths, and whether answers explain, list, or show code.

A student learns the manner of what it is trained on beside the matter: a set of bare results makes it curt. So what a
mix changes is measured on the answered rows of train.jsonl, without and with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.constraints import count_words
from pipeline.curate.diversity import Spread, opening_of, spread_of
from pipeline.curate.frequent import Frequent
from pipeline.curate.triggers import Patterns

_EXPLAINS = {
    "en": r"""because|therefore|thus|hence|so that|due to|as a result|(?:this|that|which) (?:is why|means)|the reason
    in other words|for (?:example|instance)|step by step|first\b.{0,400}\b(?:then|second|next)|(?:^|[,.;!?]\s+)so""",
    "de": r"""weil|denn|daher|deshalb|deswegen|darum|somit|sodass|dadurch|das heißt|zum beispiel
    zuerst\b.{0,400}\bdann""",
    "es": r"""porque|por lo tanto|por eso|ya que|debido a|así que|es decir|por ejemplo
    primero\b.{0,400}\b(?:luego|después)""",
    "fr": r"""parce qu|car|donc|c['’]est pourquoi|puisque|c['’]est-à-dire|par exemple
    d['’]abord\b.{0,400}\b(?:ensuite|puis)""",
    "it": r"""perché|poiché|quindi|perciò|dunque|cioè|per esempio|ad esempio
    prima\b.{0,400}\bpoi""",
    "pt": r"""porque|pois|portanto|por isso|ou seja|por exemplo
    primeiro\b.{0,400}\bdepois""",
    "nl": r"""omdat|want|daarom|dus|doordat|zodat|dat wil zeggen|bijvoorbeeld
    eerst\b.{0,400}\bdan""",
    "zh": r"因为|因此|所以|由于|例如|比如|首先.{0,200}(?:然后|其次)",
}
"""Words by which an answer gives reasons, steps or examples, by language: regular expressions, some a line."""
_LIST = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+\S", re.MULTILINE)
_CURT = 3
"""Words of an answer that says its result and nothing else."""
_OPENING_SHARE = 0.01
_HEAD = 100
"""Characters that hold the words an answer begins with."""
_SHOWN = 3
_LENGTHS = 1.5
"""A median so many times another is another manner."""
_POINTS = 0.15
"""And so is a share this far from another."""
_SHARES = {"explain": "that explain", "curt": "of three words or fewer", "lists": "with lists", "code": "with code"}
"""Fields of a style that are shares of answers, and how a sentence names them."""


class Opening(BaseModel):
    """Words that answers begin with, and the share of them that do."""

    model_config = ConfigDict(frozen=True)

    words: str
    share: float


class Style(BaseModel):
    """What was measured of some answered rows; each share is one of answers."""

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    question_words: Spread = Spread()
    answer_words: Spread = Spread()
    explain: float | None = Field(default=None, description="give reasons, steps or examples; null: unknown language")
    curt: float = Field(default=0.0, description="of three words or fewer")
    lists: float = Field(default=0.0, description="hold a list of two items or more")
    code: float = Field(default=0.0, description="show code between fences")
    openings: tuple[Opening, ...] = ()


class Measured(NamedTuple):
    """One row."""

    question_words: int
    answer_words: int
    explains: bool | None
    has_list: bool
    has_code: bool
    opening: tuple[str, ...]
    """Of the answer; none if it is too short."""


class Measure:
    """Measures rows in a language."""

    def __init__(self, language: str) -> None:
        lines = [line.strip() for line in _EXPLAINS.get(language, "").split("\n") if line]
        whole = "(?s:{})" if language == "zh" else r"(?s:\b(?:{})\b)"
        self._explains = Patterns(map(whole.format, lines)) if lines else None

    def of(self, question: str, answer: str) -> Measured:
        """What can be told of a question and its answer."""
        return Measured(
            count_words(question),
            count_words(answer),
            bool(self._explains.search(answer)) if self._explains else None,
            "\n" in answer and len(_LIST.findall(answer)) > 1,
            "```" in answer,
            tuple(opening_of(answer[:_HEAD])),
        )


class Tally:
    """Counts over the rows so far. What is held does not grow with them."""

    def __init__(self) -> None:
        self._question_words: Counter[int] = Counter()
        self._answer_words: Counter[int] = Counter()
        self._shares: Counter[str] = Counter()
        self._told = False
        self._openings: Frequent[str] = Frequent(_OPENING_SHARE)

    def add(self, row: Measured) -> None:
        """A row."""
        self._question_words[row.question_words] += 1
        self._answer_words[row.answer_words] += 1
        self._openings.add(row.opening)
        self._told |= row.explains is not None
        self._shares["explain"] += bool(row.explains)
        self._shares["curt"] += row.answer_words <= _CURT
        self._shares["lists"] += row.has_list
        self._shares["code"] += row.has_code

    def style(self) -> Style:
        """What the counts say."""
        rows = self._answer_words.total()
        share = {name: round(count / max(rows, 1), 4) for name, count in self._shares.items()}
        common = self._openings.most_common(_SHOWN)
        return Style(
            rows=rows,
            question_words=spread_of(self._question_words),
            answer_words=spread_of(self._answer_words),
            explain=share.get("explain") if self._told else None,
            curt=share.get("curt", 0.0),
            lists=share.get("lists", 0.0),
            code=share.get("code", 0.0),
            openings=tuple(Opening(words=words, share=round(count / rows, 4)) for words, count in common),
        )


class Drift(BaseModel):
    """The answered rows of train.jsonl without the mix, with it, and each set by itself."""

    model_config = ConfigDict(frozen=True)

    own: Style
    mixed: Style
    sets: Mapping[str, Style]

    def table(self) -> list[tuple[str, ...]]:
        """A head and a row for each of the three: what a person compares."""
        head = ("", "rows", "words of a question", "words of an answer", "explain", "curt", "lists", "code", "begin")
        sets = [(name, style) for name, style in self.sets.items() if style.rows]
        named = [("without the mix", self.own), ("with it", self.mixed), *sets]
        return [head, *((name, *_cells(style)) for name, style in named)]

    def lines(self) -> list[str]:
        """The same for the run."""
        named = (("answered rows without the mix", self.own), ("with it", self.mixed))
        return [f"style     {style.rows:>6}   {name}: {_told(style)}" for name, style in named]

    def warnings(self) -> Iterator[str]:
        """How far the mix moves the manner of the whole."""
        if not self.own.rows:
            return
        for what, own, mixed in (
            ("questions", self.own.question_words, self.mixed.question_words),
            ("answers", self.own.answer_words, self.mixed.answer_words),
        ):
            low, high = sorted((max(own.median, 1), max(mixed.median, 1)))
            if high > _LENGTHS * low:
                turned = "longer" if mixed.median > own.median else "shorter"
                yield f"the mix makes {what} {turned}: a median of {own.median} words without it, {mixed.median} with"
        for name, said in _SHARES.items():
            before, after = getattr(self.own, name), getattr(self.mixed, name)
            if before is not None and after is not None and abs(after - before) >= _POINTS:
                yield f"the mix changes the share of answers {said}: {before:.0%} without it, {after:.0%} with it"


def _cells(style: Style) -> tuple[str, ...]:
    opening = f"{style.openings[0].words!r} {style.openings[0].share:.1%}" if style.openings else ""
    shares = (style.explain, style.curt, style.lists, style.code)
    told = ("not told" if share is None else f"{share:.0%}" for share in shares)
    return str(style.rows), str(style.question_words), str(style.answer_words), *told, opening


def _told(style: Style) -> str:
    _, questions, answers, explain, curt, lists, code, opening = _cells(style)
    begin = f", the most begin {opening}" if opening else ""
    return (
        f"questions of {questions} words, answers of {answers}; {explain} explain, {curt} are curt,"
        f" {lists} hold lists, {code} code{begin}"
    )
