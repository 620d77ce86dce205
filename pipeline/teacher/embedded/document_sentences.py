"""A passage taken apart into the sentences, list items and table rows that may state a fact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.teacher.embedded import document_lexicon as lexicon

_END = re.compile(r"[.!?][.!?”\"’')\]]*(?=\s+[“\"‘'(\[]?[A-Z0-9]|\s*$)")
_MARKER = re.compile(r"(?:(\d{1,3})[.)]|[•‣▪◦*–-])\s+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|No|Nos|Sec|Fig|cf|al|approx|Inc|Ltd|Co|pp?|ed|vol|Gen|Col|Capt)|"
    r"\b[A-Za-z]|e\.g|i\.e)\.$"
)
_TOKEN = re.compile(r"[“\"][^”\"]*[”\"]|[^\s“”\"]*[^\s,;:“”\"]|[,;:]")
# Words that English text is full of, and words that its neighbours are full of but English is not.
_ENGLISH = frozenset(
    "a in on no how before people often while other the of and to is that for are it with as by be this from or an "
    "not have has can should when which who they you their your but more than if because what one do does will may "
    "must at about before after into was were".split()
)
_FOREIGN = frozenset(
    "der die das und ist nicht ein eine den dem zu mit von sich auf für le la les des et est une du dans pour que qui "
    "el los las y es por con del se una un il lo che di della sono per het een van niet zijn dat op os da em na não "
    "uma och att det som är på av og til ikke jest nie się na że w".split()
)
Words = tuple[str, ...]
"""A clause or phrase, token by token; a quotation is one token."""


@dataclass(frozen=True)
class Sentence:
    """A verbatim slice of the passage that ends like a sentence; `number` is its place in a numbered list."""

    text: str
    item: bool = False
    number: int = 0
    lead: str = ""
    """The line before the list, which says what its items are."""


@dataclass(frozen=True)
class TableRow:
    """A line of a table with the names of its columns."""

    text: str
    cells: tuple[str, ...]
    columns: tuple[str, ...]


def is_english(text: str) -> bool:
    """Whether the words that hold sentences together are English ones."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    ours = sum(word in _ENGLISH for word in words)
    theirs = sum(word in _FOREIGN for word in words)
    return ours > 2 * theirs and ours >= 0.12 * len(words)


def sentences(passage: str) -> Iterator[Sentence]:
    """The sentences and list items of a passage in order, table rows and unfinished lines left out."""
    lead = ""
    for line in re.split(r"[\n\r\u2028\u2029]+", passage):
        if " | " in line or line.strip().startswith("|"):
            continue
        marker = _MARKER.match(line.lstrip())
        if not marker:
            lead = line.strip()
            yield from (Sentence(text) for text in _split(line))
            continue
        body = line.lstrip()[marker.end() :].strip()
        number = int(marker[1] or 0)
        parts = [body] if named_item(body) else list(_split(body))
        yield from (Sentence(text, True, number, lead) for text in parts)


def table_rows(passage: str) -> Iterator[TableRow]:
    """The rows of the tables in a passage below their heading row, where every row has as many cells as that."""
    columns: tuple[str, ...] = ()
    for line in re.split(r"[\n\r\u2028\u2029]+", passage):
        if " | " not in line:
            columns = ()
            continue
        text = line.strip()
        cells = tuple(cell.strip() for cell in text.strip("|").split("|"))
        if not columns:
            columns = cells
        elif len(cells) == len(columns) and all(cells) and set(text) - set("|-: "):
            yield TableRow(text, cells, columns)


def named_item(text: str) -> tuple[str, str] | None:
    """The two halves of "Pause: Let the other person speak.", or None for any other text."""
    found = re.fullmatch(r"([A-Z“][^:.!?|;,]{1,40}): ([A-Z][^:;|]+[.!])", text)
    if not found or len(found[1].split()) > 4 or len(list(_split(found[2]))) != 1:
        return None
    return found[1], found[2]


def _split(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        piece = line[start : end.end()]
        if _ABBREVIATION.search(piece) and end.end() < len(line.rstrip()):
            continue
        if text := piece.strip():
            yield text
        start = end.end()


def tokens(text: str) -> Words:
    """Words and commas; a quotation is one token, for what is said inside is no part of the sentence's grammar."""
    return tuple(_TOKEN.findall(text))


def without_full_stop(text: str) -> str:
    """The sentence without the mark that ends it, inside or outside a closing quotation mark."""
    return re.sub(r"[.!]+([”\"]?)[.!]*$", r"\1", text.rstrip())


def joined(words: Words | list[str]) -> str:
    """Tokens as running text again."""
    return re.sub(r" ([,;:])", r"\1", " ".join(words))


def proper_nouns(text: str) -> frozenset[str]:
    """Words that stand with a capital inside a sentence and nowhere without one."""
    inside = set(re.findall(r"(?<=[a-z,] )([A-Z][\w’'-]+)", text))
    plain = {word.lower() for word in re.findall(r"(?<![\w’'-])[a-z][\w’'-]+", text)}
    return frozenset(word for word in inside if word.lower() not in plain)


_KNOWN_PROPER = frozenset(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August September "
    "October November December English American British European German French Spanish Chinese Internet Congress "
    "Parliament Christmas Easter Europe America Asia Africa Britain England Germany France China Japan India "
    "Christian Islam Buddhism God Army Navy Python London Paris Berlin Rome Madrid Vienna Amsterdam Dublin Edinburgh "
    "Moscow Tokyo Beijing Delhi Sydney Boston Chicago Washington California Texas Florida Canada Mexico Brazil Spain "
    "Italy Greece Turkey Egypt Israel Ireland Scotland Wales Norway Sweden Finland Denmark Poland Austria Australia "
    "Scottish Irish Welsh Dutch Swedish Danish Polish Turkish Jewish Greek Swiss Arab Arabic Latin".split()
)


def uncapitalised(words: Words, proper: frozenset[str]) -> Words:
    """The same words fit for the middle of a sentence: the first loses its capital unless it is a name."""
    if not words:
        return words
    first = words[0]
    bare = re.sub(r"[’']s?$", "", first)
    named = (
        bare in proper
        or bool(re.search("(?:[a-z]{2}ian|nese)s?$", bare))
        or bare in _KNOWN_PROPER
        or bare == "I"
        or not re.fullmatch(r"[A-Z][a-z’'-]*", bare)
    )
    titled = (
        len(words) > 1 and words[1][:1].isupper() and first.lower() not in lexicon.DETERMINERS | lexicon.PREPOSITIONS
    )
    if named or (titled and first.lower() not in lexicon.SUBORDINATORS):
        return words
    return (first[0].lower() + first[1:], *words[1:])
