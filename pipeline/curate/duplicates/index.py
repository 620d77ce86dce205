"""The index of all questions: decides which repeat an earlier one, and remembers what it decided.

What it says of an entry is a function of the entries before it and of the terms, however the sequence is cut into
shards and whatever was on the disk: fed the same sequence again it answers from memory, and from the first entry that
differs on it forgets and decides anew. To that end entries count in batches of a fixed size: only whole batches make a
word common and enter the blocks that are capped; the batch under way is looked at without a cap.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.curate.duplicates.batch import Batch
from pipeline.curate.duplicates.blocks import Blocks
from pipeline.curate.duplicates.comparing import NEW, Known, Likeness, likeness, near_in_meaning, repeats, similar
from pipeline.curate.duplicates.entry import Entry, Terms
from pipeline.curate.duplicates.hashing import Hashed, hashed
from pipeline.curate.duplicates.neighbours import Vectors, encoded, joined, near
from pipeline.curate.duplicates.pages import Pages
from pipeline.curate.duplicates.runs import Positions
from pipeline.curate.duplicates.store import Damaged, Store
from pipeline.curate.findings import Finding
from pipeline.curate.meaning import Embedder

_FORMAT = 2
BATCH = 2048
_PAGE = 64
_COMMIT_EVERY = 64
"""Batches."""


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
        self._pages = Pages(self._store, min(_PAGE, BATCH))
        self._come = 0
        """Entries that have come."""
        self._batch: Batch | None = None
        """None as long as all that comes is known."""

    def _load(self) -> None:
        digests = [np.frombuffer(content, np.uint64) for _, content in self._store.blobs("digests")]
        self._known = np.concatenate([np.empty(0, np.uint64), *digests])
        """Digests of the entries decided in earlier passes."""
        self._written = [np.frombuffer(content, np.uint64) for _, content in self._store.blobs("run")]
        self._blocks = Blocks(self._terms, self._store.blobs("sieve"), self._written)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._batch is not None:
                self._write(self._batch)
                self._commit()
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
        end = self._come + same
        for first in range(self._come - self._come % BATCH, end, BATCH):
            for place, finding in self._told(first):
                if self._come <= place < end:
                    findings[place - self._come] = finding
        self._come = end
        return findings

    def _told(self, first: int) -> Iterator[tuple[int, Finding]]:
        """What was found in an earlier pass in the batch that begins there, by position."""
        for place, *finding in json.loads(self._store.blob("findings", first)):
            yield place, Finding(*finding)

    def _begin(self) -> Batch:
        """Forget what was known after the entries that have come, and take up their last, unfinished batch."""
        first = self._come - self._come % BATCH
        self._blocks.begin(first)
        batch = Batch(first)
        batch.end = self._come
        if batch.end > first:
            kept = self._recall(range(first, batch.end))
            told = hashed([known.entry.question for known in kept.values()])
            for (place, known), key in zip(kept.items(), told.texts.tolist(), strict=True):
                batch.keep(place, known, key)
            self._blocks.lay(batch, np.array(list(kept), np.int64), told)
            batch.digests = self._known[first : batch.end].tolist()
            batch.findings = {place: finding for place, finding in self._told(first) if place < batch.end}
            batch.vectors = [some.only(some.positions < batch.end) for some in self._vectors(first, first + 1)]
        for table in ("digests", "sieve", "findings", "page", "vectors"):
            self._store.drop_blobs(table, first)
        return batch

    def _seal(self, batch: Batch) -> Batch:
        """A whole batch enters the blocks, and a new one begins."""
        self._blocks.seal(batch)
        self._write(batch)
        if batch.end % (BATCH * _COMMIT_EVERY) == 0:
            self._commit()
        return Batch(batch.end)

    def _write(self, batch: Batch) -> None:
        self._pages.put(batch.first, batch.end, batch.kept)
        if batch.vectors:
            vectors = joined(batch.vectors)
            kept = vectors.only(np.isin(vectors.positions, list(batch.kept)))
            self._store.put_blob("vectors", batch.first, kept.to_bytes())
        if self._store.lasts:  # what follows is for another pass
            told = json.dumps([(place, *finding) for place, finding in batch.findings.items()])
            self._store.put_blob("findings", batch.first, told.encode())
            self._store.put_blob("digests", batch.first, np.array(batch.digests, np.uint64).tobytes())
            self._store.put_blob("sieve", batch.first, self._blocks.sieve(batch))

    def _commit(self) -> None:
        """All that was decided, at once: what is killed before leaves what was written the last time."""
        if not self._store.lasts:
            return
        runs = self._blocks.runs
        same = sum(1 for one, other in zip(self._written, runs, strict=False) if one is other)
        self._store.drop_blobs("run", same)
        for number, run in enumerate(runs[same:], same):
            self._store.put_blob("run", number, run.tobytes())
        self._written = runs
        self._store.commit()

    def _decide(self, batch: Batch, entries: Sequence[Entry]) -> list[Finding]:
        """Of entries that fit into the batch."""
        first = batch.end
        fresh = [Known(entry) for entry in entries]
        told = hashed([entry.question for entry in entries])
        same = self._same_text(fresh, told)
        meaning = self._near_in_meaning(batch, fresh, same)
        findings = []
        for number, (known, key) in enumerate(zip(fresh, told.texts.tolist(), strict=True)):
            finding, under = NEW, batch.under(key)
            if under or number in same:
                finding = repeats(known, [*same.get(number, ()), *self._same(known, under)])
            if finding is NEW and number in meaning:
                finding = self._meant(batch, known, meaning[number])
            if finding.verdict != "rejected":
                batch.keep(first + number, known, key)
            findings.append(finding)
        batch.end += len(fresh)
        kept = [number for number, finding in enumerate(findings) if finding.verdict != "rejected"]
        places, told = first + np.array(kept, np.int64), told.only(kept)
        self._blocks.lay(batch, places, told)
        for place, flag in self._similar(batch, places, told):
            if findings[place - first].cause != "similar_to_dropped":
                findings[place - first] = flag
        batch.findings.update((first + number, one) for number, one in enumerate(findings) if one is not NEW)
        return findings

    def _same(self, known: Known, others: Iterable[Known]) -> list[Known]:
        return [other for other in others if known.repeats(other, self._terms.language)]

    def _same_text(self, fresh: Sequence[Known], told: Hashed) -> dict[int, list[Known]]:
        """By number the questions of whole batches whose text is the same but for trifles."""
        pairs = self._blocks.same_text(told.texts)
        recalled = self._recall(place for _, place in pairs)
        found: defaultdict[int, list[Known]] = defaultdict(list)
        for number, place in pairs:
            found[number] += self._same(fresh[number], [recalled[place]])
        return {number: hits for number, hits in found.items() if hits}

    def _near_in_meaning(
        self, batch: Batch, fresh: Sequence[Known], same: Container[int]
    ) -> Mapping[int, list[tuple[float, int]]]:
        """By number, unless its text is known, the earlier ones near it: cosine and place, the nearest first."""
        found: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        if self._embedder is None:
            return found
        new = [number for number in range(len(fresh)) if number not in same]
        places = np.array(new, np.int64) + batch.end
        some = encoded(self._embedder, [fresh[number].entry.question for number in new], places)
        for one, other, cosine in near(
            some, chain(self._vectors(0, batch.first), batch.vectors, [some]), self._terms.similar_meaning
        ):
            found[one - batch.end].append((cosine, other))
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

    def _meant(self, batch: Batch, known: Known, pairs: Sequence[tuple[float, int]]) -> Finding:
        """What the nearest in meaning makes of it; one that the words confirm goes before those that they do not."""
        flag = NEW
        kept = [(cosine, place) for cosine, place in pairs if place < batch.first or place in batch.kept]
        recalled = self._recall(place for _, place in kept if place < batch.first)
        for cosine, place in kept:
            earlier = recalled.get(place) or batch.kept[place]
            finding = near_in_meaning(known, earlier, cosine, self._terms)
            if finding and finding.verdict == "rejected":
                return finding
            if finding and flag is NEW:
                flag = finding
        return flag

    def _similar(self, batch: Batch, places: Positions, told: Hashed) -> Iterator[tuple[int, Finding]]:
        """The flag of each entry at these places that an earlier one is similar to: the most similar."""
        which, others = self._blocks.likely(batch, places, told)
        recalled = self._recall(others[others < batch.first].tolist())
        best: dict[int, tuple[Likeness, Known]] = {}
        for place, other in zip(places[which].tolist(), others.tolist(), strict=True):
            earlier = batch.kept[other] if other >= batch.first else recalled[other]
            alike = likeness(batch.kept[place], earlier, self._terms)
            if alike and (place not in best or alike > best[place][0]):
                best[place] = alike, earlier
        for place, (alike, earlier) in best.items():
            yield place, similar(batch.kept[place], earlier, alike, self._terms)

    def _recall(self, places: Iterable[int]) -> dict[int, Known]:
        """Entries of whole batches."""
        return {place: Known(entry) for place, entry in self._pages.entries(dict.fromkeys(places))}


def _digest(entry: Entry) -> int:
    text = f"{entry.id}\x1f{entry.question}\x1f{entry.fact}\x1f{'dropped' if entry.dropped else ''}"
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
