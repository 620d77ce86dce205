"""Whether a question that is to be refused is answered by the corpus after all: by its words, and by its meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.corpus import Corpus
from pipeline.curate.findings import Finding
from pipeline.curate.meaning import Embedder, sentences_of
from pipeline.recipe import Checks
from pipeline.records import Draft

if TYPE_CHECKING:
    from pipeline.curate.meaning import Vectors


def answered_by_words(draft: Draft, corpus: Corpus, checks: Checks) -> Finding:
    """Whether one passage of the whole corpus holds what the question is about.

    A false premise is made of the corpus's own words and something that is not so: it is rejected only if it
    holds no word of its own, and flagged for the reviewer where it has few.
    """
    check = "corpus_overlap"
    known = corpus.known(draft.question)
    score = 1 - known
    if known < checks.corpus_overlap:  # most questions end here, whatever the size of the corpus
        measured = f"{known:.0%} of its words in all passages, below {checks.corpus_overlap:.0%}"
        return Finding(check, measured, score=score)
    near = corpus.nearest(draft.question)[0]
    measured = f"{near.share:.0%} of its words in one passage, below {checks.corpus_overlap:.0%}"
    if near.share < checks.corpus_overlap:
        return Finding(check, measured, score=score)
    detail = f"One passage ({near.passage.id}, page {near.passage.page}) holds {near.share:.0%} of what it is about."
    if draft.kind == "false_premise" and near.foreign:
        return Finding(check, measured, "flagged", "close_to_corpus", detail, score=score)
    return Finding(check, measured, "rejected", "answered_by_corpus", detail)


class CorpusMeaning:
    """The sentences of the corpus as vectors, beside which questions to be refused are held."""

    def __init__(self, texts: Iterable[str], embedder: Embedder) -> None:
        self._sentences = list(dict.fromkeys(chain.from_iterable(map(sentences_of, texts))))
        self._embedder = embedder

    @cached_property
    def _vectors(self) -> Vectors:
        return self._embedder.encode(self._sentences)

    def findings(self, drafts: Sequence[Draft], checks: Checks) -> list[Finding]:
        """One finding a draft: how close the question comes to the nearest sentence of the corpus.

        Closeness is no answer (a near-topic question is close by design), so it never rejects.
        """
        if not drafts or not self._sentences:
            return [Finding("corpus_meaning", "nothing to compare with")] * len(drafts)
        close = self._embedder.encode([draft.question for draft in drafts]) @ self._vectors.T
        places = close.argmax(axis=1)
        return [
            self._finding(float(row[place]), self._sentences[place], checks.corpus_meaning)
            for row, place in zip(close, places, strict=True)
        ]

    @staticmethod
    def _finding(cosine: float, sentence: str, limit: float) -> Finding:
        measured = f"{cosine:.2f} to the nearest sentence, below {limit:.2f}"
        if cosine < limit:
            return Finding("corpus_meaning", measured)
        return Finding(
            "corpus_meaning",
            measured,
            "doubtful",
            "close_to_corpus",
            f"It means almost what is said here: {sentence!r}.",
        )
