"""The index of all questions: decides which repeat an earlier one, and remembers what it decided.

What it says of an entry is a function of the entries before it and of the terms, however the sequence is cut into
shards and whatever was on the disk: fed the same sequence again it answers from memory, and from the first entry that
differs on it forgets and decides anew. To that end entries count in batches of a fixed size: only whole batches make a
word common and enter the blocks that are capped; the batch under way is looked at without a cap.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Self

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.curate.duplicates.candidates import Bags, Keys, Rarity, Runs, Sieve
from pipeline.curate.duplicates.comparing import NEW, Known, Likeness, likeness, near_in_meaning, repeats, similar
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.neighbours import Vectors, encoded, joined, near
from pipeline.curate.duplicates.store import Damaged, Store
from pipeline.curate.duplicates.wording import text_key, word_key, words
from pipeline.curate.findings import Finding
from pipeline.curate.meaning import Embedder

_FORMAT = 1
BATCH = 2048
_COMMIT_EVERY = 64
"""Batches."""
_REMEMBERED = 1 << 18
"""Entries and keys of words kept in memory beside the file, so that most need not be made again."""
_PLAIN, _BARE = 1, 2
_NO_CAP = 1 << 32
_VERIFIED = 4
"""Most likely candidates of a question that are compared word by word: the first of them is the one, but for ties."""


Laid = tuple[Keys, NDArray[np.int64]]
"""Keys, and the position that each belongs to."""


class _Batch:
    """The entries since the last whole batch."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.digests: list[int] = []
        self.plain: dict[str, int] = {}
        self.bare: dict[str, int] = {}
        self.kept: dict[int, Known] = {}
        self.end = first
        """Where the next entry comes to stand."""
        self.words: list[Laid] = []
        self.texts: list[Laid] = []
        self.vectors: list[Vectors] = []

    def keep(self, place: int, known: Known) -> None:
        """Later entries are compared with this one."""
        self.kept[place] = known
        self.plain.setdefault(known.plain, place)
        other = self.bare.get(known.bare)
        if other is None or self.kept[other].entry.dropped:
            self.bare[known.bare] = place


class Duplicates:
    """Says of each entry, in order, whether it repeats an earlier one. One pass over the sequence for each object.

    With a path the index is kept in that file, which may be deleted at any time: stale or damaged it is made anew.
    Without an embedder nothing is compared by meaning. Use it in a `with`: at its end what was decided is written down.
    """

    def __init__(self, path: Path | None, terms: Terms, embedder: Embedder | None = None) -> None:
        """Raises CannotWrite."""
        self._terms, self._embedder = terms, embedder
        model = embedder.name if embedder else None
        header = json.dumps([_FORMAT, BATCH, terms, model])
        self._store = Store(path, header)
        try:
            self._load()
        except Damaged:
            self._store.start_again(header)
            self._load()
        self._come = 0
        """Entries that have come."""
        self._batch: _Batch | None = None
        """None as long as all that comes is known."""
        self._recalled: dict[int, Known] = {}
        self._word_keys = _WordKeys()

    def _load(self) -> None:
        digests = [np.empty(0, np.uint64)]
        self._sieve = Sieve(self._terms.similar_question)
        for first, content in self._store.blobs("batch"):
            count = len(content) // 26
            digests.append(np.frombuffer(content, np.uint64, count))
            bitmaps = np.frombuffer(content, np.uint64, 2 * count, 8 * count).reshape(2, count)
            sizes = np.frombuffer(content, np.uint16, count, 24 * count)
            self._sieve.reserve(first + count)
            self._sieve.put(np.arange(first, first + count), bitmaps, sizes)
        self._known = np.concatenate(digests)
        """Digests of the entries decided in earlier passes."""
        self._written = [np.frombuffer(content, np.uint64) for _, content in self._store.blobs("run")]
        self._runs = Runs(self._written)
        self._rarity = Rarity()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._batch is not None:
                self._write(self._batch)
        finally:
            self._store.close()

    def compare(self, shard: Sequence[Entry]) -> list[Finding]:
        """What is found of each of the entries that come next.

        Raises CannotWrite, and TryAgainLater if the file proves damaged.
        """
        digests = np.fromiter(map(_digest, shard), np.uint64, len(shard))
        findings = self._again(digests) if self._batch is None else []
        while len(findings) < len(shard):
            batch = self._batch = self._batch or self._begin()
            some = slice(len(findings), len(findings) + batch.first + BATCH - batch.end)
            batch.digests += digests[some].tolist()
            findings += self._decide(batch, shard[some])
            if batch.end == batch.first + BATCH:
                self._batch = self._seal(batch)
        return findings

    def _again(self, digests: NDArray[np.uint64]) -> list[Finding]:
        """What was found in an earlier pass of those that are as they were then, up to the first that is not."""
        known = self._known[self._come : self._come + len(digests)]
        differing = np.flatnonzero(known != digests[: len(known)])
        same = int(differing[0]) if len(differing) else len(known)
        findings = [NEW] * same
        for place, finding in self._store.findings(self._come, self._come + same):
            findings[place - self._come] = finding
        self._come += same
        return findings

    def _begin(self) -> _Batch:
        """Forget what was known after the entries that have come, and take up their last, unfinished batch."""
        first = self._come - self._come % BATCH
        self._store.forget(self._come)
        self._runs.forget(first)
        for run in self._runs.runs:
            self._rarity.add((run >> np.uint64(32)).astype(np.uint32))
        batch = _Batch(first)
        batch.digests = self._known[first : self._come].tolist()
        batch.end = self._come
        for place, entry in self._store.entries_since(first):
            batch.keep(place, Known.of(entry, self._terms.language))
        places = np.array(list(batch.kept), np.int64)
        self._lay(batch, places, self._bags(batch.kept.values()), _text_keys(list(batch.kept.values())))
        batch.vectors = [some.only(some.positions < self._come) for some in islice(self._vectors(first, _NO_CAP), 1)]
        self._store.drop_blobs("vectors", first)
        self._store.drop_blobs("batch", first)
        return batch

    def _seal(self, batch: _Batch) -> _Batch:
        """A whole batch enters the blocks, and a new one begins."""
        keys, positions = (np.concatenate(parts) for parts in zip(*batch.words, *batch.texts, strict=True))
        self._runs.add(keys, positions)
        self._rarity.add(keys)
        self._write_batch(batch)
        if batch.end % (BATCH * _COMMIT_EVERY) == 0:
            self._write(batch)
        for memory in (self._recalled, self._word_keys):
            if len(memory) > _REMEMBERED:
                memory.clear()
        self._recalled.update(batch.kept)
        return _Batch(batch.end)

    def _write_batch(self, batch: _Batch) -> None:
        digests = np.array(batch.digests, np.uint64).tobytes()
        some = slice(batch.first, batch.end)
        sieve = self._sieve.bitmaps[:, some].tobytes() + self._sieve.sizes[some].tobytes()
        self._store.put_blob("batch", batch.first, digests + sieve)
        if batch.vectors:
            vectors = joined(batch.vectors)
            kept = vectors.only(np.isin(vectors.positions, list(batch.kept)))
            self._store.put_blob("vectors", batch.first, kept.to_bytes())

    def _write(self, batch: _Batch) -> None:
        """All that was decided, at once: what is killed before leaves what was written the last time."""
        self._write_batch(batch)
        runs = self._runs.runs
        same = sum(1 for one, other in zip(self._written, runs, strict=False) if one is other)
        self._store.drop_blobs("run", same)
        for number, run in enumerate(runs[same:], same):
            self._store.put_blob("run", number, run.tobytes())
        self._written = list(runs)
        self._store.commit()

    def _decide(self, batch: _Batch, entries: Sequence[Entry]) -> list[Finding]:
        """Of entries that fit into the batch."""
        first = batch.end
        fresh = [Known.of(entry, self._terms.language) for entry in entries]
        text_keys = _text_keys(fresh)
        same = self._same_text(fresh, text_keys)
        meaning = self._near_in_meaning(batch, first, fresh, same)
        findings = []
        for place, known in enumerate(fresh, first):
            finding = _repeated(batch, known, same[place - first])
            finding = finding or (self._meant(batch, known, meaning[place]) if place in meaning else NEW)
            if finding.verdict != "rejected":
                batch.keep(place, known)
            findings.append(finding)
        batch.end += len(fresh)
        places = np.array([place for place, one in enumerate(findings, first) if one.verdict != "rejected"], np.int64)
        bags = self._bags(batch.kept[place] for place in places.tolist())
        self._lay(batch, places, bags, text_keys[:, places - first])
        for place, flag in self._similar(batch, places, bags):
            if findings[place - first].cause != "similar_to_dropped":
                findings[place - first] = flag
        self._store.put(
            ((place, batch.kept[place].entry) for place in places.tolist()),
            ((place, finding) for place, finding in enumerate(findings, first) if finding is not NEW),
        )
        return findings

    def _bags(self, some: Iterable[Known]) -> Bags:
        return Bags.of([list(map(self._word_keys.__getitem__, words(known.plain))) for known in some])

    def _lay(self, batch: _Batch, places: NDArray[np.int64], bags: Bags, text_keys: Keys) -> None:
        """Entries kept at these places, with their bags, into the sieve and the batch's blocks."""
        self._sieve.reserve(batch.end)
        self._sieve.put(places, bags.bitmaps(), bags.sizes)
        batch.words.append((bags.keys, np.repeat(places, bags.sizes)))
        batch.texts.append((text_keys.ravel(), np.tile(places, 2)))

    def _same_text(self, fresh: Sequence[Known], keys: Keys) -> list[list[Known]]:
        """Of each, the questions of whole batches whose text is the same, or the same but for trifles."""
        which, places = self._runs.find(keys.ravel(), _NO_CAP)
        recalled = self._recall(places.tolist())
        found: list[dict[int, Known]] = [{} for _ in fresh]
        for index, place in sorted(zip((which % len(fresh)).tolist(), places.tolist(), strict=True)):
            if recalled[place].bare == fresh[index].bare or recalled[place].plain == fresh[index].plain:
                found[index][place] = recalled[place]
        return [list(hits.values()) for hits in found]

    def _near_in_meaning(
        self, batch: _Batch, first: int, fresh: Sequence[Known], same: Sequence[Sequence[Known]]
    ) -> dict[int, list[tuple[float, int]]]:
        """Of each place the earlier ones near it: cosine and place, the nearest first."""
        found: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        if self._embedder is None:
            return found
        places = [place for place in range(first, first + len(fresh)) if not same[place - first]]
        questions = [fresh[place - first].entry.question for place in places]
        some = encoded(self._embedder, questions, np.array(places, np.int64))
        for one, other, cosine in near(
            some, chain(self._vectors(0, batch.first), batch.vectors, [some]), self._terms.similar_meaning
        ):
            found[one].append((cosine, other))
        batch.vectors.append(some)
        for pairs in found.values():
            pairs.sort(key=lambda pair: (-pair[0], pair[1]))
        return found

    def _vectors(self, first: int, end: int) -> Iterator[Vectors]:
        if self._embedder is None:
            return
        with self._store.believing():
            for _, content in self._store.blobs("vectors", first, end):
                yield Vectors.from_bytes(content, self._embedder.dimensions)

    def _meant(self, batch: _Batch, known: Known, pairs: Sequence[tuple[float, int]]) -> Finding:
        """What the nearest in meaning makes of it; one that the words confirm goes before those that they do not."""
        flag = NEW
        kept = [(cosine, place) for cosine, place in pairs if place < batch.first or place in batch.kept]
        recalled = self._recall([place for _, place in kept if place < batch.first])
        for cosine, place in kept:
            earlier = recalled.get(place) or batch.kept[place]
            finding = near_in_meaning(known, earlier, cosine, self._terms)
            if finding and finding.verdict == "rejected":
                return finding
            if finding and flag is NEW:
                flag = finding
        return flag

    def _similar(self, batch: _Batch, places: NDArray[np.int64], bags: Bags) -> Iterator[tuple[int, Finding]]:
        """The flag of each entry at these places that an earlier one is similar to: the most similar."""
        owners, keys = self._rarity.rarest(bags, self._terms.similar_question)
        under_way = Runs()
        under_way.add(*(np.concatenate(parts) for parts in zip(*batch.words, strict=True)))
        found = [self._runs.find(keys, self._terms.candidates_per_word), under_way.find(keys, _NO_CAP)]
        ones = places[owners[np.concatenate([which for which, _ in found])]]
        others = np.concatenate([there for _, there in found])
        before = others < ones
        ones, others = self._sieve.likely(ones[before], others[before], _VERIFIED)
        recalled = self._recall(others[others < batch.first].tolist())
        best: dict[int, tuple[Likeness, Known]] = {}
        at, mine = -1, set[str]()
        for place, other in zip(ones.tolist(), others.tolist(), strict=True):
            if place != at:
                at, mine = place, words(batch.kept[place].plain)
            earlier = batch.kept[other] if other >= batch.first else recalled[other]
            alike = likeness(batch.kept[place], mine, earlier, self._terms)
            if alike and (place not in best or alike > best[place][0]):
                best[place] = alike, earlier
        for place, (alike, earlier) in best.items():
            yield place, similar(batch.kept[place], earlier, alike, self._terms)

    def _recall(self, places: Iterable[int]) -> dict[int, Known]:
        """Entries of whole batches, from memory or from the file."""
        found: dict[int, Known] = {}
        missing = set()
        for place in places:
            known = self._recalled.get(place)
            if known is None:
                missing.add(place)
            else:
                found[place] = known
        for place, entry in self._store.entries(sorted(missing)):
            self._recalled[place] = found[place] = Known.of(entry, self._terms.language)
        return found


class _WordKeys(dict[str, int]):
    """Keys of words met lately."""

    def __missing__(self, word: str) -> int:
        self[word] = found = word_key(word)
        return found


def _repeated(batch: _Batch, known: Known, same: Sequence[Known]) -> Finding | None:
    """Of the questions with its text the first that is the same to the letter, else one that no person dropped."""
    plain, bare = batch.plain.get(known.plain), batch.bare.get(known.bare)
    if plain is None and bare is None and not same:
        return None
    hits = [*same, *(batch.kept[place] for place in (plain, bare) if place is not None)]
    return repeats(known, min(hits, key=lambda hit: (hit.plain != known.plain, hit.entry.dropped)))


def _digest(entry: Entry) -> int:
    text = "\x1f".join((entry.id, entry.question, entry.fact, "dropped" if entry.dropped else ""))
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def _text_keys(some: Sequence[Known]) -> Keys:
    """Of each its plain and its bare text: (2, entries)."""
    keys = [[text_key(one.plain, _PLAIN) for one in some], [text_key(one.bare, _BARE) for one in some]]
    return np.array(keys, np.uint32)
