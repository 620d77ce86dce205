"""Sums up by rule: sentences that stand alone, one of each passage before a second of any."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from pipeline.constraints import count_words
from pipeline.teacher.embedded import document_natures as natures
from pipeline.teacher.embedded import document_sentences as reading
from pipeline.teacher.embedded.document_reference import is_self_contained, leans_on_its_neighbours, stands_alone
from pipeline.teacher.embedded.document_statements import statement
from pipeline.teacher.embedded.refusals import EMPTY
from pipeline.words import subject_words

_SIZE = re.compile(r"^(short|long): (\d+) to (\d+) words$", re.MULTILINE)
_BY_SIGHT = "at hand"


def section_notes(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The first sentence of each passage that stands alone."""
    return {"notes": [said[0] for said in _by_passage(slots["part"]) if said][:40]}


def summaries(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Sentences of the text as they stand, as many as the words of each size allow."""
    item = schema.get("properties", {}).get("summaries", {}).get("items", {})
    wordings = int(item.get("properties", {}).get("questions", {}).get("maxItems", 3))
    sentences = _dealt(_by_passage(slots["text"]))
    named = subject_words(f"{slots['title']} {slots.get('section', '')}") - EMPTY
    sentences.sort(key=lambda sentence: not named & subject_words(" ".join(sentence.split()[:3])))
    found = []
    for size, fewest, most in _SIZE.findall(slots["sizes"]):
        if said := _fitting(sentences, int(fewest), int(most)):
            questions = _at_hand(size) if _BY_SIGHT in slots["sizes"] else _by_heart(size, slots)
            found.append({"size": size, "questions": questions[:wordings], "summary": said})
    return {"summaries": found}


def _by_passage(text: str) -> list[list[str]]:
    """The sentences of each part that a reader understands without the others, what defines a thing first."""
    parts = text.split("\n\n") if reading.is_english(text) else []
    return [[said for _, said in sorted(_standing(part), key=lambda pair: not pair[0])] for part in parts]


def _standing(part: str) -> Iterator[tuple[bool, str]]:
    """Each such sentence, and whether it defines something. Headings are no sentences."""
    proper = reading.proper_nouns(part)
    for sentence in reading.sentences(part):
        read = statement(sentence.text, proper) if stands_alone(sentence.text) and not sentence.item else None
        if read is None or read.imperative or read.lead or leans_on_its_neighbours(read):
            continue
        if is_self_contained(sentence.text) and sentence.text.endswith("."):
            yield bool(natures.definition(read)), sentence.text


def _dealt(parts: Sequence[Sequence[str]]) -> list[str]:
    """The first sentence of each part, then the second of each, and so on."""
    return [said for said in chain.from_iterable(zip_longest(*parts)) if said]


def _fitting(sentences: Sequence[str], fewest: int, most: int) -> str:
    """As many of the sentences, in the order given, as reach the fewest words without passing the most; or nothing."""
    chosen: list[str] = []
    words = 0
    for sentence in sentences:
        if words >= fewest and len(chosen) > 1:
            break
        if words + count_words(sentence) <= most:
            chosen.append(sentence)
            words += count_words(sentence)
    return " ".join(chosen) if words >= fewest else ""


def _at_hand(size: str) -> list[str]:
    if size == "short":
        return ["Sum this up in a sentence or two.", "What is this about, in brief?", "Give the gist of this."]
    return [
        "Sum this up in a paragraph.",
        "What does this come down to, at some length?",
        "Retell what matters in this.",
    ]


def _by_heart(size: str, slots: Mapping[str, str]) -> list[str]:
    title = _inside(slots["title"])
    section = slots.get("section", "").split(" > ")[-1]
    quoted = section if re.search('[“”"]', section) else f"“{section}”"
    about = f"{quoted} in {title}" if section else title
    if size == "short":
        return [
            f"In a sentence or two, what matters most about {about}?",
            f"Can you sum up {about} in a sentence or two?",
            f"What would you say in brief about {about}?",
        ]
    return [
        f"What are the main points about {about}?",
        f"Can you sum up {about} in a paragraph?",
        f"What would you tell somebody at some length about {about}?",
    ]


def _inside(title: str) -> str:
    """A title as it reads inside a sentence: its capitals are a heading's, unless a word is all capitals."""
    return " ".join(word if word.isupper() and len(word) > 1 else word[:1].lower() + word[1:] for word in title.split())
