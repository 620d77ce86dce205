"""Makes tasks of a passage by rule: its heading for a title, its definitions and reasons to be copied, its nouns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.teacher.embedded import document_causes as causes
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded import english
from pipeline.teacher.embedded.document_reference import content_words, leans_on_its_neighbours, stands_alone
from pipeline.teacher.embedded.document_statements import Statement, statement
from pipeline.words import subject_words

_Item = dict[str, Any]


def task_data(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The exercises asked for, as far as a rule makes them of the passage."""
    item = schema.get("properties", {}).get("tasks", {}).get("items", {})
    wordings = int(item.get("properties", {}).get("instructions", {}).get("maxItems", 2))
    passage = slots["passage"]
    if not reading.is_english(passage):
        return {"tasks": []}
    made = [one for name in slots["exercises"].split("\n") if name in _MAKE for one in _MAKE[name](slots, passage)]
    return {"tasks": [one | {"instructions": one["instructions"][:wordings]} for one in made]}


def _item(task: str, instructions: Sequence[str], answers: Sequence[str], keywords: Sequence[str] = ()) -> _Item:
    return {"task": task, "instructions": list(instructions), "keywords": list(keywords), "answers": list(answers)}


def _keywords(slots: Mapping[str, str], passage: str) -> Iterator[_Item]:
    """The nouns that come more than once, the most frequent first."""
    counts = Counter(word for word in re.findall(r"\b[a-z]{5,}\b", passage) if word in content_words(passage))
    often = [word for word, number in counts.most_common() if number > 1 and not english.base_of(word, "s")][:5]
    if len(often) >= 2:
        said = ["List the keywords of this text.", "Which words matter most in this text? Name them."]
        yield _item("keywords", said, often)


def _statements(passage: str) -> Iterator[tuple[str, Statement]]:
    proper = reading.proper_nouns(passage)
    for sentence in reading.sentences(passage):
        read = statement(sentence.text, proper) if stands_alone(sentence.text) and not sentence.item else None
        if read is not None and not leans_on_its_neighbours(read):
            yield sentence.text, read


def _extraction(slots: Mapping[str, str], passage: str) -> Iterator[_Item]:
    """The sentence that defines a term or gives a reason, asked for by what it says."""
    for sentence, read in _statements(passage):
        term = reading.joined(read.clause.subject)
        if natures.definition(read):
            said = [f"Copy the sentence that says what {term} is.", f"Find the words that define {term} in this text."]
            yield _item("extraction", said, [sentence])
        elif causes.reason(read):
            told = read.clause.told()
            said = [
                f"Copy the sentence that says why {told}.",
                f"Find the words of this text that give the reason why {told}.",
            ]
            yield _item("extraction", said, [sentence])


def _routing(slots: Mapping[str, str], passage: str) -> Iterator[_Item]:
    """The label whose words stand most often in heading and passage, if one does more than all others."""
    labels = slots.get("labels", "").split("\n")
    words = f"{slots.get('heading', '')} {passage}".split()
    stems = Counter(stem for word in words for stem in subject_words(word))
    scores = sorted(((sum(stems[stem] for stem in subject_words(label)), label) for label in labels), reverse=True)
    if len(scores) > 1 and scores[0][0] > scores[1][0]:
        named = f"{', '.join(labels[:-1])} or {labels[-1]}"
        said = [f"Under which label does this text belong: {named}?", f"Sort this text: is it about {named}?"]
        yield _item("routing", said, [scores[0][1]])


def _title(slots: Mapping[str, str], passage: str) -> Iterator[_Item]:
    title = slots.get("heading", "").split(" > ")[-1].strip()
    if title and subject_words(title) & subject_words(passage) and len(title.split()) <= 8:
        yield _item("title", ["Give this text a title.", "What would be a good heading for this text?"], [title])


def _sentence(slots: Mapping[str, str], passage: str) -> Iterator[_Item]:
    """The first plain statement of at least three longer words."""
    for sentence, read in _statements(passage):
        words = list(dict.fromkeys(re.findall(r"\b[a-z]{5,}\b", sentence)))[:4]
        if len(words) >= 3 and not (read.lead or read.imperative):
            said = ["Write a sentence with these words.", "Make one sentence out of these keywords."]
            yield _item("sentence", said, [sentence], words)
            return


_MAKE: dict[str, Callable[[Mapping[str, str], str], Iterator[_Item]]] = {
    "keywords": _keywords,
    "extraction": _extraction,
    "routing": _routing,
    "title": _title,
    "sentence": _sentence,
}
