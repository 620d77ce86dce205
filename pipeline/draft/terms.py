"""Terms of a document, so that near-topic questions sound like it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.records import Passage
from pipeline.words import content_words, subject_words

MOST = 40


def terms_of(passages: Sequence[Passage]) -> list[str]:
    """Its headings, outermost left out where there are deeper ones; without headings, its most frequent long words."""
    deepest = [passage.heading[-1] for passage in passages if passage.heading]
    headings = list(dict.fromkeys(_plain(heading) for heading in deepest))
    if headings:
        return headings[:MOST]
    counts = Counter(word for passage in passages for word in content_words(passage.text) if len(word) >= 6)
    return [word for word, _ in counts.most_common(MOST)]


def _plain(heading: str) -> str:
    """The heading without its number and final stop, in lower case unless more than its first letter is a capital."""
    text = re.sub(r"^[\dIVXivx.]+[.)]\s+|[.:]$", "", heading).strip()
    return text if re.search(r"[A-Z]", text[1:]) else text[:1].lower() + text[1:]


def named_term(question: str, terms: Sequence[str]) -> str:
    """The longest term whose words all stand in the question; where none does, its words that stand in any term."""
    about = subject_words(question)
    named = [term for term in terms if (words := subject_words(term)) and words <= about]
    if named:
        return max(named, key=lambda term: len(subject_words(term)))
    parts = frozenset[str]().union(*(subject_words(term) for term in terms))
    return " ".join(word for word in content_words(question) if subject_words(word) <= parts and subject_words(word))
