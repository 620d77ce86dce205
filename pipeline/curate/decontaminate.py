"""Decontamination: no record may hold what the student will be examined on elsewhere.

A draft is contaminated if it has a run of 13 words in common with a held-out text (the measure of Brown et al.,
"Language Models are Few-Shot Learners", 2020, appendix C), if its question is a whole shorter one, or, with an
embedder, if its question means the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import jsonlines
import xxhash

from pipeline.curate.duplicates.wording import UNSPACED
from pipeline.curate.findings import Finding
from pipeline.errors import InputError
from pipeline.recipe import Decontamination
from pipeline.records import Draft, normalised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.curate.meaning import Embedder

_CLEAN = Finding("contaminated", "nothing in common with the held-out texts")


class HeldOutText(NamedTuple):
    """A text that no record may hold, and where it stands."""

    file: str
    line: int
    """From 1."""
    text: str

    @property
    def place(self) -> str:
        """As `file:line`."""
        return f"{self.file}:{self.line}"


def held_out_texts(file: str, content: bytes) -> Iterator[HeldOutText]:
    """Every text in each line of a .jsonl file; of any other file every paragraph, at the line it begins on.

    Raises InputError naming the line that cannot be read: what is not read is not checked against.
    """
    if not file.endswith((".jsonl", ".ndjson")):
        yield from _paragraphs(file, content)
        return
    with jsonlines.Reader(line if line.strip() else b"null" for line in content.split(b"\n")) as lines:
        for number in count(1):
            try:
                value = lines.read(allow_none=True)
            except EOFError:
                return
            except (jsonlines.InvalidLineError, RecursionError) as fault:
                raise InputError(f"{file}:{number}: {fault}.", remedy="Mend the line, or take it out.") from fault
            yield from (HeldOutText(file, number, text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _texts(inside)


def _paragraphs(file: str, content: bytes) -> Iterator[HeldOutText]:
    begun, lines = 1, list[str]()
    for number, raw in enumerate([*content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), b""], 1):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise InputError(f"{file}:{number}: {fault}.", remedy="Mend the line, or take it out.") from fault
        if line.strip():
            begun = begun if lines else number
            lines.append(line)
        elif lines:
            yield HeldOutText(file, begun, " ".join(lines))
            lines = []


class HeldOut:
    """Held-out texts, found by any run of words in them."""

    def __init__(self, texts: Iterable[HeldOutText], wanted: Decontamination, embedder: Embedder | None = None) -> None:
        self._wanted, self._embedder = wanted, embedder
        self._texts = [text for text in texts if normalised(text.text)]
        self._runs: dict[int, int] = {}
        self._known: set[str] = set()
        """Words of texts that are long enough to have a run."""
        self._short: dict[str, int] = {}
        for number, text in enumerate(self._texts):
            words = _in_order(text.text)
            if len(words) < wanted.words_in_a_row:
                self._short.setdefault(" ".join(words), number)
            else:
                self._known.update(words)
            for run in _runs(words, wanted.words_in_a_row):
                self._runs.setdefault(_hash(run), number)
        self._vectors = embedder.encode([text.text for text in self._texts]) if embedder and self._texts else None

    def findings(self, drafts: Sequence[Draft]) -> list[Finding]:
        """What each draft has in common with the held-out texts, by words, then by meaning."""
        found = [self._by_words(draft) for draft in drafts]
        if self._vectors is None or self._embedder is None or not drafts:
            return found
        vectors = self._embedder.encode([draft.question for draft in drafts])
        return [
            finding if finding.verdict == "rejected" else self._by_meaning(vector)
            for finding, vector in zip(found, vectors, strict=True)
        ]

    def _by_words(self, draft: Draft) -> Finding:
        size = self._wanted.words_in_a_row
        for text in (draft.question, draft.answer, draft.context, *draft.earlier):
            for run in self._likely(_in_order(text), size):
                number = self._runs.get(_hash(run))
                if number is not None and f" {run} " in f" {' '.join(_in_order(self._texts[number].text))} ":
                    return self._contaminated(number, f"{size} words in a row in common: “{run}”")
        number = self._short.get(" ".join(_in_order(draft.question)))
        return _CLEAN if number is None else self._contaminated(number, "the same question")

    def _likely(self, words: Sequence[str], size: int) -> Iterator[str]:
        """The runs of words of which each stands in some held-out text."""
        begin = 0
        for end, word in enumerate([*words, ""]):
            if word not in self._known:
                if end - begin >= size:
                    yield from _runs(words[begin:end], size)
                begin = end + 1

    def _by_meaning(self, vector: NDArray[np.float32]) -> Finding:
        assert self._vectors is not None
        cosines = self._vectors @ vector
        number = int(cosines.argmax())
        cosine = float(cosines[number])
        if cosine >= self._wanted.same_meaning:
            return self._contaminated(number, f"cosine {cosine:.3f} (rejected from {self._wanted.same_meaning:g})")
        measured = f"cosine {cosine:.3f} (flagged from {self._wanted.similar_meaning:g})"
        if cosine < self._wanted.similar_meaning:
            return _CLEAN._replace(measured=measured)
        detail = f"Near in meaning to {self._texts[number].place}, which is held out."
        return Finding("contaminated", measured, "flagged", "near_held_out", detail)

    def _contaminated(self, number: int, measured: str) -> Finding:
        detail = f"The text at {self._texts[number].place} is held out: {measured}."
        return Finding("contaminated", measured, "rejected", "contaminated", detail)


def _in_order(text: str) -> list[str]:
    """Words of the normalised text; single characters where a language writes no blanks."""
    plain = normalised(text)
    return plain.split() if plain.isascii() else UNSPACED.sub(lambda run: f" {' '.join(run[0])} ", plain).split()


def _runs(words: Sequence[str], size: int) -> Iterator[str]:
    return (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))


def _hash(run: str) -> int:
    return xxhash.xxh3_64_intdigest(run.encode("utf-8", "surrogatepass"))
