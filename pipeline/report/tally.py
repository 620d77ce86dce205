"""What the report shows of records: counts over all of them, and a few that are worth reading.

Records stream by twice and are not kept: what is held grows with the passages, with what was flagged up to a cap,
and with the few that are shown.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from rapidfuzz.fuzz import ratio

from pipeline.constraints import count_words
from pipeline.records import Passage, Record, lot
from pipeline.runlog.shown import Cluster, Pages, Pair, Sample, Shown, Silent

SHOWN = 10
"""Records, pairs and clusters of a list."""
SILENT_SHOWN = 40
"""Passages that brought nothing."""
MOST_PAIRS = 20_000
"""Flagged pairs that are looked at; those beyond are only counted."""
_BEGINNING = 90
"""Characters of a passage that tell which it is."""


def tally(records: Iterable[Record], passages: Mapping[str, Passage], repeats: Mapping[str, int], draw: str) -> Shown:
    """Go through the records twice and say what is to be shown.

    `repeats`: id of a record to how many drafts were rejected because they repeat it. `draw` decides which ten records
    are shown at random: another word, another ten.
    """
    seen = _Seen(draw)
    for record in records:
        seen.add(record)
    wanted = {name for pair in seen.pairs for name in pair} | set(_most(repeats))
    questions = {record.id: Sample.of(record) for record in records if record.id in wanted} if wanted else {}
    pairs = sorted(_pairs(seen.pairs, questions), key=lambda pair: (-pair.alike, pair.later.id))
    silent = [passage for passage in passages.values() if passage.id not in seen.asked]
    return Shown(
        records=seen.records,
        by_kind=dict(seen.kinds.most_common()),
        question_words=dict(sorted(seen.question_words.items())),
        answer_words=dict(sorted(seen.answer_words.items())),
        documents=tuple(_pages(passages, seen.pages)),
        silent=tuple(map(_silent, silent[:SILENT_SHOWN])),
        silent_in_all=len(silent),
        passages=len(passages),
        random=tuple(Sample.of(record) for *_, record in sorted(seen.random, key=lambda one: one[:2], reverse=True)),
        doubtful=tuple(
            Sample.of(record) for *_, record in sorted(seen.doubtful, key=lambda one: one[:2], reverse=True)
        ),
        pairs=tuple(pairs[:SHOWN]),
        pairs_in_all=seen.flagged,
        similar=tuple(_clusters(seen.pairs, questions)),
        repeated=tuple(
            Cluster(questions=(questions[name].question,), size=count)
            for name, count in _most(repeats).items()
            if name in questions
        ),
    )


class _Seen:
    """What is kept of the records gone through so far."""

    def __init__(self, draw: str) -> None:
        self._draw = draw
        self.records = 0
        self.kinds: Counter[str] = Counter()
        self.question_words: Counter[int] = Counter()
        self.answer_words: Counter[int] = Counter()
        self.pages: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.asked: set[str] = set()
        self.random: list[tuple[float, int, Record]] = []
        self.doubtful: list[tuple[float, int, Record]] = []
        self.pairs: list[tuple[str, str]] = []
        self.flagged = 0

    def add(self, record: Record) -> None:
        self.records += 1
        self.kinds[record.kind] += 1
        self.question_words[count_words(record.question)] += 1
        if not record.is_refusal:
            self.answer_words[count_words(record.answer)] += 1
        if record.passage:
            self.asked.update((record.passage, *record.further_passages))
            self.pages[record.source][record.page or 0] += 1
        self._keep_if_drawn(record)
        self._keep_if_doubtful(record)
        for partner in _partners(record):
            self.flagged += 1
            if len(self.pairs) < MOST_PAIRS:
                self.pairs.append((partner, record.id))

    def _keep_if_drawn(self, record: Record) -> None:
        drawn = (-lot(self._draw, record.id), -self.records, record)
        if len(self.random) < SHOWN:
            heapq.heappush(self.random, drawn)
        elif drawn[:2] > self.random[0][:2]:
            heapq.heapreplace(self.random, drawn)

    def _keep_if_doubtful(self, record: Record) -> None:
        """Nobody has to be shown again what a person has edited."""
        doubt = len(record.flags) + 1 - (1 if record.score is None else record.score)
        if record.edited or not doubt:
            return
        found = (doubt, -self.records, record)
        if len(self.doubtful) < SHOWN:
            heapq.heappush(self.doubtful, found)
        elif found[:2] > self.doubtful[0][:2]:
            heapq.heapreplace(self.doubtful, found)


def _partners(record: Record) -> Iterator[str]:
    """Ids that its flags name."""
    return (partner for _, colon, partner in (flag.partition(":") for flag in record.flags) if colon)


def _most(repeats: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(repeats.items(), key=lambda one: (-one[1], one[0]))[:SHOWN])


def _pairs(found: Iterable[tuple[str, str]], known: Mapping[str, Sample]) -> Iterator[Pair]:
    for earlier, later in found:
        if earlier in known and later in known:
            one, other = known[earlier], known[later]
            yield Pair(earlier=one, later=other, alike=round(ratio(one.question, other.question), 1))


def _clusters(pairs: Iterable[tuple[str, str]], known: Mapping[str, Sample]) -> list[Cluster]:
    """The largest groups that pairs tie together. Only shown: nothing is ever merged along a chain of likenesses."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = name = root[root[name]]
        return name

    for earlier, later in pairs:
        if earlier in known and later in known:
            root[find(later)] = find(earlier)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in list(root):
        groups[find(name)].append(name)
    largest = sorted((group for group in groups.values() if len(group) > 2), key=lambda group: (-len(group), group[0]))
    return [
        Cluster(questions=tuple(known[name].question for name in group[:SHOWN]), size=len(group))
        for group in largest[:SHOWN]
    ]


def _pages(passages: Mapping[str, Passage], counted: Mapping[str, Counter[int]]) -> Iterator[Pages]:
    pages: defaultdict[str, set[int]] = defaultdict(set)
    for passage in passages.values():
        pages[passage.document].update(page for _, page in passage.pages)
    for document in sorted(pages):
        found = counted.get(document, Counter())
        by_page = {page: found[page] for page in sorted(pages[document] | (set(found) - {0}))}
        yield Pages(document=document, records=found.total(), by_page=by_page)


def _silent(passage: Passage) -> Silent:
    text = " ".join(passage.text.split())
    beginning = text if len(text) <= _BEGINNING else f"{text[:_BEGINNING].rsplit(' ', 1)[0]} …"
    return Silent(
        document=passage.document, page=passage.page, heading=" › ".join(passage.heading), beginning=beginning
    )
